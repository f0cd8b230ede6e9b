"""Stripe's words, and the shop's notes, as an operator reads them.

What these lists lack is shown as it is.
Sources: https://docs.stripe.com/declines/codes and, in https://docs.stripe.com/api,
disputes (status, reason), refunds (failure_reason), early fraud warnings (fraud_type).
"""

import re
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

# A word of Stripe's inside a sentence: ids have capitals or digits, or are not listed.
CODE = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")

TERMS: dict[str, "StrPromise"] = {
    # Declines
    "authentication_required": _("bank asks for 3-D Secure"),
    "call_issuer": _("refused, the shopper should call the bank"),
    "card_declined": _("declined without a reason"),
    "card_not_supported": _("card not made for this"),
    "card_velocity_exceeded": _("card limit reached"),
    "currency_not_supported": _("card cannot pay in this currency"),
    "do_not_honor": _("refused without a reason"),
    "do_not_try_again": _("refused for good"),
    "duplicate_transaction": _("same payment again"),
    "expired_card": _("card expired"),
    "fraudulent": _("suspected fraud"),
    "generic_decline": _("declined without a reason"),
    "incorrect_cvc": _("wrong security code"),
    "incorrect_number": _("wrong card number"),
    "incorrect_zip": _("wrong postal code"),
    "insufficient_funds": _("not enough funds"),
    "invalid_account": _("card or account not valid"),
    "invalid_cvc": _("wrong security code"),
    "invalid_expiry_month": _("wrong expiry date"),
    "invalid_expiry_year": _("wrong expiry date"),
    "invalid_number": _("wrong card number"),
    "issuer_not_available": _("bank not reached"),
    "lost_card": _("card reported lost"),
    "merchant_blacklist": _("on this shop’s block list"),
    "payment_intent_authentication_failure": _("3-D Secure not completed"),
    "pickup_card": _("card to be kept: lost or stolen"),
    "processing_error": _("error at the bank"),
    "restricted_card": _("card restricted: lost or stolen"),
    "stolen_card": _("card reported stolen"),
    "transaction_not_allowed": _("not allowed for this card"),
    "try_again_later": _("refused, try later"),
    "withdrawal_count_limit_exceeded": _("card limit reached"),
    # Disputes
    "needs_response": _("waits for your answer"),
    "under_review": _("the bank is deciding"),
    "won": _("won"),
    "lost": _("lost"),
    "prevented": _("prevented"),
    "warning_needs_response": _("inquiry, waits for your answer"),
    "warning_under_review": _("inquiry, the bank is deciding"),
    "warning_closed": _("inquiry closed"),
    "appeal_needs_response": _("appeal, waits for your answer"),
    "appeal_under_review": _("appeal, the bank is deciding"),
    "bank_cannot_process": _("bank could not process it"),
    "check_returned": _("check returned"),
    "credit_not_processed": _("a refund was promised and did not come"),
    "customer_initiated": _("opened by the customer"),
    "debit_not_authorized": _("debit not authorized"),
    "duplicate": _("charged twice"),
    "general": _("no reason given"),
    "incorrect_account_details": _("wrong account details"),
    "noncompliant": _("against the card network’s rules"),
    "product_not_received": _("product not received"),
    "product_unacceptable": _("product not as described"),
    "subscription_canceled": _("subscription canceled"),
    "unrecognized": _("not recognized by the card’s owner"),
    # Failed refunds
    "charge_for_pending_refund_disputed": _("the payment was disputed meanwhile"),
    "declined": _("declined by the bank"),
    "expired_or_canceled_card": _("card expired or canceled"),
    "lost_or_stolen_card": _("card lost or stolen"),
    "merchant_request": _("stopped at your request"),
    "never arrived": _("never arrived at Stripe"),
    "refused": _("refused by Stripe"),
    "unknown": _("no reason given"),
    # Early fraud warnings
    "card_never_received": _("card never reached its owner"),
    "fraudulent_card_application": _("card obtained by fraud"),
    "made_with_counterfeit_card": _("counterfeit card"),
    "made_with_lost_card": _("lost card"),
    "made_with_stolen_card": _("stolen card"),
    "misc": _("no kind given"),
    "unauthorized_use_of_card": _("used without the owner’s permission"),
    # States, as the shop keeps them
    "applied": _("applied"),
    "asked": _("asked for"),
    "attention": _("needs attention"),
    "canceled": _("canceled"),
    "failed": _("failed"),
    "ignored": _("ignored"),
    "paid": _("paid"),
    "pending": _("pending"),
    "processing": _("processing"),
    "requires_action": _("waiting for the shopper"),
    "succeeded": _("done"),
    # What became of an event
    "type not used": _("this shop does not use its type"),
    "not of this shop": _("not of this shop"),
    "other mode": _("of the other mode"),
}


# What the shop writes, in English, wherever it keeps what happened.
SENTENCES = [
    # History
    gettext_noop("refund %(name)s of %(amount)s: %(state)s"),
    gettext_noop("dispute %(name)s: %(state)s"),
    gettext_noop("payment failed: %(code)s"),
    gettext_noop("PaymentIntent canceled"),
    gettext_noop("Stripe refused: %(code)s"),
    gettext_noop("idempotency key too old"),
    gettext_noop("idempotency key spent"),
    # What needs attention, and why an event does
    gettext_noop("%(amount)s disputed"),
    gettext_noop("%(amount)s refunded"),
    gettext_noop("%(amount)s not refunded"),
    gettext_noop("dispute %(state)s"),
    gettext_noop("early fraud warning"),
    gettext_noop("more than received"),
    gettext_noop("names order %(name)s"),
    gettext_noop("paid after it was canceled"),
    gettext_noop("Refunding now avoids a dispute."),
    # What operators did
    gettext_noop("Asked for refund %(name)s: %(state)s."),
    gettext_noop("Asked to close it: %(state)s."),
    gettext_noop("Checked with Stripe: %(state)s."),
    gettext_noop("Sent the confirmation again."),
    gettext_noop("Replayed: %(state)s."),
    gettext_noop("Resolved: %(note)s"),
]


PARTS = {
    "amount": r"\d{1,10} [a-z]{3}", "code": ".+", "name": r"\S+", "note": ".+",
    "state": r"\w+",
}  # fmt: skip


def _pattern(sentence: str) -> re.Pattern[str]:
    """Return what finds the parts of a sentence again that was written so."""
    groups = {name: f"(?P<{name}>{part})" for name, part in PARTS.items()}
    return re.compile(sentence.replace(".", r"\.") % groups)


PATTERNS = [(_pattern(sentence), sentence) for sentence in SENTENCES]


def term(code: str) -> str:
    """Say a code of Stripe's in words."""
    return str(TERMS.get(code, code.replace("_", " ")))


def with_terms(text: str) -> str:
    """Say every code of Stripe's inside a note in words."""
    if text in TERMS:
        return term(text)
    return CODE.sub(lambda found: str(TERMS.get(found[0], found[0])), text)
