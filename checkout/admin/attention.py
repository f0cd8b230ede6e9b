"""What a person must look at: what, why, since when, and what to do."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from checkout import attention
from checkout.admin.acts import operator
from checkout.admin.search import KindFilter
from checkout.admin.showing import (
    ReadOnly,
    badge,
    in_words,
    log_act,
    moment,
    stripe_address,
)
from checkout.models import Attention, Dispute

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

Kind = Attention.Kind

ADVICE: dict[str, "StrPromise"] = {
    Kind.PAYMENT_MISMATCH: gettext_lazy(
        "The money is at Stripe, the order is not paid. Compare both. If the payment "
        "should not stand, refund it at Stripe; if it should, deliver by hand and "
        "tell the shopper."
    ),
    Kind.MONEY_WITHOUT_ORDER: gettext_lazy(
        "Somebody paid for an order this shop does not have, perhaps after a "
        "restored backup. Find the shopper at Stripe; refund it there or deliver."
    ),
    Kind.LATE_PAYMENT: gettext_lazy(
        "The order was closed and then paid. It counts as paid. Deliver it, or "
        "refund it in full; look whether the shopper bought the same again."
    ),
    Kind.NOT_CAPTURED: gettext_lazy(
        "The amount is only reserved. Capture or cancel it at Stripe; it lapses "
        "after seven days."
    ),
    Kind.PAYMENT_INTENT_MISSING: gettext_lazy(
        "This key cannot see the order’s PaymentIntent: another account, another "
        "mode or the sandbox. Run “manage.py doctor” and check the keys."
    ),
    Kind.REFUND_FAILED: gettext_lazy(
        "The bank did not take the money back; it is on your balance again. Ask the "
        "shopper for another way to pay it out."
    ),
    Kind.REFUND_EXCESS: gettext_lazy(
        "More was refunded than was received. Compare the refunds at Stripe and ask "
        "its support."
    ),
    Kind.DISPUTE: gettext_lazy(
        "Answer with evidence at Stripe before the deadline, or accept it there. Do "
        "not refund: the bank takes the money itself."
    ),
    Kind.STUCK: gettext_lazy(
        "The bank has not decided for two weeks. Look at the payment at Stripe and "
        "ask its support."
    ),
    Kind.EARLY_FRAUD_WARNING: gettext_lazy(
        "The card’s bank expects fraud. A refund now usually avoids a dispute and "
        "its fee; do not deliver before you decided."
    ),
}


class OpenFilter(admin.SimpleListFilter):
    """Open items, unless somebody asks for more."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("resolved", gettext_lazy("Resolved")), ("all", gettext_lazy("All"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": gettext_lazy("Open")}
        yield from others

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Attention]
    ) -> QuerySet[Attention]:
        if self.value() == "all":
            return queryset
        return queryset.filter(resolved_at__isnull=self.value() != "resolved")


class ResolveForm(forms.Form):
    """What was done about it."""

    note = forms.CharField(max_length=300)


@admin.register(Attention)
class AttentionAdmin(ReadOnly):
    list_display = [
        "what",
        "since",
        "about",
        "is_expected",
        "was_received",
        "state",
    ]
    list_select_related = ["order"]
    list_filter = [OpenFilter, ("kind", KindFilter)]
    search_fields = ["subject", "order__number"]
    fields = ["kind"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attention]:
        return with_deadline(super().get_queryset(request))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(resolve)
        own = [path("<int:pk>/resolve/", view, name="checkout_attention_resolve")]
        urls: list[URLPattern] = super().get_urls()
        return own + urls

    def page(self, request: HttpRequest, item: Attention) -> dict[str, Any]:
        return _page(request, item)

    @admin.display(description=gettext_lazy("What"), ordering="kind")
    def what(self, item: Attention) -> str:
        return item.get_kind_display()

    @admin.display(description=gettext_lazy("Since"), ordering="opened_at")
    def since(self, item: Attention) -> str:
        return moment(item.opened_at)

    @admin.display(description=gettext_lazy("Order"), ordering="order")
    def about(self, item: Attention) -> str:
        return item.order.number if item.order else ""

    @admin.display(description=gettext_lazy("Expected"))
    def is_expected(self, item: Attention) -> str:
        return in_words(item.expected)

    @admin.display(description=gettext_lazy("Received"))
    def was_received(self, item: Attention) -> str:
        return in_words(item.received)

    @admin.display(description=gettext_lazy("State"))
    def state(self, item: Attention) -> SafeString:
        if item.is_open:
            return badge(_("open"), "problem")
        return badge(_("resolved"), "paid")


def with_deadline(items: QuerySet[Attention]) -> QuerySet[Attention]:
    """Let each item know until when its dispute can be answered, as `due_by`."""
    disputes = Dispute.objects.filter(stripe_id=OuterRef("subject"))
    return items.annotate(due_by=Subquery(disputes.values("due_by")[:1]))


def _page(request: HttpRequest, item: Attention) -> dict[str, Any]:
    user = request.user
    order = item.order
    is_warning = item.kind == Kind.EARLY_FRAUD_WARNING
    return {
        "item": item,
        "order": order,
        "expected": in_words(item.expected),
        "received": in_words(item.received),
        "advice": ADVICE.get(item.kind, ""),
        "at_stripe": _at_stripe(item),
        "may_refund": is_warning
        and order is not None
        and order.is_paid
        and user.has_perm("checkout.refund_order"),
        "may_resolve": item.is_open and user.has_perm("checkout.change_attention"),
        "note_length": 300,
        "title": item.get_kind_display(),
        "subtitle": None,
    }


def _at_stripe(item: Attention) -> str:
    intent = item.subject if item.subject.startswith("pi_") else ""
    if item.order is not None:
        intent = intent or item.order.payment_intent_id or ""
    livemode = item.order is None or item.order.livemode
    return stripe_address("payments", intent, livemode=livemode)


@require_POST
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    """Close an item with a note of what was done."""
    if not request.user.has_perm("checkout.change_attention"):
        raise PermissionDenied
    item = get_object_or_404(Attention, pk=pk)
    form = ResolveForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Write in a few words what was done."))
        return redirect("admin:checkout_attention_change", pk)
    note = form.cleaned_data["note"]
    if attention.resolve(item, note=note, by=operator(request)):
        log_act(request, item, f"Resolved: {note}")
        messages.success(request, _("Resolved."))
    else:
        messages.info(request, _("It was resolved already."))
    return redirect("admin:index")
