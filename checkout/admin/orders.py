"""Orders: the list, and all there is to know about one."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from checkout import refunds, timeline, words
from checkout.admin import acts, export, refunding, search
from checkout.admin.showing import (
    ReadOnly,
    moment,
    money_text,
    order_badges,
    state_badges,
    stripe_address,
)
from checkout.models import Dispute, Order


@admin.register(Order)
class OrderAdmin(ReadOnly):
    list_display = [
        "order_number", "placed", "state", "total", "refunded", "shopper", "paid_with",
        "badges",
    ]  # fmt: skip
    list_filter = [
        search.StatusFilter,
        search.AttentionFilter,
        search.DisputeFilter,
        search.RefundFilter,
        ("placed_at", search.PeriodFilter),
        search.ModeFilter,
    ]
    search_fields = ["number"]
    search_help_text = _(
        "Number, e-mail, last four digits, or an id at Stripe: pi_, ch_, evt_, re_, dp_"
    )
    fields = ["number"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        orders: QuerySet[Order] = super().get_queryset(request)
        return orders.annotate(
            has_attention=search.OPEN_ATTENTION,
            is_disputed=search.OPEN_DISPUTE,
            charged_back=search.CHARGED_BACK,
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        found = search.find(queryset, search_term) if search_term.strip() else queryset
        return found, False

    def get_urls(self) -> list[URLPattern]:
        def one(act: Any, name: str) -> URLPattern:
            view = self.admin_site.admin_view(act)
            found: URLPattern = path(
                f"<int:pk>/{name}/",
                view,
                name=f"checkout_order_{name.replace('/', '_')}",
            )
            return found

        own = [
            path(
                "export/",
                self.admin_site.admin_view(self.export),
                name="checkout_order_export",
            ),
            one(refunding.refund, "refund"),
            one(refunding.refund_review, "refund/review"),
            one(acts.close, "close"),
            one(acts.check, "check"),
            one(acts.resend, "resend"),
        ]
        urls: list[URLPattern] = super().get_urls()
        return own + urls

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Send the list as it is filtered, as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            orders = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return redirect("admin:checkout_order_changelist")
        name = f"orders-{timezone.localdate().isoformat()}.csv"
        return StreamingHttpResponse(
            export.lines(orders),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def page(self, request: HttpRequest, order: Order) -> dict[str, Any]:
        return _page(request, order)

    # --- Columns ------------------------------------------------------------------

    @admin.display(description=_("Number"), ordering="number")
    def order_number(self, order: Order) -> str:
        return order.number

    @admin.display(description=_("Placed"), ordering="placed_at")
    def placed(self, order: Order) -> str:
        return moment(order.placed_at)

    @admin.display(description=_("State"), ordering="status")
    def state(self, order: Any) -> SafeString:
        return state_badges(order, charged_back=order.charged_back or 0)

    @admin.display(description=_("Total"), ordering="amount")
    def total(self, order: Order) -> str:
        return money_text(order.amount, order.currency)

    @admin.display(description=_("Refunded"), ordering="amount_refunded")
    def refunded(self, order: Order) -> str:
        if not order.amount_refunded:
            return ""
        return f"−{money_text(order.amount_refunded, order.currency)}"

    @admin.display(description=_("E-mail"), ordering="email")
    def shopper(self, order: Order) -> str:
        return order.email

    @admin.display(description=_("Paid with"))
    def paid_with(self, order: Order) -> str:
        return words.method(order)

    @admin.display(description=_("Marks"))
    def badges(self, order: Any) -> SafeString:
        return order_badges(
            order, attention=order.has_attention, disputed=order.is_disputed
        )


def _page(request: HttpRequest, order: Order) -> dict[str, Any]:
    """What the page of one order shows; each kind of row by one query."""
    asked = list(order.refunds.all())
    disputes = list(order.disputes.all())
    lost = [dispute.amount for dispute in disputes if dispute.status == Dispute.LOST]
    user = request.user
    may_change = user.has_perm("checkout.change_order")
    left = refunds.left(order)
    entries = timeline.of(order)
    return {
        "order": order,
        "state": state_badges(order, charged_back=sum(lost)),
        "lines": list(order.lines.all()),
        "refunds": asked,
        "disputes": disputes,
        "attention": list(order.attention.all()),
        "mails": list(order.mails.all()),
        "timeline": [entry for entry in entries if not entry.is_unused],
        "unused": [entry for entry in entries if entry.is_unused],
        "left": left,
        "amounts_fit": order.amount_received == order.amount,
        "payment_at_stripe": stripe_address(
            "payments", order.payment_intent_id or "", livemode=order.livemode
        ),
        "may_refund": user.has_perm("checkout.refund_order") and order.is_paid,
        "refund_blocked": refunding.why_not(order),
        "may_close": may_change and order.status == Order.Status.PENDING,
        "may_check": may_change and bool(order.payment_intent_id),
        "may_resend": may_change and order.is_paid,
        "subtitle": None,
    }
