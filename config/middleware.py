"""What every answer carries, whoever made it: pages, JSON, static files, refusals."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Answer = Callable[[HttpRequest], HttpResponseBase]


def every_answer(get_response: Answer) -> Answer:
    """Add the headers for which Django has no setting, and those it may leave out.

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
        response = get_response(request)
        for name, value in headers.items():
            response.setdefault(name, value)
        return response

    return answer
