"""How the desk shows what it cannot change: money, states, moments."""

import re
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import unquote
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from checkout import gateway, money
from checkout.admin.terms import PATTERNS, with_terms
from checkout.models import Order

AMOUNT = re.compile(r"\b(\d{1,10}) ([a-z]{3})\b")


class ReadOnly(admin.ModelAdmin):
    """Show, never add, change or delete."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    empty_value_display = ""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = capfirst(str(self.opts.verbose_name_plural))
        response: HttpResponse = super().changelist_view(
            request, {"title": title, **(extra_context or {})}
        )
        return response

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        thing = self.get_object(request, unquote(object_id))
        context = dict(extra_context or {})
        if thing is not None and self.has_view_permission(request, thing):
            context |= self.page(request, thing)
        response: HttpResponse = super().change_view(
            request, object_id, form_url, context
        )
        return response

    def page(self, request: HttpRequest, thing: Any) -> dict[str, Any]:
        """Return what the template of one thing's page shows."""
        raise NotImplementedError


def money_text(amount: int, currency: str) -> str:
    """Show smallest units as money in the operator's language."""
    return money.display(amount, currency, get_language() or settings.LANGUAGE_CODE)


def moment(at: datetime, *, seconds: bool = False) -> str:
    """Show a moment, everywhere on the desk in the same way."""
    pattern = "j M Y, H:i:s" if seconds else "j M Y, H:i"
    text: str = date_format(timezone.localtime(at), pattern)
    return text


def in_words(text: str) -> str:
    """Show what the shop kept, in the operator's language.

    Amounts, such as `1099 usd`, become money, and Stripe's codes words.
    """
    for pattern, sentence in PATTERNS:
        if found := pattern.fullmatch(text):
            parts = {name: in_words(part) for name, part in found.groupdict().items()}
            return _(sentence) % parts

    def shown(found: re.Match[str]) -> str:
        amount, currency = found.groups()
        if currency not in money.KNOWN:
            return found[0]
        return money_text(int(amount), currency)

    return with_terms(AMOUNT.sub(shown, text))


def badge(text: object, kind: str) -> SafeString:
    """Return a word on a ground of its kind's colour."""
    return format_html('<span class="badge badge--{}">{}</span>', kind, text)


def is_charged_back(order: Order, charged_back: int) -> bool:
    """Whether the bank has given back everything; else it may have given a part."""
    return charged_back > 0 and charged_back >= order.amount_received


def state_badges(order: Order, *, charged_back: int) -> SafeString:
    """Return how an order stands, of which the bank has given back so much."""
    if is_charged_back(order, charged_back):
        return badge(_("Returned by the bank"), "canceled")
    state = badge(order.get_status_display(), order.status)
    if not charged_back:
        return state
    part = badge(_("Returned in part by the bank"), "refunded")
    return format_html("{} {}", state, part)


def order_badges(order: Order, *, attention: bool, disputed: bool) -> SafeString:
    """Return what to know about an order before anything else."""
    badges = []
    if attention:
        badges.append(badge(_("attention"), "problem"))
    if disputed:
        badges.append(badge(_("disputed"), "problem"))
    if not order.livemode:
        badges.append(badge(_("test"), "test"))
    return SafeString(" ".join(badges))


def stripe_address(kind: str, name: str, *, livemode: bool) -> str:
    """Return where Stripe's Dashboard shows it; empty for nothing and the sandbox."""
    if not name or gateway.is_sandbox():
        return ""
    mode = "" if livemode else "test/"
    return f"https://dashboard.stripe.com/{mode}{kind}/{name}"


def log_act(request: HttpRequest, thing: Model, text: str) -> None:
    """Write into the admin's log who did this."""
    LogEntry.objects.log_actions(
        str(request.user.pk), [thing], CHANGE, text, single_object=True
    )


def page_context(request: HttpRequest, **more: Any) -> dict[str, Any]:
    """Return what every page of the desk needs, and `more`."""
    return {**admin.site.each_context(request), **more}
