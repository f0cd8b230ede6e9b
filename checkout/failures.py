"""What is answered when something went wrong: as JSON to a script, else as a page."""

import sys
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from checkout import words
from config import logs

# A database that was restarted is back within seconds.
RETRY_AFTER_SECONDS = 5
# What is raised when the database cannot be reached, or has no connection left.
NO_DATABASE = (OperationalError, InterfaceError)
# Routes that answer in JSON whatever they were sent; `orders` only to a POST.
JSON_ROUTES = {"pay_order", "order_status", "stripe_webhook"}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what could not be read, in the form it was made."""
    if _speaks_json(request):
        return json_error(400, "bad_request", _("The request could not be read."))
    # Without the request: its host may be what is wrong.
    return HttpResponse(render_to_string("400.html"), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what went wrong with a reference by which the logs tell more.

    503 if it was the database: the same request may be made again.
    """
    status, code = 500, "server_error"
    message = words.page_texts()["server_error"]
    if isinstance(sys.exception(), NO_DATABASE):
        status, code = 503, "shop_unavailable"
        message = _(
            "The shop cannot answer at the moment. What you chose is kept, and nothing "
            "is paid twice. Please try again in a moment."
        )
    if _speaks_json(request):
        response: HttpResponse = json_error(status, code, message)
    else:
        # Without the request: whoever it is from may be what could not be found out.
        page = render_to_string("500.html", {"reference": logs.request_id.get()})
        response = HttpResponse(page, status=status)
    if status == 503:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a request whose CSRF token does not fit, in the form it was made."""
    message = _("This page is out of date. Please reload it.")
    if _speaks_json(request):
        return json_error(403, "csrf_failed", message)
    return render(request, "403.html", {"message": message}, status=403)


def _speaks_json(request: HttpRequest) -> bool:
    """Whether JSON was sent, or whatever was sent is answered in JSON."""
    route = request.resolver_match.url_name if request.resolver_match else ""
    return (
        request.content_type == "application/json"
        or route in JSON_ROUTES
        or (route == "orders" and request.method == "POST")
    )


def json_error(status: int, code: str, message: str, **more: Any) -> JsonResponse:
    """Return `{"error": {"code", "message", …}}`; of a 5xx with its reference."""
    if status >= 500:
        more["reference"] = logs.request_id.get()
    return JsonResponse(
        {"error": {"code": code, "message": message, **more}}, status=status
    )
