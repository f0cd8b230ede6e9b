"""What the shop says to a shopper about an order and about a declined payment.

Lost, stolen and fraud read exactly like a general decline: the reason is nobody's
business. Source: https://docs.stripe.com/declines/codes
"""

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from checkout import money
from checkout.models import Dispute, Order

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

DECLINED = gettext_lazy(
    "Your bank refused this payment. You have not been charged. "
    "Try another card or contact your bank."
)
NO_FUNDS = gettext_lazy(
    "The card does not have enough funds. You have not been charged. "
    "Use another card or ask your bank."
)
NOT_AUTHENTICATED = gettext_lazy(
    "The bank’s check was not completed. You have not been charged. "
    "Try again and complete it, or pay with something else."
)
TRY_AGAIN = gettext_lazy(
    "The bank could not process this. You have not been charged. "
    "Try once more; if it fails again, contact your bank."
)
CONFIRM_IT_IS_YOU = gettext_lazy(
    "Your bank asks you to confirm that it is you. You have not been charged. "
    "Try again and complete the check."
)
WRONG_NUMBER = gettext_lazy(
    "The card number is wrong. You have not been charged. Please correct it."
)
WRONG_CODE = gettext_lazy(
    "The security code is wrong. You have not been charged. Please correct it."
)
WRONG_DATE = gettext_lazy(
    "The expiry date is wrong. You have not been charged. Please correct it."
)
WRONG_ADDRESS = gettext_lazy(
    "The postal code or address is wrong. You have not been charged. Please correct it."
)

DEBIT_REFUSED = gettext_lazy(
    "Your bank refused the debit. You have not been charged. "
    "Try again, or pay with something else."
)

# By decline code where the bank gave one, else by error code.
DECLINES = {
    "insufficient_funds": NO_FUNDS,
    "withdrawal_count_limit_exceeded": NO_FUNDS,
    "expired_card": gettext_lazy(
        "The card has expired. You have not been charged. Use another card."
    ),
    "incorrect_number": WRONG_NUMBER,
    "invalid_number": WRONG_NUMBER,
    "incorrect_cvc": WRONG_CODE,
    "invalid_cvc": WRONG_CODE,
    "invalid_expiry_month": WRONG_DATE,
    "invalid_expiry_year": WRONG_DATE,
    "incorrect_zip": WRONG_ADDRESS,
    "incorrect_address": WRONG_ADDRESS,
    "approve_with_id": TRY_AGAIN,
    "issuer_not_available": TRY_AGAIN,
    "processing_error": TRY_AGAIN,
    "reenter_transaction": TRY_AGAIN,
    "authentication_required": CONFIRM_IT_IS_YOU,
    "authentication_not_handled": CONFIRM_IT_IS_YOU,
    "mobile_device_authentication_required": CONFIRM_IT_IS_YOU,
    "payment_intent_authentication_failure": NOT_AUTHENTICATED,
    "payment_method_customer_decline": gettext_lazy(
        "The payment was given up before it was confirmed. You have not been charged. "
        "Try again, or pay with something else."
    ),
    "payment_method_provider_decline": gettext_lazy(
        "This payment was refused. You have not been charged. "
        "Try again, or pay with something else."
    ),
    "payment_method_provider_timeout": gettext_lazy(
        "The payment was not confirmed in time. You have not been charged. "
        "Try again, or pay with something else."
    ),
    "duplicate_transaction": gettext_lazy(
        "This looks like a payment you just made. Check before paying again."
    ),
}


# What the payment form says; the browser fills in what stands in braces.
PAGE = {
    "pay": gettext_lazy("Pay {amount}"),
    "pay_nothing": gettext_lazy("Pay"),
    "loading": gettext_lazy("Loading the secure card form…"),
    "blocked": gettext_lazy(
        "The secure card form could not load. An ad blocker or your network may be "
        "stopping it. What you chose is kept: allow the form, then reload this page."
    ),
    "empty": gettext_lazy("Choose at least one product to pay."),
    "stale": gettext_lazy("Updating this page…"),
    "too_small": gettext_lazy("The smallest amount that can be paid is {minimum}."),
    "email": gettext_lazy("Enter an e-mail address, such as name@example.com."),
    "contacting": gettext_lazy("Contacting your bank…"),
    "confirming": gettext_lazy("The bank has answered. Confirming your order…"),
    "checking": gettext_lazy(
        "We are checking with the bank whether the payment went through. "
        "Please do not pay again; this page will update."
    ),
    "long_wait": gettext_lazy(
        "This is taking longer than usual. Your order {number} is saved. "
        "You can close this page; we will e-mail you."
    ),
    "offline_waiting": gettext_lazy(
        "There is no connection to the internet, so we cannot see whether the payment "
        "went through. Please do not pay again; this page goes on when it is back."
    ),
    "already_paid": gettext_lazy("Order {number} is already paid ({date})."),
    "another_cart": gettext_lazy(
        "That order is shown here. This cart is another one and has not been paid: "
        "press Pay only if you want it as well."
    ),
    "not_paid": gettext_lazy(
        "The payment was not completed. You have not been charged. "
        "You can try again, or pay with something else."
    ),
    "declined": DECLINED,
    "price_changed": gettext_lazy(
        "The total changed from {old} to {new}. Please check and confirm."
    ),
    "offline": gettext_lazy(
        "There is no connection to the internet. You have not been charged. "
        "Try again when it is back."
    ),
    "unreachable": gettext_lazy(
        "The shop does not answer. You have not been charged. "
        "Please try again in a moment."
    ),
    "no_answer": gettext_lazy(
        "The secure card form does not answer. You have not been charged. "
        "Please try again in a moment."
    ),
    "gone": gettext_lazy(
        "No longer available, and taken out of your cart: {products}. "
        "You have not been charged."
    ),
    "too_fast": gettext_lazy(
        "There were too many attempts to order in a short time. "
        "You have not been charged. Please wait a minute, then try again."
    ),
    "server_error": gettext_lazy(
        "Something went wrong on our side. You have not been charged. "
        "Please try again in a moment."
    ),
    "reference": gettext_lazy("Reference: {reference}"),
    "quantity": gettext_lazy(
        "Whole numbers from 0 to 99 only: this counts as {quantity}."
    ),
}


def page_texts() -> dict[str, str]:
    """Return what the payment form says, in the language of the page."""
    return _page_texts_in(get_language())


@lru_cache
def _page_texts_in(_language: str | None) -> dict[str, str]:
    declines = {f"decline.{code}": text for code, text in DECLINES.items()}
    return {name: str(text) for name, text in (PAGE | declines).items()}


def too_many(retry_after: int) -> str:
    """Return the calm sentence for who is over a limit for so many seconds more."""
    sentence = _(
        "There were too many attempts to order in a short time. "
        "You have not been charged."
    )
    return f"{sentence} {wait(retry_after)}"


def wait(retry_after: int) -> str:
    """Return when it may be tried again, in so many seconds, as people say it."""
    minutes = math.ceil(retry_after / 60)
    return ngettext(
        "Please try again in a minute.",
        "Please try again in %(minutes)s minutes.",
        minutes,
    ) % {"minutes": minutes}


CLOSED: dict[str, "StrPromise"] = {
    Order.ClosedReason.EXPIRED: gettext_lazy(
        "This order was not paid in time. You have not been charged. "
        "You can order again in the shop."
    ),
    Order.ClosedReason.REPLACED: gettext_lazy(
        "This order was replaced by another cart, perhaps in another tab or window. "
        "You have not been charged for it."
    ),
    Order.ClosedReason.OPERATOR: gettext_lazy(
        "We closed this order before it was paid. You have not been charged. "
        "You can order again in the shop."
    ),
    Order.ClosedReason.DECLINED: gettext_lazy(
        "Too many payments of this order failed, so it was closed. "
        "You have not been charged. Order again with another way to pay, "
        "or ask your bank why it refuses."
    ),
    Order.ClosedReason.FAILED: gettext_lazy(
        "This order could not be paid and was closed. You have not been charged. "
        "You can order again in the shop."
    ),
}


def describe(order: Order) -> str:
    """Return one sentence on how far the order is, true at this moment."""
    match order.status:
        case Order.Status.PAID:
            return _describe_paid(order)
        case Order.Status.PROCESSING:
            return _(
                "Your bank is processing the payment. This can take a few days. "
                "You need to do nothing: we will e-mail you when it is done."
            )
        case Order.Status.CANCELED:
            reason = order.closed_reason or Order.ClosedReason.FAILED
            return str(CLOSED[reason])
    if order.decline_code:
        if order.declined_method in DEBITS:
            return str(DEBIT_REFUSED)
        return str(DECLINES.get(order.decline_code, DECLINED))
    return _("This order has not been paid yet.")


def _describe_paid(order: Order) -> str:
    objection = _objection(order)
    if objection:
        return str(OBJECTIONS[objection])
    if returned := _returned_refund(order):
        return _(
            "Paid. We could not send %(amount)s back to you: the refund failed. "
            "We are looking for another way and will write to you."
        ) % {"amount": _display(returned, order)}
    if not order.amount_refunded:
        return _("Paid. Thank you!")
    if order.amount_refunded >= order.amount:
        return _("Paid, and refunded in full. Your bank may take some days to show it.")
    return _(
        "Paid. %(amount)s of it has been refunded; "
        "your bank may take some days to show it."
    ) % {"amount": _display(order.amount_refunded, order)}


def _display(amount: int, order: Order) -> str:
    language = get_language() or settings.LANGUAGE_CODE
    return money.display(amount, order.currency, language)


OBJECTIONS = {
    "open": gettext_lazy(
        "Paid, but you or your bank objected to this payment. "
        "Your bank is looking into it and will tell you how it ends."
    ),
    "lost": gettext_lazy(
        "Paid, but you or your bank objected, and your bank gave the money back."
    ),
    "lost in part": gettext_lazy(
        "Paid, but you or your bank objected to a part, and your bank gave that back."
    ),
}
OBJECTION_BADGES = {
    "open": gettext_lazy("Disputed"),
    "lost": gettext_lazy("Returned by your bank"),
    "lost in part": gettext_lazy("Partly returned by your bank"),
}


# SQL, because every poll asks this, and Django would take longer to write it than
# PostgreSQL to answer it.
NEWEST_DISPUTE = """
SELECT status FROM checkout_dispute
WHERE order_id = checkout_order.id ORDER BY id DESC LIMIT 1
"""
LOST_TO_DISPUTES = """
SELECT SUM(amount) FROM checkout_dispute
WHERE order_id = checkout_order.id AND status = 'lost'
"""
# One that Stripe refused outright has no id: the shopper was never told of it.
NEWEST_RETURNED_REFUND = """
SELECT amount FROM checkout_refund
WHERE order_id = checkout_order.id AND status = 'failed' AND EXISTS (
    SELECT 1 FROM checkout_attention
    WHERE kind = 'refund_failed' AND subject = checkout_refund.stripe_id
    AND resolved_at IS NULL
)
ORDER BY id DESC LIMIT 1
"""


AFTERMATH = {
    "dispute_status": NEWEST_DISPUTE,
    "lost_to_disputes": LOST_TO_DISPUTES,
    "returned_refund": NEWEST_RETURNED_REFUND,
}


def with_aftermath(orders: "QuerySet[Order]") -> "QuerySet[Order]":
    """Let the orders be described without queries for each one's dispute and refund."""
    answers = {name: RawSQL(sql, []) for name, sql in AFTERMATH.items()}  # noqa: S611
    return orders.annotate(**answers)


def _aftermath(order: Order) -> dict[str, Any]:
    if "dispute_status" not in vars(order):
        order = with_aftermath(Order.objects.all()).get(pk=order.pk)
    return vars(order)


def _objection(order: Order) -> str:
    """Return how disputes stand: open, lost, lost in part, or nothing to speak of."""
    aftermath = _aftermath(order)
    newest: str | None = aftermath["dispute_status"]
    lost: int = aftermath["lost_to_disputes"] or 0
    if newest is not None and newest not in Dispute.OVER:
        return "open"
    if not lost:
        return ""
    return "lost" if lost >= order.amount_received else "lost in part"


def _returned_refund(order: Order) -> int:
    """Return the amount that failed to reach the shopper and still has to; 0 if none.

    It is over when the operator says so, who may have found another way.
    """
    return _aftermath(order)["returned_refund"] or 0


def badge(order: Order) -> str:
    """Return the order's state in one or two words."""
    if order.is_paid and (objection := _objection(order)):
        return str(OBJECTION_BADGES[objection])
    if order.is_paid and _returned_refund(order):
        return _("Refund failed")
    if order.is_paid and order.amount_refunded:
        is_whole = order.amount_refunded >= order.amount
        return _("Refunded") if is_whole else _("Partly refunded")
    return str(order.get_status_display())


# Stripe's names of card brands and methods, as people write them.
BRANDS = {
    "amex": "American Express",
    "diners": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "Eftpos",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}
METHODS = {
    "card": gettext_lazy("Card"),
    "sepa_debit": gettext_lazy("SEPA direct debit"),
    "us_bank_account": gettext_lazy("Bank account"),
}
# Methods whose bank answers days later, in codes that cards have, too.
DEBITS = frozenset({
    "acss_debit", "au_becs_debit", "bacs_debit", "nz_bank_account", "sepa_debit",
    "us_bank_account",
})  # fmt: skip


def method(order: Order) -> str:
    """Return what the order was paid with: `Visa •••• 4242`; empty if not known."""
    if not order.method:
        return ""
    plain = order.method.replace("_", " ").capitalize()
    name = BRANDS.get(order.brand) or str(METHODS.get(order.method, plain))
    return f"{name} •••• {order.last4}" if order.last4 else name
