"""What an operator does to an order besides refunding: close, check, send again.

Each is a form posted to an address of its own; what comes of it is Stripe's to say.
"""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from checkout import emails, gateway, payments
from checkout.admin.showing import log_act, page_context
from checkout.models import Mail, Order
from config import logs

NO_ANSWER = gettext_lazy(
    "Stripe gave no usable answer; nothing was changed here. Try again in a moment."
)

Act = Callable[[HttpRequest, Order], HttpResponse]
View = Callable[..., HttpResponse]


def on_order(permission: str) -> Callable[[Act], View]:
    """Hand the act its order, if this operator may do it; bound its calls to Stripe."""

    def decorate(act: Act) -> View:
        @wraps(act)
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            if not request.user.has_perm(f"checkout.{permission}"):
                raise PermissionDenied
            order = get_object_or_404(Order, pk=pk)
            with gateway.deadline(gateway.DEADLINE_SECONDS):
                return act(request, order)

        return view

    return decorate


def to_page(order: Order) -> HttpResponse:
    """Go back to the order."""
    return redirect("admin:checkout_order_change", order.pk)


def operator(request: HttpRequest) -> str:
    """Return the name under which history remembers who is signed in."""
    logs.actor.set(f"user {request.user.pk}")
    return request.user.get_username()[:100]


@on_order("change_order")
def close(request: HttpRequest, order: Order) -> HttpResponse:
    """Ask once more, then close an unpaid order: at Stripe first."""
    if order.status != Order.Status.PENDING:
        messages.error(request, _("Only an order that waits for payment is closed."))
        return to_page(order)
    if request.method != "POST":
        context = page_context(request, order=order, title=_("Close this order?"))
        return render(request, "admin/checkout/order/close.html", context)
    reason = Order.ClosedReason.OPERATOR
    try:
        payments.close(order, reason=reason, source=operator(request))
    except gateway.StripeError:
        messages.error(request, str(NO_ANSWER))
        return to_page(order)
    order.refresh_from_db()
    _tell_what_closing_did(request, order)
    log_act(request, order, f"Asked to close it: {order.status}.")
    return to_page(order)


def _tell_what_closing_did(request: HttpRequest, order: Order) -> None:
    match order.status:
        case Order.Status.CANCELED:
            messages.success(request, _("Closed. Nobody can pay this order any more."))
        case Order.Status.PAID:
            messages.warning(
                request, _("Not closed: it was paid meanwhile, and is settled now.")
            )
        case Order.Status.PROCESSING:
            messages.warning(
                request, _("Not closed: the bank is processing a payment of it.")
            )
        case _:
            messages.error(
                request, _("Not closed: its payment was being started. Try again.")
            )


@require_POST
@on_order("change_order")
def check(request: HttpRequest, order: Order) -> HttpResponse:
    """Ask Stripe how the payment is now, and settle the order by the answer."""
    before = (order.status, order.amount_refunded)
    try:
        payments.look_up(order, source=operator(request))
    except gateway.StripeError:
        messages.error(request, str(NO_ANSWER))
        return to_page(order)
    order.refresh_from_db()
    if (order.status, order.amount_refunded) == before:
        messages.info(request, _("Stripe was asked: nothing has changed."))
    else:
        state = order.get_status_display()
        messages.success(
            request,
            _("Stripe was asked. The order is now: %(state)s.") % {"state": state},
        )
    log_act(request, order, f"Checked with Stripe: {order.status}.")
    return to_page(order)


@require_POST
@on_order("change_order")
def resend(request: HttpRequest, order: Order) -> HttpResponse:
    """Send the confirmation of a paid order once more."""
    if not order.is_paid:
        messages.error(request, _("Only a paid order has a confirmation."))
        return to_page(order)
    with transaction.atomic():
        about = f"{order.number} {timezone.now().isoformat()}"
        emails.queue(Mail.Kind.CONFIRMATION, order, about=about)
        log_act(request, order, "Sent the confirmation again.")
    messages.success(
        request, _("The confirmation goes to %(email)s again.") % {"email": order.email}
    )
    return to_page(order)
