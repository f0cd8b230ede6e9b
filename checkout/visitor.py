"""The signed cookie that knows a browser: who it is and which checkout it is in.

No database row belongs to it. Both values are random; the checkout is spent by a paid
order and then renewed, the visitor stays.
"""

import secrets
from dataclasses import dataclass, replace

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

MAX_AGE_SECONDS = 365 * 24 * 60 * 60
SALT = "checkout.visitor"


@dataclass(frozen=True)
class Visitor:
    """One browser: `id` owns its orders, `checkout` may become one order."""

    id: str
    checkout: str

    def with_new_checkout(self) -> "Visitor":
        return replace(self, checkout=_random())


def new() -> Visitor:
    """Return a browser that has not been here before."""
    return Visitor(id=_random(), checkout=_random())


def of(request: HttpRequest) -> Visitor | None:
    """Return the browser that sent `request`, or None if its cookie is not ours."""
    try:
        visitor_id, checkout = signing.loads(
            request.COOKIES.get(cookie_name(), ""), salt=SALT, max_age=MAX_AGE_SECONDS
        )
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Visitor(visitor_id, checkout)


def remember(response: HttpResponse, visitor: Visitor) -> None:
    """Set the cookie of `visitor`."""
    response.set_cookie(
        cookie_name(),
        signing.dumps([visitor.id, visitor.checkout], salt=SALT),
        max_age=MAX_AGE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def cookie_name(name: str = "visitor") -> str:
    """Return a cookie's full name; `__Host-` ties it to this host over HTTPS."""
    return f"__Host-{name}" if settings.SESSION_COOKIE_SECURE else name


def _random() -> str:
    return secrets.token_urlsafe(16)
