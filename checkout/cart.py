"""Prices what a shopper asks for, from the database and nothing else."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from checkout import money
from checkout.models import Product


class InvalidCart(Exception):
    """The cart cannot be bought as asked for; the message is for the shopper.

    `field` names what they can correct: `email`, or nothing.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class AmountTooSmall(InvalidCart):
    """Stripe would not charge so little."""


class PriceChanged(Exception):
    """The cart costs something else than the shopper saw."""

    def __init__(self, cart: "Cart") -> None:
        super().__init__("price changed")
        self.cart = cart


@dataclass(frozen=True)
class CartLine:
    """A quantity of a product at its price of this moment."""

    product: Product
    quantity: int

    @property
    def amount(self) -> int:
        return self.product.unit_amount * self.quantity


@dataclass(frozen=True)
class Cart:
    """Priced lines in the shop's currency."""

    lines: tuple[CartLine, ...]
    currency: str

    @property
    def amount(self) -> int:
        """The total in smallest units."""
        return sum(line.amount for line in self.lines)


def price(quantities: dict[str, int]) -> Cart:
    """Return the cart of `quantities` (1 to 99 by product slug) at today's prices.

    Raises InvalidCart for a product that is not on sale or a total out of bounds.
    """
    on_sale = Product.objects.on_sale(quantities)
    products = {product.slug: product for product in on_sale}
    if len(products) != len(quantities):
        raise InvalidCart(_("A product in your cart is no longer available."))
    lines = tuple(
        CartLine(products[slug], quantity) for slug, quantity in quantities.items()
    )
    cart = Cart(lines, settings.CURRENCY)
    if cart.amount > money.MAXIMUM:
        raise InvalidCart(_("This is more than can be paid at once."))
    if cart.amount < money.minimum(cart.currency):
        raise AmountTooSmall(
            _("This is less than the smallest amount that can be paid.")
        )
    return cart
