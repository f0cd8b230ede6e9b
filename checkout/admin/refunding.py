"""Put money back: how much and why, a second look, then what came of it."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from checkout import money, refunds
from checkout.admin.acts import on_order, operator, to_page
from checkout.admin.showing import log_act, money_text, page_context
from checkout.forms import AmountField
from checkout.models import Order, Refund, new_number

# How long the second look may take.
SECONDS = 3600
SALT = "refund"


class RefundForm(forms.Form):
    """How much of an order, as people write it, and why."""

    amount = AmountField(label=gettext_lazy("Amount"), localize=True)
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"), choices=Refund.Reason.choices
    )

    def __init__(self, order: Order, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = order

    def clean_amount(self) -> int:
        """Return the amount in smallest units, unless it cannot be refunded."""
        typed: Decimal = self.cleaned_data["amount"]
        currency = self.order.currency
        try:
            amount = money.from_decimal(typed, currency)
        except ValueError as error:
            raise forms.ValidationError(
                _("%(currency)s has no such small part.")
                % {"currency": currency.upper()}
            ) from error
        if amount <= 0:
            raise forms.ValidationError(_("Enter an amount above zero."))
        try:
            refunds.require_refundable(self.order, amount)
        except refunds.NotRefundable as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        return amount


def why_not(order: Order) -> str:
    """Say why nothing of the order can be refunded now; empty when it can."""
    smallest = 1
    try:
        refunds.require_refundable(order, smallest)
    except refunds.NotRefundable as refusal:
        return str(refusal)
    return ""


@on_order("refund_order")
@require_safe
def refund(request: HttpRequest, order: Order) -> HttpResponse:
    """Ask how much and why; what can be refunded goes on to the second look.

    The form is fetched, not posted: the browser's Back finds each of these pages.
    """
    blocked = why_not(order)
    is_filled_in = "amount" in request.GET and not blocked
    form = RefundForm(
        order, request.GET if is_filled_in else None, initial=_proposal(request, order)
    )
    if is_filled_in and form.is_valid():
        wish = {"order": order.pk, "number": new_number(), **form.cleaned_data}
        query = urlencode({"looked_at": signing.dumps(wish, salt=SALT)})
        review = reverse("admin:checkout_order_refund_review", args=[order.pk])
        return redirect(f"{review}?{query}")
    context = page_context(
        request,
        title=_("Refund"),
        order=order,
        form=form,
        blocked=blocked,
        left=refunds.left(order),
    )
    return render(request, "admin/checkout/order/refund.html", context)


def _proposal(request: HttpRequest, order: Order) -> dict[str, Any]:
    return {
        "amount": money.to_decimal(refunds.left(order), order.currency),
        "reason": request.GET.get("reason", ""),
    }


@on_order("refund_order")
def refund_review(request: HttpRequest, order: Order) -> HttpResponse:
    """Show once more what is to be refunded; refund what was shown, once."""
    looked_at = (request.POST or request.GET).get("looked_at", "")
    try:
        wish = signing.loads(looked_at, salt=SALT, max_age=SECONDS)
    except signing.BadSignature:
        wish = {}
    if wish.get("order") != order.pk:
        messages.error(request, _("Nothing was refunded: the page was out of date."))
        return to_page(order)
    if request.method == "POST":
        return _carry_out(request, order, wish)
    if order.refunds.filter(number=wish["number"]).exists():
        messages.info(request, _("This refund has been asked for already."))
        return to_page(order)
    context = page_context(
        request,
        title=_("Refund: please look once more"),
        order=order,
        amount=wish["amount"],
        left_after=max(refunds.left(order) - wish["amount"], 0),
        reason=Refund.Reason(wish["reason"]).label,
        looked_at=looked_at,
    )
    return render(request, "admin/checkout/order/refund_review.html", context)


def _carry_out(
    request: HttpRequest, order: Order, wish: dict[str, Any]
) -> HttpResponse:
    try:
        asked = refunds.ask(
            order,
            wish["amount"],
            reason=wish["reason"],
            by=operator(request),
            number=wish["number"],
        )
    except refunds.NotRefundable as refusal:
        messages.error(request, f"{_('Nothing was refunded.')} {refusal}")
        return to_page(order)
    _tell(request, asked)
    log_act(request, order, f"Asked for refund {asked.number}: {asked.status}.")
    return to_page(order)


def _tell(request: HttpRequest, asked: Refund) -> None:
    amount = {"amount": money_text(asked.amount, asked.order.currency)}
    match asked.status:
        case Refund.Status.SUCCEEDED:
            messages.success(request, _("%(amount)s refunded.") % amount)
        case Refund.Status.FAILED | Refund.Status.CANCELED:
            messages.error(request, _("Stripe refused to refund %(amount)s.") % amount)
        case Refund.Status.ASKED:
            messages.warning(
                request,
                _("No answer from Stripe yet. The refund of %(amount)s is asked for "
                  "once and finished by itself.") % amount,
            )  # fmt: skip
        case _:
            messages.info(
                request, _("The refund of %(amount)s is on its way.") % amount
            )
