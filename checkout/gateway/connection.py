"""One client, one deadline for all a request does at Stripe, errors in our words."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import urlsplit

import requests
import stripe
from django.conf import settings

from checkout.gateway.errors import (
    KeyRejected,
    KeySpent,
    NotPermitted,
    Refused,
    StripeError,
    Unavailable,
    UnexpectedState,
)

API_VERSION = "2026-10-28.endive"
# A shopper hears from the shop within 15 s, whatever Stripe does.
DEADLINE_SECONDS = 14.0
CONNECT_SECONDS = 3.0
TRIES = 2

logger = logging.getLogger(__name__)
stripe.enable_telemetry = False


def is_live() -> bool:
    """Whether the secret key moves real money."""
    return settings.STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))


def is_sandbox() -> bool:
    """Whether the sandbox stands in for Stripe."""
    return urlsplit(settings.STRIPE_API_BASE).hostname != "api.stripe.com"


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Bound all calls to Stripe inside the block, with their retries, by `seconds`."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


# How often the call at hand was sent.
_tries: ContextVar[int] = ContextVar("tries", default=0)


class _Transport(stripe.RequestsClient):
    """The library's own HTTP client, but no request outlives the deadline.

    Nor do more than some of the process's threads wait at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self._places = BoundedSemaphore(settings.MOST_WAITING_FOR_STRIPE)

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        **usage: Any,
    ) -> tuple[Any, int, Mapping[str, str]]:
        end = _deadline.get()
        _tries.set(_tries.get() + 1)
        remaining = DEADLINE_SECONDS if end is None else end - time.monotonic()
        if remaining <= 0.05:
            raise _no_answer("out of time", should_retry=False)
        if not self._places.acquire(blocking=False):
            raise _no_answer("too many wait already", should_retry=False)
        try:
            return self._answer(method, url, headers, post_data, remaining)
        finally:
            self._places.release()

    def _answer(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any,
        remaining: float,
    ) -> tuple[Any, int, Mapping[str, str]]:
        connect = min(CONNECT_SECONDS, remaining / 2)
        try:
            answer = self._requests_session().request(
                method,
                url,
                headers=headers,
                data=post_data,
                timeout=(connect, remaining - connect),
                verify=stripe.ca_bundle_path,
            )
        except (requests.ConnectionError, requests.Timeout) as error:
            raise _no_answer(type(error).__name__, should_retry=True) from error
        except requests.RequestException as error:
            raise _no_answer(type(error).__name__, should_retry=False) from error
        return answer.content, answer.status_code, answer.headers

    def _requests_session(self) -> requests.Session:
        if getattr(self._thread_local, "session", None) is None:
            self._thread_local.session = requests.Session()
            # A proxy the environment names, looked up once instead of for each call.
            proxies = requests.utils.get_environ_proxies(settings.STRIPE_API_BASE)
            self._thread_local.session.proxies = proxies
            self._thread_local.session.trust_env = False
        session: requests.Session = self._thread_local.session
        return session


def _no_answer(why: str, *, should_retry: bool) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(why, should_retry=should_retry)  # type: ignore[no-untyped-call]


def client() -> stripe.StripeClient:
    return _client_for(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)


@lru_cache(maxsize=4)
def _client_for(secret_key: str, api_base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        secret_key,
        stripe_version=API_VERSION,
        base_addresses={"api": api_base},
        max_network_retries=TRIES - 1,
        http_client=_Transport(),
    )


@contextmanager
def translated_errors(call: str) -> Iterator[None]:
    """Turn the library's errors into ours and log each once, without its body."""
    _tries.set(0)
    try:
        yield
    except stripe.StripeError as error:
        code = (error.error.code if error.error else None) or error.code or ""
        logger.warning(
            "Stripe call failed: %s %s status=%s code=%s request=%s tries=%s",
            call, type(error).__name__, error.http_status, code, error.request_id,
            _tries.get(), extra={"stripe_request": error.request_id},
        )  # fmt: skip
        message = f"{call}: {type(error).__name__} {code}".strip()
        raise _error_class(error, code)(message, code=code) from error


def _error_class(error: stripe.StripeError, code: str) -> type[StripeError]:
    if code == "payment_intent_unexpected_state":
        return UnexpectedState
    if isinstance(error, stripe.AuthenticationError):
        return KeyRejected
    if isinstance(error, stripe.PermissionError):
        return NotPermitted
    if isinstance(error, stripe.IdempotencyError):
        return KeySpent
    if isinstance(error, (stripe.InvalidRequestError, stripe.CardError)):
        return Refused
    # A stored 500: this key will say nothing else for a day.
    if (error.http_status or 0) >= 500 and _says_replayed(error.headers or {}):
        return KeySpent
    return Unavailable


def is_replayed(response: Any) -> bool:
    return _says_replayed(response.headers if response else {})


def _says_replayed(headers: Mapping[str, str]) -> bool:
    """Whether Stripe answered from memory: a snapshot that may be out of date."""
    lowered = {name.lower(): value for name, value in headers.items()}
    return lowered.get("idempotent-replayed") == "true"
