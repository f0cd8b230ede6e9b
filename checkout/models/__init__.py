"""What the shop stores; what must never be false is a constraint here."""

from checkout.models.aftermath import Dispute, Mail, Refund
from checkout.models.catalogue import Product, Shop
from checkout.models.limits import Limit
from checkout.models.names import new_number, new_token
from checkout.models.orders import Order, OrderHistory, OrderLine, OrderQuerySet
from checkout.models.reports import Attention, StripeEvent
from checkout.users import User

__all__ = [
    "Attention",
    "Dispute",
    "Limit",
    "Mail",
    "Order",
    "OrderHistory",
    "OrderLine",
    "OrderQuerySet",
    "Product",
    "Refund",
    "Shop",
    "StripeEvent",
    "User",
    "new_number",
    "new_token",
]
