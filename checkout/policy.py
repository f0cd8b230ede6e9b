"""What a page with a payment form may load beyond the shop's own files.

Every other page keeps the policy of the settings. Source of Stripe's hosts:
https://docs.stripe.com/security/guide#content-security-policy
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from checkout import gateway

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

STRIPE_HOSTS = {
    "script-src": ["https://js.stripe.com", "https://*.js.stripe.com"],
    "frame-src": [
        "https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com",
        "https://link.com", "https://*.link.com",
    ],
    "connect-src": [
        "https://api.stripe.com", "https://link.com", "https://*.link.com",
    ],
    "img-src": ["https://*.stripe.com", "https://*.link.com"],
}  # fmt: skip


def payment_page(view: View[P]) -> View[P]:
    """Let the page load Stripe.js and its frames, and open a wallet's window."""

    @wraps(view)
    def with_stripe(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        hosts = _hosts()
        frames = {"frame-src": hosts.pop("frame-src")}
        allowed = csp_replace(frames)(csp_update(hosts)(view))
        response = allowed(request, *args, **kwargs)
        response["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"
        response["Permissions-Policy"] = settings.PERMISSIONS_POLICY.replace(
            "payment=()", f'payment=(self "{_frame()}")'
        )
        return response

    return with_stripe


def _frame() -> str:
    """Where the frame comes from that may ask for a wallet."""
    if not gateway.is_sandbox():
        return "https://js.stripe.com"
    return _hosts()["frame-src"][0]


def _hosts() -> dict[str, list[str]]:
    if not gateway.is_sandbox():
        return dict(STRIPE_HOSTS)
    script = urlsplit(settings.STRIPE_JS_URL)
    here = f"{script.scheme}://{script.netloc}"
    # The sandbox serves its frames from another site than the shop's 127.0.0.1.
    frames = here.replace("127.0.0.1", "localhost")
    return {"script-src": [here], "frame-src": [frames], "connect-src": [here]}
