"""The requests of the official CLI's triggers, byte for byte in its encoding."""

from typing import Any

import pytest
import requests

from tests.sandbox_server import SandboxServer

INTENT = "amount=2000&currency=usd&description=(created by Stripe CLI)"
CARD = "&payment_method_types[]=card"
CONFIRMED = f"{INTENT}{CARD}&confirm=true&payment_method=pm_card_"
SHIPPING = (
    "&shipping[name]=Jenny&shipping[address][line1]=510 Townsend"
    "&shipping[address][city]=San Francisco&shipping[address][state]=CA"
    "&shipping[address][postal_code]=94103&shipping[address][country]=US"
)


@pytest.mark.parametrize(
    ("body", "status", "event"),
    [
        (INTENT + CARD, "requires_payment_method", "payment_intent.created"),
        (f"{CONFIRMED}visa{SHIPPING}", "succeeded", "payment_intent.succeeded"),
        (f"{CONFIRMED}chargeDeclined", None, "payment_intent.payment_failed"),
        (f"{CONFIRMED}visa_chargeDeclined", None, "charge.failed"),
        (
            f"{CONFIRMED}authenticationRequired",
            "requires_action",
            "payment_intent.requires_action",
        ),
        (
            f"{CONFIRMED}visa&capture_method=manual&confirmation_method=manual"
            "&return_url=https://stripe.com",
            "requires_capture",
            "payment_intent.amount_capturable_updated",
        ),
        (f"{CONFIRMED}createDisputeInquiry", "succeeded", "charge.dispute.created"),
    ],
)
def test_trigger(
    sandbox: SandboxServer, body: str, status: str | None, event: str
) -> None:
    answer = _post(sandbox, "payment_intents", body)

    assert answer.get("status") == status
    assert answer.get("error", {}).get("type") == (None if status else "card_error")
    assert event in [one["type"] for one in sandbox.objects("event")]


def test_trigger_processing(sandbox: SandboxServer) -> None:
    method = _post(
        sandbox,
        "payment_methods",
        "type=sepa_debit&sepa_debit[iban]=AT321904300235473204"
        "&billing_details[name]=Jenny&billing_details[email]=jenny@example.com",
    )["id"]

    intent = _post(
        sandbox,
        "payment_intents",
        f"amount=1000&currency=eur&confirm=true&payment_method={method}"
        "&payment_method_types[]=sepa_debit"
        "&mandate_data[customer_acceptance][accepted_at]=1590590577"
        "&mandate_data[customer_acceptance][type]=offline",
    )

    assert intent["status"] == "processing"


def test_triggers_of_several_requests(sandbox: SandboxServer) -> None:
    refunded = _post(sandbox, "payment_intents", f"{CONFIRMED}visa")["id"]
    refund = _post(sandbox, "refunds", f"payment_intent={refunded}")["id"]
    _post(sandbox, f"refunds/{refund}", "metadata[order_id]=6735")
    captured = _post(
        sandbox, "payment_intents", f"{CONFIRMED}visa&capture_method=manual"
    )["id"]
    _post(sandbox, f"payment_intents/{captured}/capture", "")
    disputed = _post(sandbox, "payment_intents", f"{CONFIRMED}createDisputeInquiry")
    [dispute] = requests.get(
        f"{sandbox.url}/v1/disputes?payment_intent={disputed['id']}",
        auth=("sk_test_sandbox", ""),
        timeout=10,
    ).json()["data"]
    _post(sandbox, f"disputes/{dispute['id']}", "metadata[foo]=bar")
    _post(sandbox, f"disputes/{dispute['id']}/close", "")

    types = {one["type"] for one in sandbox.objects("event")}
    assert types >= {
        "charge.refunded",
        "charge.refund.updated",
        "charge.captured",
        "charge.dispute.updated",
        "charge.dispute.closed",
    }


def _post(sandbox: SandboxServer, path: str, body: str) -> dict[str, Any]:
    answer = requests.post(
        f"{sandbox.url}/v1/{path}",
        data=body,
        headers={
            "Authorization": "Bearer sk_test_sandbox",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        timeout=10,
    )
    found: dict[str, Any] = answer.json()
    return found
