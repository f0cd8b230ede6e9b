"""What every answer carries, whoever made it: pages, JSON, static files, refusals."""

import re
import secrets
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from config import logs

Answer = Callable[[HttpRequest], HttpResponseBase]

GIVEN_ID = re.compile(r"[-A-Za-z0-9]{8,64}")


def every_answer(get_response: Answer) -> Answer:
    """Name the request, for its log lines and whoever asks about it; add headers.

    The headers are those for which Django has no setting, and those it may leave out.
    A view may say otherwise: a page with a payment form does.
    """
    headers = {
        # Only static files say how long they are good.
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": settings.PERMISSIONS_POLICY,
        # Django's own middleware has them too, but not on what it refuses itself.
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "X-Content-Type-Options": "nosniff",
    }

    def answer(request: HttpRequest) -> HttpResponseBase:
        logs.request_id.set(_request_id(request))
        logs.actor.set("")
        response = get_response(request)
        response["X-Request-ID"] = logs.request_id.get()
        for name, value in headers.items():
            response.setdefault(name, value)
        return response

    return answer


def _request_id(request: HttpRequest) -> str:
    """Return the id a proxy of ours gave, else a new one."""
    given = request.headers.get("X-Request-ID", "")
    if settings.PROXY_COUNT and GIVEN_ID.fullmatch(given):
        return given
    return secrets.token_hex(8)
