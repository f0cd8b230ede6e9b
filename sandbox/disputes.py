"""Disputes and inquiries: opened by test data or a test, decided by evidence."""

from typing import Any

from sandbox import balance
from sandbox.accounts import DAY, Account
from sandbox.answers import page
from sandbox.errors import invalid, refused
from sandbox.events import emit
from sandbox.ids import new_id
from sandbox.parameters import (
    EXPAND,
    PAGE,
    RANGE,
    Params,
    anything,
    boolean,
    fields,
    merge_metadata,
    metadata,
    one_of,
    or_unset,
    text,
)
from sandbox.payment_methods import DEBITS, bank_of, card_of
from sandbox.store import Object

EVIDENCE_TEXTS = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)
UPDATE = fields(
    EXPAND
    | {
        "evidence": fields(
            dict.fromkeys(EVIDENCE_TEXTS, or_unset(text))
            | {"enhanced_evidence": anything, "appeal": anything}
        ),
        "submit": boolean,
        "metadata": metadata,
        "intended_submission_method": one_of(
            "manual", "prefer_manual", "prefer_smart_disputes", "smart_disputes"
        ),
    }
)
LIST = fields(PAGE | {"created": RANGE, "charge": text, "payment_intent": text})

LONGEST_EVIDENCE = 150_000
FEE = 1500
ANSWER_WITHIN = 9 * DAY
INQUIRY_LASTS = 120 * DAY
BANK_DECIDES_IN = 2
OPEN = ("needs_response", "warning_needs_response")


def retrieve(account: Account, params: Params, dispute_id: str) -> Object:
    return account.get("dispute", dispute_id, param="dispute")


def list_all(account: Account, params: Params) -> Object:
    filters = ("charge", "payment_intent")
    return page(account, "dispute", params, url="/v1/disputes", filters=filters)


def update(account: Account, params: Params, dispute_id: str) -> Object:
    dispute = retrieve(account, {}, dispute_id)
    old: Object = {}
    if "evidence" in params:
        old = _add_evidence(dispute, params["evidence"])
    if "metadata" in params:
        old["metadata"] = dispute["metadata"]
        dispute["metadata"] = merge_metadata(dispute["metadata"], params["metadata"])
    if "intended_submission_method" in params:
        dispute["intended_submission_method"] = params["intended_submission_method"]
    if "evidence" in params and params.get("submit", True):
        old["status"] = dispute["status"]
        _submit(account, dispute)
    account.update(dispute)
    emit(account, "charge.dispute.updated", dispute, previous=old)
    return dispute


def close(account: Account, params: Params, dispute_id: str) -> Object:
    """Accept the loss; there is no way back."""
    dispute = retrieve(account, {}, dispute_id)
    if dispute["status"] not in OPEN:
        raise refused(
            f"This dispute cannot be closed because it has a status of"
            f" {dispute['status']}."
        )
    _finish(account, dispute, "lost")
    return dispute


def open_disputes(account: Account, charge: Object) -> None:
    """Open what the test card or account behind the charge provokes."""
    method = account.get("payment_method", charge["payment_method"])
    if method["type"] in DEBITS:
        reason = bank_of(method).dispute
        if reason is not None:
            open_dispute(account, charge, reason=reason, amount=charge["amount"])
    elif method["type"] == "card":
        card = card_of(method)
        for reason in card.disputes:
            share = charge["amount_captured"] // len(card.disputes)
            open_dispute(account, charge, reason=reason, amount=share)
        if card.early_fraud_warning:
            _warn(account, charge)


def open_dispute(
    account: Account, charge: Object, *, reason: str, amount: int
) -> Object:
    """Open a dispute, or an inquiry if that is the reason."""
    inquiry = reason == "inquiry"
    dispute = _dispute(account, charge, reason=reason, amount=amount)
    account.insert(dispute)
    charge["disputed"] = True
    account.update(charge)
    if not inquiry:
        _move_funds(account, dispute, -1)
        account.update(dispute)
    emit(account, "charge.dispute.created", dispute)
    if not inquiry:
        emit(account, "charge.dispute.funds_withdrawn", dispute)
    lasts = INQUIRY_LASTS if inquiry else ANSWER_WITHIN
    account.later(lasts, "dispute_due", dispute["id"])
    return dispute


def due(account: Account, dispute_id: str) -> None:
    """On the agenda: nobody answered in time."""
    dispute = account.get("dispute", dispute_id)
    if dispute["status"] in OPEN:
        dispute["evidence_details"]["past_due"] = True
        _finish(account, dispute, "lost")


def decide(account: Account, dispute_id: str) -> None:
    """On the agenda: what the evidence of a test leads to."""
    dispute = account.get("dispute", dispute_id)
    outcome = dispute["evidence"]["uncategorized_text"]
    if outcome == "winning_evidence":
        _finish(account, dispute, "won")
    elif outcome == "losing_evidence":
        _finish(account, dispute, "lost")
    elif outcome == "escalate_inquiry_evidence" and _is_inquiry(dispute):
        _escalate(account, dispute)


def _add_evidence(dispute: Object, evidence: Object) -> Object:
    if dispute["status"] not in OPEN:
        raise refused(
            "This dispute is already closed or under review; you can no longer submit"
            " evidence.",
            param="evidence",
        )
    before = dict(dispute["evidence"])
    for name, value in evidence.items():
        dispute["evidence"][name] = value or None
    written = [v for v in dispute["evidence"].values() if isinstance(v, str)]
    if sum(len(words) for words in written) > LONGEST_EVIDENCE:
        raise invalid(
            f"Evidence can have up to {LONGEST_EVIDENCE} characters in all.",
            param="evidence",
        )
    dispute["evidence_details"]["has_evidence"] = bool(written)
    return {"evidence": {name: before.get(name) for name in evidence}}


def _submit(account: Account, dispute: Object) -> None:
    inquiry = _is_inquiry(dispute)
    dispute["status"] = "warning_under_review" if inquiry else "under_review"
    dispute["evidence_details"]["submission_count"] += 1
    dispute["evidence_details"]["submission_method"] = "manual"
    account.later(BANK_DECIDES_IN, "dispute_decided", dispute["id"])


def _finish(account: Account, dispute: Object, status: str) -> None:
    won = status == "won"
    inquiry = _is_inquiry(dispute)
    dispute["status"] = "warning_closed" if inquiry else status
    if won and not inquiry:
        _move_funds(account, dispute, +1)
    account.update(dispute)
    emit(account, "charge.dispute.closed", dispute)
    if won and not inquiry:
        emit(account, "charge.dispute.funds_reinstated", dispute)


def _escalate(account: Account, dispute: Object) -> None:
    old = {"status": dispute["status"]}
    _move_funds(account, dispute, -1)
    dispute |= {"status": "needs_response", "is_charge_refundable": False}
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    account.update(dispute)
    emit(account, "charge.dispute.updated", dispute, previous=old)
    emit(account, "charge.dispute.funds_withdrawn", dispute)
    account.later(ANSWER_WITHIN, "dispute_due", dispute["id"])


def _is_inquiry(dispute: Object) -> bool:
    status: str = dispute["status"]
    return status.startswith("warning_")


def _move_funds(account: Account, dispute: Object, sign: int) -> None:
    moved = balance.book(
        account,
        amount=sign * dispute["amount"],
        fee=FEE if sign < 0 else 0,
        kind="adjustment",
        source=dispute["id"],
        currency=dispute["currency"],
    )
    dispute["balance_transactions"].append(moved)


def _dispute(account: Account, charge: Object, *, reason: str, amount: int) -> Object:
    inquiry = reason == "inquiry"
    evidence: dict[str, Any] = dict.fromkeys(EVIDENCE_TEXTS)
    dispute: Object = {
        "id": new_id("dp"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": account.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": evidence | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": account.now() + (INQUIRY_LASTS if inquiry else ANSWER_WITHIN),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "intended_submission_method": None,
        "is_charge_refundable": inquiry,
        "livemode": account.livemode,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": "fraudulent" if inquiry else reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
    card = charge["payment_method_details"].get("card")
    if card is not None:
        details = {
            "brand": card["brand"],
            "case_type": "inquiry" if inquiry else "chargeback",
            "network": card["network"],
            "network_reason_code": "10.4" if reason == "fraudulent" else None,
        }
        dispute["payment_method_details"] = {"type": "card", "card": details}
    return dispute


def _warn(account: Account, charge: Object) -> None:
    warning = account.insert(
        {
            "id": new_id("issfr"),
            "object": "radar.early_fraud_warning",
            "actionable": True,
            "charge": charge["id"],
            "created": account.now(),
            "fraud_type": "misc",
            "livemode": account.livemode,
            "payment_intent": charge["payment_intent"],
        }
    )
    emit(account, "radar.early_fraud_warning.created", warning)
