"""Disputes and inquiries, and what evidence decides."""

from sandbox.accounts import Account
from sandbox.store import Object


def open_disputes(account: Account, charge: Object) -> None:
    """Open what the test card or account behind the charge provokes."""
