"""The operator's desk: shows everything and edits nothing about money."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from checkout.models import (
    Attention,
    Order,
    OrderHistory,
    OrderLine,
    Product,
    StripeEvent,
    User,
)


class ReadOnly:
    """Show, never add, change or delete: for rows that money rests on."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OrderLineInline(ReadOnly, admin.TabularInline):
    model = OrderLine
    fields = ["name", "unit_amount", "quantity"]


class OrderHistoryInline(ReadOnly, admin.TabularInline):
    model = OrderHistory
    fields = ["at", "from_status", "to_status", "source", "note"]


@admin.register(Order)
class OrderAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["number", "placed_at", "status", "amount", "currency", "email"]
    list_filter = ["status"]
    search_fields = ["number", "email", "payment_intent_id", "charge_id"]
    inlines = [OrderLineInline, OrderHistoryInline]


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["id", "type", "outcome", "deliveries", "received_at"]
    list_filter = ["outcome", "type"]
    search_fields = ["id"]


@admin.register(Attention)
class AttentionAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["kind", "subject", "order", "opened_at", "resolved_at"]


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["name", "unit_amount", "currency", "active", "position"]
    prepopulated_fields = {"slug": ["name"]}

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False


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
