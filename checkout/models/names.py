"""Random names: numbers people read aloud, tokens that are permissions."""

import secrets

# Crockford's base 32: no letter that reads like a digit.
NUMBER_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_number() -> str:
    """Return a random order number of 80 bits, readable over the telephone."""
    return "".join(secrets.choice(NUMBER_ALPHABET) for _ in range(16))


def new_token() -> str:
    """Return 192 random bits for a link that is its own permission."""
    return secrets.token_urlsafe(24)
