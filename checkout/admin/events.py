"""What Stripe said: each event, what became of it, and one more try."""

import json
import logging
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from checkout import gateway, inbox, timeline
from checkout.admin.search import EventTypeFilter, OutcomeFilter, PeriodFilter
from checkout.admin.showing import (
    ReadOnly,
    badge,
    in_words,
    log_act,
    moment,
    stripe_address,
)
from checkout.models import Order, StripeEvent

logger = logging.getLogger(__name__)


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnly):
    list_display = ["event_id", "kind", "result", "why", "delivered", "received"]
    list_filter = [
        ("outcome", OutcomeFilter),
        EventTypeFilter,
        ("received_at", PeriodFilter),
    ]
    search_fields = ["id"]
    search_help_text = gettext_lazy("Event or PaymentIntent: evt_… or pi_…")
    fields = ["id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StripeEvent]:
        events: QuerySet[StripeEvent] = super().get_queryset(request)
        return events.defer("payload")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[StripeEvent], search_term: str
    ) -> tuple[QuerySet[StripeEvent], bool]:
        term = search_term.strip()
        if term:
            queryset = queryset.filter(Q(pk=term) | Q(payment_intent_id=term))
        return queryset, False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(replay)
        own = [path("<str:pk>/replay/", view, name="checkout_stripeevent_replay")]
        urls: list[URLPattern] = super().get_urls()
        return own + urls

    def page(self, request: HttpRequest, event: StripeEvent) -> dict[str, Any]:
        return _page(request, event)

    @admin.display(description=gettext_lazy("Event"), ordering="id")
    def event_id(self, event: StripeEvent) -> str:
        return event.pk

    @admin.display(description=gettext_lazy("Type"), ordering="type")
    def kind(self, event: StripeEvent) -> str:
        return event.type

    @admin.display(description=gettext_lazy("Outcome"), ordering="outcome")
    def result(self, event: StripeEvent) -> SafeString:
        return outcome_badge(event)

    @admin.display(description=gettext_lazy("Reason"), ordering="reason")
    def why(self, event: StripeEvent) -> str:
        return in_words(event.reason)

    @admin.display(description=gettext_lazy("Deliveries"), ordering="deliveries")
    def delivered(self, event: StripeEvent) -> str:
        return f"{event.deliveries}×"

    @admin.display(description=gettext_lazy("Received"), ordering="received_at")
    def received(self, event: StripeEvent) -> str:
        return moment(event.received_at)


def outcome_badge(event: StripeEvent) -> SafeString:
    """Show what became of an event."""
    kinds = {"failed": "problem", "attention": "problem", "applied": "paid"}
    kind = kinds.get(event.outcome, "canceled")
    return badge(StripeEvent.Outcome(event.outcome).label, kind)


def _page(request: HttpRequest, event: StripeEvent) -> dict[str, Any]:
    intent = event.payment_intent_id
    order = Order.objects.filter(payment_intent_id=intent).first() if intent else None
    return {
        "event": event,
        "outcome": outcome_badge(event),
        "order": order,
        "payload": json.dumps(event.payload, indent=2, ensure_ascii=False),
        "at_stripe": stripe_address("events", event.pk, livemode=event.livemode),
        "acts": list(timeline.acts_on(event)),
        "may_replay": request.user.has_perm("checkout.change_stripeevent"),
        "pinned_version": gateway.API_VERSION,
        "title": event.type,
        "subtitle": None,
    }


@require_POST
def replay(request: HttpRequest, pk: str) -> HttpResponse:
    """Apply an event once more, as Stripe has it or, else, as it was received."""
    if not request.user.has_perm("checkout.change_stripeevent"):
        raise PermissionDenied
    row = get_object_or_404(StripeEvent, pk=pk)
    try:
        with gateway.deadline(gateway.DEADLINE_SECONDS):
            event = gateway.retrieve_event(row.pk)
    except gateway.StripeError:
        logger.warning("Event %s is replayed from its stored payload", row.pk)
        event = gateway.read_stored_event(row.payload)
    inbox.replay(event)
    row.refresh_from_db()
    result = StripeEvent.Outcome(row.outcome).label
    text = _("Replayed: %(result)s.") % {"result": result}
    if row.outcome == StripeEvent.Outcome.FAILED:
        messages.error(request, f"{text} {row.reason}")
    else:
        messages.success(request, text)
    log_act(request, row, f"Replayed: {row.outcome}.")
    return redirect("admin:checkout_stripeevent_change", quote(row.pk))
