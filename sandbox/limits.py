"""Rate limits, when a test asks for them. https://docs.stripe.com/rate-limits"""

import time
from collections import deque

from sandbox.accounts import Account
from sandbox.errors import ApiError

# Requests per second: in test mode, in live mode.
OF_THE_ACCOUNT = (25, 100)
OF_AN_ENDPOINT = (25, 25)
OF_SEARCH = (20, 20)
UPDATES_OF_ONE_INTENT_PER_HOUR = 1000


class Limits:
    """Counts requests per window; refuses nothing until switched on."""

    def __init__(self) -> None:
        self.on = False
        self._calls: dict[str, deque[float]] = {}

    def check(self, account: Account, operation: str, path: str) -> None:
        if not self.on:
            return
        mode = int(account.livemode)
        search = operation.endswith(".search")
        per_endpoint = (OF_SEARCH if search else OF_AN_ENDPOINT)[mode]
        self._count(f"{mode}", OF_THE_ACCOUNT[mode], 1, "global-rate")
        self._count(f"{mode} {operation}", per_endpoint, 1, "endpoint-rate")
        if operation == "payment_intents.update":
            most = UPDATES_OF_ONE_INTENT_PER_HOUR
            self._count(f"{mode} {path}", most, 3600, "resource-specific")

    def _count(self, name: str, most: int, window: float, reason: str) -> None:
        now = time.monotonic()
        calls = self._calls.setdefault(name, deque())
        while calls and calls[0] <= now - window:
            calls.popleft()
        if len(calls) >= most:
            raise ApiError(
                429,
                "invalid_request_error",
                "Request rate limit exceeded. You can learn more about rate limits"
                " here https://stripe.com/docs/rate-limits.",
                code="rate_limit",
                stored=False,
                headers={"Stripe-Rate-Limited-Reason": reason},
            )
        calls.append(now)
