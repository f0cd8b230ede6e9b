"""What happens by itself, later in sandbox time: fees, settling, expiry."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sandbox import charges, disputes, refunds, settling
from sandbox.accounts import Account

ACTS: dict[str, Callable[[Account, str], None]] = {
    "fees_known": charges.fees_known,
    "settle": settling.settle,
    "authorization_expired": settling.authorization_expired,
    "refund_answered": refunds.answered,
    "dispute_due": disputes.due,
    "dispute_decided": disputes.decide,
}


def act_on_what_is_due(account: Account) -> int:
    """Do everything whose time has come, in order; return how much it was."""
    done = 0
    while _act(account, until=account.clock.exact()):
        done += 1
    return done


def advance(account: Account, seconds: float) -> None:
    """Move the clock; what happens on the way happens at its own time."""
    end = account.clock.exact() + seconds
    while row := _next(account, until=end):
        account.clock.advance(max(0, row["due"] - account.clock.exact()))
        _act(account, until=max(row["due"], account.clock.exact()))
    account.clock.advance(max(0, end - account.clock.exact()))


def _next(account: Account, *, until: float) -> Any:
    return account.store.db.execute(
        "SELECT * FROM agenda WHERE due <= ? ORDER BY due, seq LIMIT 1", (until,)
    ).fetchone()


def _act(account: Account, *, until: float) -> bool:
    row = _next(account, until=until)
    if row is None:
        return False
    with account.store.transaction():
        account.store.db.execute("DELETE FROM agenda WHERE seq = ?", (row["seq"],))
        mine = replace(account, livemode=bool(row["livemode"]))
        ACTS[row["act"]](mine, row["object"])
    return True


async def keep(account: Account, wake_deliveries: Callable[[], None]) -> None:
    """Look at the agenda for as long as the sandbox runs."""
    while True:
        if act_on_what_is_due(account):
            wake_deliveries()
        await asyncio.sleep(0.1)
