"""What the shop is measured against: bare views on its own server, in its own tables.

Each does the least that could be called the same work, as Django's and Stripe's
documentation show it, behind the same middleware.
"""

import json

import stripe
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from checkout import gateway
from checkout.models import Order, Shop, StripeEvent
from config.urls import urlpatterns as of_the_shop


@csrf_exempt
def webhook(request: HttpRequest) -> HttpResponse:
    """Verify the signature, commit one INSERT."""
    event = stripe.Webhook.construct_event(
        request.body,
        request.headers["Stripe-Signature"],
        settings.STRIPE_WEBHOOK_SECRETS[0],
    )
    StripeEvent.objects.create(
        id=event.id,
        type=event.type,
        created=timezone.now(),
        livemode=event.livemode,
        payload=json.loads(request.body),
    )
    return HttpResponse()


@csrf_exempt
def place(request: HttpRequest) -> HttpResponse:
    """Commit one INSERT, create the PaymentIntent, commit one UPDATE."""
    wish = json.loads(request.body)
    order = Order.objects.create(
        visitor="nobody",
        email=wish["email"],
        currency=wish["currency"],
        amount=wish["amount"],
        livemode=False,
    )
    intent = gateway.create_payment_intent(
        amount=order.amount,
        currency=order.currency,
        shop=Shop.current_reference(),
        order=order.number,
    )
    Order.objects.filter(pk=order.pk).update(payment_intent_id=intent.id)
    return JsonResponse({"client_secret": intent.client_secret}, status=201)


def status(request: HttpRequest, token: str) -> HttpResponse:
    """One SELECT."""
    return JsonResponse({"status": Order.objects.get(token=token).status})


urlpatterns = [
    path("bare/webhook/", webhook),
    path("bare/orders/", place),
    path("bare/orders/<token>/status/", status),
    *of_the_shop,
]
