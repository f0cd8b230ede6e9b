"""How often somebody may do something: counted in the database, shared by all.

Whom a counter is about is kept as a keyed hash: no address and no mail can be read
from it. A counter is of one window of time, and its row says what is left of it.
"""

import logging
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from checkout.models import Limit

SALT = "checkout.limits"
# Longer than every window.
KEEP = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Checks and counts at once: a row with nothing left is not touched.
SPEND = """
INSERT INTO checkout_limit (scope, subject, began_at, remaining) VALUES (%s, %s, %s, %s)
ON CONFLICT (began_at, scope, subject)
DO UPDATE SET remaining = checkout_limit.remaining - 1
WHERE checkout_limit.remaining > 0
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rule:
    """At most so many times in each window; `scope` is the counter's name."""

    scope: str
    most: int
    window: timedelta


ORDERS_OF_VISITOR = Rule("orders of visitor", 10, timedelta(minutes=10))
ORDERS_OF_ADDRESS = Rule("orders of address", 60, timedelta(minutes=10))
REPEATS_OF_VISITOR = Rule("repeats of visitor", 60, timedelta(minutes=1))
REPEATS_OF_ADDRESS = Rule("repeats of address", 60, timedelta(minutes=1))
SIGN_UPS_OF_ADDRESS = Rule("sign-ups of address", 10, timedelta(minutes=10))
RESETS_OF_ADDRESS = Rule("password resets of address", 10, timedelta(minutes=10))
# Only those that fail: the others are given back.
SIGN_INS_OF_ACCOUNT = Rule("sign-ins of account", 10, timedelta(minutes=15))
SIGN_INS_OF_ADDRESS = Rule("sign-ins of address", 50, timedelta(minutes=15))


class TooMany(Exception):
    """Nothing is left of a limit; some is again after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"again in {retry_after} s")
        self.retry_after = retry_after


# --- Count --------------------------------------------------------------------------


def place(*, visitor: str, address: str) -> None:
    """Count an order that was placed; raises TooMany, to undo it with its transaction.

    The visitor first: whoever counts two locks them in the same order.
    """
    spend(ORDERS_OF_VISITOR, visitor)
    spend(ORDERS_OF_ADDRESS, address)


def repeat(*, visitor: str, address: str) -> None:
    """Count an order that was found again; raises TooMany. A visitor may be unknown."""
    if visitor:
        spend(REPEATS_OF_VISITOR, visitor)
    spend(REPEATS_OF_ADDRESS, address)


def sign_in(*, account: str, address: str) -> list[Limit]:
    """Count a sign-in as if it had failed, before it is tried; raises TooMany.

    `account` is what was typed, whether or not there is such an account. What comes
    back is for `give_back`, should it succeed.
    """
    return [
        spend(SIGN_INS_OF_ACCOUNT, f"{account} {address}"),
        spend(SIGN_INS_OF_ADDRESS, address),
    ]


def forgive_sign_ins(*, account: str, address: str) -> None:
    """Forget wrong passwords: whoever chose a new one by mail need not wait."""
    subject = _hashed(SIGN_INS_OF_ACCOUNT, f"{account} {address}")
    Limit.objects.filter(scope=SIGN_INS_OF_ACCOUNT.scope, subject=subject).delete()


def spend(rule: Rule, subject: str) -> Limit:
    """Count one act of `subject`; raises TooMany if it has nothing left.

    Of any number at once exactly as many pass as are left: one statement decides.
    """
    now = timezone.now()
    counter = Limit(
        scope=rule.scope,
        subject=_hashed(rule, subject),
        began_at=now - (now - EPOCH) % rule.window,
        remaining=rule.most - 1,
    )
    with connection.cursor() as cursor:
        began = connection.ops.adapt_datetimefield_value(counter.began_at)
        row = [counter.scope, counter.subject, began, counter.remaining]
        cursor.execute(SPEND, row)
        if cursor.rowcount == 1:
            return counter
    logger.warning("Limit reached: %s %s", counter.scope, counter.subject)
    ends = counter.began_at + rule.window
    raise TooMany(math.ceil((ends - now).total_seconds()))


def give_back(spent: list[Limit]) -> None:
    """Take back what was counted; it turned out to need no limit."""
    for counter in spent:
        row = Limit.objects.filter(
            began_at=counter.began_at, scope=counter.scope, subject=counter.subject
        )
        row.update(remaining=F("remaining") + 1)


def forget_old() -> int:
    """Delete the counters whose window is over; return how many there were."""
    old = Limit.objects.filter(began_at__lt=timezone.now() - KEEP)
    return old.delete()[0]


def _hashed(rule: Rule, subject: str) -> str:
    """A name for `subject` that leads back to nobody and fits to no other rule."""
    keyed = salted_hmac(f"{SALT} {rule.scope}", subject, algorithm="sha256")
    return keyed.hexdigest()[:32]


# --- Whose request ------------------------------------------------------------------


def address_of(request: HttpRequest) -> str:
    """Return where a request comes from, as far as the configured proxies tell.

    Each proxy adds the address it was called from at the right end of
    `X-Forwarded-For`; what stands further left than `PROXY_COUNT` is anybody's text.
    IPv6 is cut to its first 64 bits, which one household has to itself.
    """
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    direct: str = request.META.get("REMOTE_ADDR", "")
    if not 0 < settings.PROXY_COUNT <= len(forwarded):
        return _network(direct) or direct
    return _network(forwarded[-settings.PROXY_COUNT]) or _network(direct) or direct


def _network(text: str) -> str:
    """The address in `text`, which may have a port; empty if there is none."""
    for candidate in (text.strip(), _without_port(text.strip())):
        try:
            address = ip_address(candidate)
        except ValueError:
            continue
        if isinstance(address, IPv6Address):
            mapped = address.ipv4_mapped
            return str(mapped or IPv6Network((int(address), 64), strict=False))
        return str(address)
    return ""


def _without_port(text: str) -> str:
    try:
        return urlsplit(f"//{text}").hostname or ""
    except ValueError:
        return ""
