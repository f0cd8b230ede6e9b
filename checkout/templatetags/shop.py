"""What the shop's templates ask for: money, words, parts that are rendered once."""

from functools import lru_cache

from django import template
from django.conf import settings
from django.template import Context, Engine, Template
from django.utils.translation import get_language

from checkout import money, words
from checkout.models import Order, StripeEvent

register = template.Library()


@register.simple_tag
def part(template: str, **values: str | int) -> str:
    """Include a template that sees the language, these values and nothing else.

    It is rendered once for each: whatever it can show is what it is kept by.
    """
    compiled = Engine.get_default().get_template(template)
    return _rendered(compiled, get_language(), **values)


@lru_cache(maxsize=500, typed=True)
def _rendered(compiled: Template, language: str | None, /, **values: str | int) -> str:
    for name, value in values.items():
        # A model's row equals its older self: what was rendered would never change.
        if not isinstance(value, str | int):
            raise TypeError(f"{name} is no plain value")
    return compiled.render(Context(values))


@register.simple_tag
def page_texts() -> dict[str, str]:
    """Return what the payment form says."""
    return words.page_texts()


@register.filter
def amount(value: int, currency: str) -> str:
    """Show smallest units as money in the page's language: `1099|amount:"usd"`."""
    return money.display(value, currency, get_language() or settings.LANGUAGE_CODE)


@register.filter
def message(order: Order) -> str:
    """Say in one sentence how far the order is."""
    return words.describe(order)


@register.filter
def badge(order: Order) -> str:
    """Name the order's state in one or two words."""
    return words.badge(order)


@register.filter
def method(order: Order) -> str:
    """Name what it was paid with: `Visa •••• 4242`; empty when that is not known."""
    return words.method(order)


@register.filter
def settled_without_webhook(order: Order) -> bool:
    """Whether no webhook came for the paid order; asked only for a developer.

    The shop may only have asked before it came, so any that was delivered counts;
    the history counts as well, because old events are deleted.
    """
    if not settings.DEBUG or not order.is_paid:
        return False
    paid = order.history.filter(to_status=Order.Status.PAID)
    events = StripeEvent.objects.filter(payment_intent_id=order.payment_intent_id)
    has_come = events.filter(deliveries__gt=0).exists()
    return not has_come and not paid.filter(source__startswith="evt_").exists()
