"""What an acceptable request looks like, field by field."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.forms import (
    AuthenticationForm,
    PasswordChangeForm,
    SetPasswordForm,
    SetPasswordMixin,
)
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from checkout import money
from checkout.cart import InvalidCart
from checkout.models import Product

MAX_LINES = 100
MAX_QUANTITY = 99
SLUG = re.compile(r"[-a-zA-Z0-9_]{1,50}")
PLAIN_AMOUNT = re.compile(r"([-+]?[0-9][0-9.,]*)?")
CHECKOUT = re.compile(r"[-a-zA-Z0-9_]{16,64}")


WRONG_EMAIL = gettext_lazy("Enter an e-mail address, such as name@example.com.")


class EmailField(forms.EmailField):
    """An address most mail servers take; a domain may have any letters."""

    default_error_messages = {"required": WRONG_EMAIL, "invalid": WRONG_EMAIL}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", gettext_lazy("E-mail address"))
        super().__init__(max_length=254, **kwargs)

    def clean(self, value: Any) -> str:
        """Return the address; say so if only its letters are the trouble."""
        local, at, _domain = str(value or "").partition("@")
        if at and not local.isascii():
            raise forms.ValidationError(
                _("Before the @, only letters without accents can be mailed to.")
            )
        email: str = super().clean(value)
        return email


class ContactForm(forms.Form):
    """Where the confirmation goes."""

    email = EmailField()


class SignInForm(AuthenticationForm):
    """Django's own, whose words take the address for case-sensitive too."""

    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": gettext_lazy(
            "E-mail or password is wrong. Capital letters count in the password."
        )
    }


class SignUpForm(forms.Form):
    """Whose account is to start."""

    email = EmailField(
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True})
    )


class WeaknessAtFirstField(SetPasswordMixin):
    """What is wrong with a password stands at it; at the second, that they differ."""

    def validate_password_for_user(
        self, user: AbstractBaseUser, *_second_field: str
    ) -> None:
        super().validate_password_for_user(user, "new_password1")


class ChoosePasswordForm(WeaknessAtFirstField, SetPasswordForm):
    """Django's own, with errors where they belong."""


class ChangePasswordForm(WeaknessAtFirstField, PasswordChangeForm):
    """Django's own, with errors where they belong."""


class AmountField(forms.DecimalField):
    """An amount as people write it: digits, a separator, perhaps a sign."""

    def to_python(self, value: Any) -> Any:
        """Return the number; `1e1` and `1_0` are numbers to Python alone."""
        typed = str(value or "").strip().replace("−", "-")
        if not PLAIN_AMOUNT.fullmatch(typed):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(typed)


class ProductForm(forms.ModelForm):
    """A product with its price as people write it, in the product's currency."""

    price = AmountField(
        label=gettext_lazy("Price"),
        localize=True,
        help_text=gettext_lazy(
            "As people write it, such as 12.90; JPY has no decimals."
        ),
    )

    class Meta:
        model = Product
        fields = [
            "name", "slug", "description", "price", "currency", "picture", "active",
            "position",
        ]  # fmt: skip
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["price"] = money.to_decimal(
                self.instance.unit_amount, self.instance.currency
            )
        else:
            self.initial.setdefault("currency", settings.CURRENCY)

    def clean_currency(self) -> str:
        """Return the currency in lower case."""
        currency: str = self.cleaned_data["currency"].lower()
        if currency not in money.KNOWN:
            raise forms.ValidationError(_("Stripe does not charge in this currency."))
        return currency

    def clean(self) -> dict[str, Any]:
        """Set the unit amount, unless the price cannot be charged."""
        cleaned: dict[str, Any] = super().clean() or {}
        price, currency = cleaned.get("price"), cleaned.get("currency")
        if price is not None and currency is not None:
            try:
                self.instance.unit_amount = _chargeable(price, currency)
            except forms.ValidationError as error:
                self.add_error("price", error)
        return cleaned


def _chargeable(price: Decimal, currency: str) -> int:
    try:
        amount = money.from_decimal(price, currency)
    except ValueError as error:
        raise forms.ValidationError(
            _("%(currency)s has no such small part.") % {"currency": currency.upper()}
        ) from error
    minimum = money.minimum(currency)
    least = money.display(minimum, currency, get_language() or "en")
    if amount <= 0:
        raise forms.ValidationError(
            _("Enter a price above zero; Stripe charges %(least)s at the least.")
            % {"least": least}
        )
    if amount < minimum:
        raise forms.ValidationError(
            _("Stripe charges %(least)s at the least.") % {"least": least}
        )
    if amount > money.MAXIMUM:
        raise forms.ValidationError(_("This is more than can be paid at once."))
    return amount


@dataclass(frozen=True)
class OrderRequest:
    """A well-formed `POST /orders/`; nothing in it is believed but the wish."""

    checkout: str
    quantities: dict[str, int]
    email: str
    amount: int
    currency: str

    @classmethod
    def from_json(cls, body: bytes, *, checkout: str) -> "OrderRequest":
        """Read the request's JSON; `checkout` stands in where it names none.

        Raises InvalidCart with a sentence for the shopper.
        """
        fields = _read_object(body)
        return cls(
            checkout=_read_checkout(fields.get("checkout", checkout)),
            quantities=_read_lines(fields.get("lines")),
            email=_read_email(fields.get("email")),
            amount=_read_whole_number(fields.get("amount")),
            currency=_read_currency(fields.get("currency")),
        )


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidCart(_("The request could not be read.")) from error
    if not isinstance(fields, dict):
        raise InvalidCart(_("The request could not be read."))
    return fields


def _read_checkout(value: object) -> str:
    if not isinstance(value, str) or not CHECKOUT.fullmatch(value):
        raise InvalidCart(_("This page is out of date. Please reload it."))
    return value


def _read_lines(lines: object) -> dict[str, int]:
    if not isinstance(lines, list) or not lines:
        raise InvalidCart(_("Your cart is empty."))
    if len(lines) > MAX_LINES:
        raise InvalidCart(_("There are too many products in your cart."))
    quantities: dict[str, int] = {}
    for line in lines:
        slug, quantity = _read_line(line)
        if slug in quantities:
            raise InvalidCart(_("A product is in your cart twice."))
        quantities[slug] = quantity
    return quantities


def _read_line(line: object) -> tuple[str, int]:
    if not isinstance(line, dict):
        raise InvalidCart(_("The request could not be read."))
    slug, quantity = line.get("product"), line.get("quantity")
    if not isinstance(slug, str) or not SLUG.fullmatch(slug):
        raise InvalidCart(_("A product in your cart is no longer available."))
    if type(quantity) is not int or not 1 <= quantity <= MAX_QUANTITY:
        raise InvalidCart(_("Choose between 1 and 99 of each product."))
    return slug, quantity


def _read_email(value: object) -> str:
    # A lone surrogate is text to Python but to no database; it is not printable.
    text = value if isinstance(value, str) and value.isprintable() else ""
    form = ContactForm({"email": text})
    if not form.is_valid():
        raise InvalidCart(str(form.errors["email"][0]), field="email")
    email: str = form.cleaned_data["email"]
    return email


def _read_whole_number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise InvalidCart(_("The request could not be read."))
    return value


def _read_currency(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidCart(_("The request could not be read."))
    return value.lower()
