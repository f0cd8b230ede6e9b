"""Products: the one price that can be typed."""

import logging
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from checkout.admin.showing import money_text
from checkout.forms import ProductForm
from checkout.models import Product
from config import logs

logger = logging.getLogger(__name__)


class ProductRow(forms.ModelForm):
    """What of a product is edited in the list; each field says whose it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{self.instance.name}: {field.label}"


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    form = ProductForm
    list_display = ["name", "price", "active", "position"]
    list_editable = ["active", "position"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "description", "price", "currency"]}),
        (_("In the shop"), {"fields": ["active", "position", "picture", "slug"]}),
    ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response: HttpResponse = super().changelist_view(
            request, {"title": _("Products"), **(extra_context or {})}
        )
        return response

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return ProductRow

    @admin.display(description=_("Price"), ordering="unit_amount")
    def price(self, product: Product) -> str:
        return money_text(product.unit_amount, product.currency)

    def save_model(
        self, request: HttpRequest, obj: Product, form: Any, change: bool
    ) -> None:
        """Save the product; a new price is worth a line in the log."""
        if "price" in form.changed_data:
            logs.actor.set(f"user {request.user.pk}")
            logger.info(
                "Price of %s: %s → %s %s",
                obj.slug,
                form.initial.get("price", "new"),
                form.cleaned_data["price"],
                obj.currency,
            )
        super().save_model(request, obj, form, change)

    def has_delete_permission(
        self, request: HttpRequest, obj: Product | None = None
    ) -> bool:
        """A product somebody bought is hidden by taking it off sale, not deleted."""
        if obj is None or obj.orderline_set.exists():
            return False
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed
