"""The webhook endpoint: verify what arrives and hand it to the inbox."""

import logging

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from checkout import gateway, inbox

MAX_BYTES = 1024 * 1024

logger = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Take one event from Stripe: verify it, record it, apply it.

    400 to what is not authentic; 413 to what is too long; 200 to what was applied,
    seen before or not ours; 500 to what could not be applied: remembered as failed,
    delivered again by Stripe.
    """
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > MAX_BYTES:
        logger.warning("Webhook refused: too long")
        return _answer(413, "Too long.")
    try:
        event = gateway.verify_event(
            request.body, request.headers.get("Stripe-Signature")
        )
    except gateway.NotAuthentic as refusal:
        logger.warning("Webhook refused: %s", refusal)
        return _answer(400, "Not authentic.")
    if not inbox.receive(event):
        return _answer(500, "Not applied; deliver it again.")
    return _answer(200, "")


def _answer(status: int, text: str) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain")
