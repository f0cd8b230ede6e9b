"""The shop itself and what it sells."""

from collections.abc import Collection

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from checkout.models.names import new_token
from checkout.models.statements import select


class Shop(models.Model):
    """One row: the random name that marks this database's PaymentIntents as ours.

    It also remembers how far the reconciler has come.
    """

    reference = models.CharField(max_length=32, default=new_token)
    events_read_to = models.DateTimeField(null=True)
    reconciled_at = models.DateTimeField(null=True)

    # `reference`, once this process knows it.
    known_reference = ""

    def __str__(self) -> str:
        return self.reference

    @classmethod
    def current(cls) -> "Shop":
        """Return the row, made on first use."""
        return cls.objects.get_or_create(pk=1)[0]

    @classmethod
    def current_reference(cls) -> str:
        """Return this database's reference; it never changes, so it is read once."""
        if not cls.known_reference:
            reference = cls.current().reference
            # Not before it is committed: a transaction that made it may roll back.
            transaction.on_commit(lambda: setattr(cls, "known_reference", reference))
            return reference
        return cls.known_reference


class ProductManager(models.Manager["Product"]):
    def on_sale(self, slugs: Collection[str] | None = None) -> list["Product"]:
        """Return what the shop shows and sells, in its order; of `slugs` if given."""
        where, values = "WHERE active AND currency = %s", [settings.CURRENCY]
        if slugs is not None:
            where += f" AND slug IN ({', '.join(['%s'] * len(slugs))})"
            values += slugs
        return select(self.model, f"{where} ORDER BY position, id", values)


class Product(models.Model):
    """Something on sale. Orders copy its name and price when they are placed."""

    slug = models.SlugField(_("slug"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    description = models.CharField(_("description"), max_length=300, blank=True)
    unit_amount = models.PositiveIntegerField(
        _("unit amount"),
        validators=[MinValueValidator(1)],
        help_text=_("In the currency's smallest unit: 1099 is 10.99 USD or 1099 JPY."),
    )
    currency = models.CharField(_("currency"), max_length=3, default="usd")
    picture = models.CharField(_("picture"), max_length=100, blank=True)
    active = models.BooleanField(_("on sale"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = ProductManager()

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("product")
        verbose_name_plural = _("products")
        constraints = [
            models.CheckConstraint(
                condition=Q(unit_amount__gt=0), name="product_has_a_price"
            )
        ]

    def __str__(self) -> str:
        return self.name
