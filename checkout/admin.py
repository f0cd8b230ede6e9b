"""The operator's desk: shows everything and edits nothing about money.

The only price that can be typed is a product's; an order that was placed keeps its
own. Rows that money rests on cannot be added, changed or deleted here.
"""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from checkout import money
from checkout.forms import ProductForm
from checkout.models import (
    Attention,
    Dispute,
    Mail,
    Order,
    OrderHistory,
    OrderLine,
    Product,
    Refund,
    StripeEvent,
    User,
)

admin.site.site_header = admin.site.site_title = "Lamplight"
admin.site.index_title = _("The shop")


def _money(amount: int, currency: str) -> str:
    return money.display(amount, currency, get_language() or settings.LANGUAGE_CODE)


class ReadOnly:
    """Show, never add, change or delete."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OrderLineInline(ReadOnly, admin.TabularInline):
    model = OrderLine
    fields = ["name", "quantity", "price", "total"]
    readonly_fields = ["price", "total"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        lines: QuerySet[OrderLine] = super().get_queryset(request)
        return lines.select_related("order")

    @admin.display(description=_("Price"))
    def price(self, line: OrderLine) -> str:
        return _money(line.unit_amount, line.order.currency)

    @admin.display(description=_("Total"))
    def total(self, line: OrderLine) -> str:
        return _money(line.amount, line.order.currency)


class OrderHistoryInline(ReadOnly, admin.TabularInline):
    model = OrderHistory
    fields = ["at", "from_status", "to_status", "source", "note"]


class RefundInline(ReadOnly, admin.TabularInline):
    model = Refund
    fields = ["asked_at", "stripe_id", "amount", "status", "failure_reason", "source"]


class DisputeInline(ReadOnly, admin.TabularInline):
    model = Dispute
    fields = ["stripe_id", "amount", "reason", "status", "due_by"]


class MailInline(ReadOnly, admin.TabularInline):
    model = Mail
    fields = ["kind", "queued_at", "sent_at"]


@admin.register(Order)
class OrderAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["number", "placed_at", "status", "total", "email", "paid_with"]
    list_filter = ["status", "placed_at", "livemode"]
    search_fields = ["number", "email", "payment_intent_id", "charge_id"]
    date_hierarchy = "placed_at"
    inlines = [
        OrderLineInline,
        OrderHistoryInline,
        RefundInline,
        DisputeInline,
        MailInline,
    ]
    fieldsets = [
        (
            None,
            {"fields": ["number", "status", "closed_reason", "placed_at", "paid_at"]},
        ),
        (_("Money"), {"fields": ["total", "received", "refunded", "paid_with"]}),
        (
            _("At Stripe"),
            {"fields": ["payment_at_stripe", "charge_id", "decline_code", "livemode"]},
        ),
        (
            _("Shopper"),
            {"fields": ["email", "user", "language", "link"]},
        ),
    ]
    readonly_fields = ["total", "received", "refunded", "paid_with",
                       "payment_at_stripe", "link"]  # fmt: skip

    @admin.display(description=_("Total"), ordering="amount")
    def total(self, order: Order) -> str:
        return _money(order.amount, order.currency)

    @admin.display(description=_("Received"))
    def received(self, order: Order) -> str:
        return _money(order.amount_received, order.currency)

    @admin.display(description=_("Refunded"))
    def refunded(self, order: Order) -> str:
        return _money(order.amount_refunded, order.currency)

    @admin.display(description=_("Paid with"))
    def paid_with(self, order: Order) -> str:
        return " ".join(filter(None, [order.brand or order.method, order.last4]))

    @admin.display(description=_("PaymentIntent"))
    def payment_at_stripe(self, order: Order) -> str:
        mode = "" if order.livemode else "test/"
        address = f"https://dashboard.stripe.com/{mode}payments"
        return format_html(
            '<a href="{}/{}" rel="noreferrer">{}</a>',
            address, order.payment_intent_id, order.payment_intent_id,
        ) if order.payment_intent_id else ""  # fmt: skip

    @admin.display(description=_("The shopper’s page"))
    def link(self, order: Order) -> str:
        return format_html('<a href="{0}">{0}</a>', order.get_absolute_url())


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["id", "type", "outcome", "reason", "deliveries", "received_at"]
    list_filter = ["outcome", "type"]
    search_fields = ["id"]


@admin.register(Attention)
class AttentionAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["kind", "subject", "order", "opened_at", "resolved_at"]
    list_filter = ["kind"]


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    form = ProductForm
    list_display = ["name", "price", "active", "position"]
    list_editable = ["active", "position"]
    prepopulated_fields = {"slug": ["name"]}

    @admin.display(description=_("Price"), ordering="unit_amount")
    def price(self, product: Product) -> str:
        return _money(product.unit_amount, product.currency)

    def has_delete_permission(
        self, request: HttpRequest, obj: Product | None = None
    ) -> bool:
        """A product somebody bought is hidden by taking it off sale, not deleted."""
        if obj is None or obj.orderline_set.exists():
            return False
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed


@admin.register(User)
class ShopUserAdmin(UserAdmin):
    ordering = ["email"]
    list_display = ["email", "first_name", "last_name", "is_staff"]
    search_fields = ["email", "first_name", "last_name"]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        (_("Personal info"), {"fields": ["first_name", "last_name"]}),
        (
            _("Permissions"),
            {"fields": ["is_active", "is_staff", "is_superuser", "groups"]},
        ),
    ]
    add_fieldsets = [
        (None, {"classes": ["wide"], "fields": ["email", "password1", "password2"]})
    ]
