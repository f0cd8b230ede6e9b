"""Ids and secrets that look like Stripe's."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits

# How many characters follow the prefix; everything else gets 24.
LENGTHS = {"req": 14}


def random_text(length: int) -> str:
    return "".join(ALPHABET[byte % 62] for byte in secrets.token_bytes(length))


def new_id(prefix: str) -> str:
    return f"{prefix}_{random_text(LENGTHS.get(prefix, 24))}"
