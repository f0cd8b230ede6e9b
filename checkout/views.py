"""The shop's pages and the JSON the payment form speaks with.

A page shows state, it never sets it: what makes an order paid is in `payments`.
"""

import logging
from datetime import timedelta
from threading import Event
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from checkout import cart, gateway, limits, money, payments, visitor, words
from checkout.failures import json_error
from checkout.forms import OrderRequest
from checkout.models import Order, Product, User
from checkout.policy import payment_page

logger = logging.getLogger(__name__)

# A status poll must not wait for Stripe as long as a payment may.
STATUS_DEADLINE_SECONDS = 5.0
# How long an order's page knows that the shopper is just back from the bank.
RETURNED_SECONDS = 60
# A contact is good for so long after it was asked for; a year at most, says the RFC.
CONTACT_LASTS = timedelta(days=180)


# --- Pages --------------------------------------------------------------------------


@never_cache
@payment_page
@require_safe
def shop(request: HttpRequest) -> HttpResponse:
    """Show products, the payment form and what this shopper has ordered.

    The form has a CSRF token, so the page sets its cookie.
    """
    here = visitor.of(request) or visitor.new()
    user = _user(request)
    orders = Order.around(here.checkout, user=user, visitor=here.id, **words.AFTERMATH)
    mine = [order for order in orders if order.belongs_to(user, visitor=here.id)]
    unfinished = [order for order in mine if order.status in Order.UNFINISHED]
    if any(order.checkout == here.checkout and order.is_spent for order in orders):
        here = here.with_new_checkout()
    context = {
        "products": Product.objects.on_sale(),
        # The form itself is about the unpaid order of this checkout.
        "orders": [
            order
            for order in mine
            if order.is_spent or (order.is_unpaid and order.checkout != here.checkout)
        ],
        "unfinished": unfinished,
        "checkout": here.checkout,
        **_payment_settings(),
    }
    response = render(request, "checkout/shop.html", context)
    visitor.remember(response, here)
    return response


@never_cache
@ensure_csrf_cookie
@payment_page
@require_safe
def order(request: HttpRequest, token: str) -> HttpResponse:
    """Show one order to whoever holds its link; also Stripe's `return_url`."""
    with_lines = Order.objects.prefetch_related("lines")
    found = get_object_or_404(words.with_aftermath(with_lines), token=token)
    if request.GET:
        # Stripe appends the client secret: it must not stay in the address.
        return _remember_return(redirect(found), found)
    here = visitor.of(request)
    context = {
        "order": found,
        # Signing up takes along the orders of the browser that placed them.
        "may_be_kept": here and found.belongs_to(None, visitor=here.id),
        "has_returned": request.COOKIES.get(_returned()) == found.number,
        **_payment_settings(),
    }
    response = render(request, "checkout/order.html", context)
    if context["has_returned"]:
        response.delete_cookie(_returned(), samesite="Lax")
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def all_orders(request: HttpRequest) -> HttpResponse:
    """List this browser's orders, or place one: the two meanings of `/orders/`."""
    return place_order(request) if request.method == "POST" else orders(request)


@never_cache
@require_safe
def orders(request: HttpRequest) -> HttpResponse:
    """Show this shopper's orders, newest first."""
    here = visitor.of(request)
    mine = Order.objects.of(_user(request), visitor=here.id if here else "")
    orders = words.with_aftermath(mine).prefetch_related("lines")[:50]
    return render(request, "checkout/orders.html", {"orders": orders})


# --- JSON ---------------------------------------------------------------------------

# What may keep a payment from being started, told apart in `_refusal`; beside them
# Stripe may not answer.
REFUSALS = (
    cart.InvalidCart,
    cart.PriceChanged,
    payments.AlreadyPaid,
    payments.OrderClosed,
    payments.DeclinedTooOften,
    payments.PaymentRefused,
    limits.TooMany,
)


@never_cache
@require_POST
def place_order(request: HttpRequest) -> JsonResponse:
    """Place the order of this checkout, or find it again, and start its payment."""
    here = visitor.of(request) or visitor.new()
    try:
        wish = OrderRequest.from_json(_body(request), checkout=here.checkout)
        buyer = _buyer(request, here, wish)
        found = payments.find(buyer)
        priced = cart.price(wish.quantities)
        if (priced.amount, priced.currency) != (wish.amount, wish.currency):
            raise cart.PriceChanged(priced)
        with gateway.deadline(gateway.DEADLINE_SECONDS):
            started = payments.pay(priced, buyer, found)
    except REFUSALS as refusal:
        response = _refusal(refusal)
    except gateway.StripeError:
        response = _unavailable(Order.holding(wish.checkout))
    else:
        response = _started(started)
    visitor.remember(response, here)
    return response


@never_cache
@require_POST
def pay_order(request: HttpRequest, token: str) -> JsonResponse:
    """Start the payment of an unpaid order from its own page."""
    # Nothing in it is needed, but too long is too long.
    _body(request)
    found = get_object_or_404(Order, token=token)
    here = visitor.of(request)
    try:
        limits.repeat(
            visitor=here.id if here else "", address=limits.address_of(request)
        )
        with gateway.deadline(gateway.DEADLINE_SECONDS):
            started = payments.pay_again(found)
    except REFUSALS as refusal:
        return _refusal(refusal)
    except gateway.StripeError:
        found.refresh_from_db()
        return _unavailable(found)
    return _started(started)


@never_cache
@require_GET
def order_status(request: HttpRequest, token: str) -> JsonResponse:
    """Tell how far the order is; ask Stripe when its event is overdue."""
    found = get_object_or_404(words.with_aftermath(Order.objects.all()), token=token)
    try:
        with gateway.deadline(STATUS_DEADLINE_SECONDS):
            payments.look_up_when_overdue(found)
    except gateway.StripeError:
        logger.warning("Order %s could not be looked up", found.number)
    return JsonResponse({"order": _order_json(found)})


# --- Health -------------------------------------------------------------------------


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether the database answers, migrated; why it does not, the log says."""
    try:
        problem = "" if _is_migrated() else "not migrated"
    except DatabaseError as error:
        problem = type(error).__name__
    if problem:
        logger.warning("Not ready: %s", problem)
        return HttpResponse("not ready", status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")


def _is_migrated() -> bool:
    """Whether every migration was applied: read once, then only whether it answers."""
    if _once_migrated.is_set():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return True
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    _once_migrated.set()
    return True


_once_migrated = Event()


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Tell whom to tell of a weakness. Source: RFC 9116"""
    if not settings.SECURITY_CONTACT:
        raise Http404
    expires = (timezone.now() + CONTACT_LASTS).isoformat(timespec="seconds")
    languages = ", ".join(code for code, _name in settings.LANGUAGES)
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires}",
        f"Preferred-Languages: {languages}",
        f"Canonical: {request.build_absolute_uri()}",
    ]
    text = "".join(f"{line}\n" for line in lines)
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


# --- Inside -------------------------------------------------------------------------


def _payment_settings() -> dict[str, Any]:
    """What a payment form needs to know; none of it is secret."""
    return {
        "currency": settings.CURRENCY,
        "currency_exponent": money.exponent(settings.CURRENCY),
        "currency_decimals": money.decimals(settings.CURRENCY),
        "minimum_amount": money.minimum(settings.CURRENCY),
        "publishable_key": settings.STRIPE_PUBLISHABLE_KEY,
        "stripe_js_url": settings.STRIPE_JS_URL,
        "is_live": gateway.is_live(),
        "is_sandbox": gateway.is_sandbox(),
    }


def _remember_return(response: HttpResponse, order: Order) -> HttpResponse:
    """Let the order's page know that it is opened on the way back from the bank."""
    response.set_cookie(
        _returned(),
        order.number,
        max_age=RETURNED_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _returned() -> str:
    return visitor.cookie_name("returned")


def _body(request: HttpRequest) -> bytes:
    """The request's body; empty if it is a form, which the CSRF check has read."""
    try:
        return request.body
    except RawPostDataException:
        return b""


def _buyer(
    request: HttpRequest, here: visitor.Visitor, wish: OrderRequest
) -> payments.Buyer:
    return payments.Buyer(
        visitor=here.id,
        checkout=wish.checkout,
        email=wish.email,
        language=get_language() or settings.LANGUAGE_CODE,
        origin=request.build_absolute_uri("/")[:-1],
        address=limits.address_of(request),
        user=_user(request),
    )


def _user(request: HttpRequest) -> User | None:
    return request.user if request.user.is_authenticated else None


def _started(started: payments.StartedPayment) -> JsonResponse:
    answer: dict[str, Any] = {"order": _order_json(started.order)}
    if started.client_secret is not None:
        answer["client_secret"] = started.client_secret
    return JsonResponse(answer, status=201 if started.is_new else 200)


def _refusal(refusal: Exception) -> JsonResponse:
    match refusal:
        case cart.AmountTooSmall():
            return json_error(400, "amount_too_small", str(refusal))
        case cart.InvalidCart():
            more = {"field": refusal.field} if refusal.field else {}
            return json_error(400, "invalid_cart", str(refusal), **more)
        case cart.PriceChanged():
            return _price_changed(refusal.cart)
        case payments.AlreadyPaid():
            message = _("This order is already paid.")
            if not refusal.order.is_paid:
                message = _(
                    "Your bank is already processing the payment of order %(number)s. "
                    "You need to do nothing: we will e-mail you when it is done."
                ) % {"number": refusal.order.number}
            order = _order_json(refusal.order)
            return json_error(409, "already_paid", message, order=order)
        case payments.OrderClosed():
            message = _("This order was closed. Please order again in the shop.")
            return json_error(409, "order_closed", message)
        case payments.DeclinedTooOften():
            return json_error(409, "order_closed", words.describe(refusal.order))
        case payments.PaymentRefused():
            message = _("This order cannot be paid. You have not been charged.")
            return json_error(502, "payment_refused", message)
        case limits.TooMany():
            message = words.too_many(refusal.retry_after)
            response = json_error(429, "too_many_requests", message)
            response["Retry-After"] = str(refusal.retry_after)
            return response
    raise refusal


def _unavailable(order: Order | None) -> JsonResponse:
    """Say what is known of the order about which Stripe could not be asked.

    A client secret leaves only after its PaymentIntent's id was stored, and without one
    nobody can pay.
    """
    if order is not None and order.payment_intent_id is None:
        message = _(
            "The payment service does not answer. You have not been charged, "
            "and your order is kept. Please try again in a moment."
        )
    else:
        message = _(
            "The payment service does not answer. What you chose is kept, "
            "and nothing is paid twice. Please try again in a moment."
        )
    return json_error(503, "stripe_unavailable", message)


def _price_changed(priced: cart.Cart) -> JsonResponse:
    language = get_language() or settings.LANGUAGE_CODE
    lines = [
        {
            "product": line.product.slug,
            "name": line.product.name,
            "quantity": line.quantity,
            "unit_amount": line.product.unit_amount,
            "amount": line.amount,
        }
        for line in priced.lines
    ]
    total = money.display(priced.amount, priced.currency, language)
    return json_error(
        409,
        "price_changed",
        _("The total is now %(total)s. Please check and confirm.") % {"total": total},
        lines=lines,
        amount=priced.amount,
        currency=priced.currency,
    )


def _order_json(order: Order) -> dict[str, Any]:
    return {
        "number": order.number,
        "token": order.token,
        "url": order.get_absolute_url(),
        "status": order.status,
        "amount": order.amount,
        "currency": order.currency,
        "amount_refunded": order.amount_refunded,
        "paid_at": order.paid_at.isoformat() if order.paid_at else None,
        "closed_reason": order.closed_reason,
        "is_declined": order.is_unpaid and order.decline_code != "",
        "message": words.describe(order),
    }
