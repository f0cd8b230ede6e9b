"""Template filters of the shop: money, and nothing that computes."""

from django import template
from django.conf import settings
from django.utils.translation import get_language

from checkout import money

register = template.Library()


@register.filter
def amount(value: int, currency: str) -> str:
    """Show smallest units as money in the page's language: `1099|amount:"usd"`."""
    return money.display(value, currency, get_language() or settings.LANGUAGE_CODE)
