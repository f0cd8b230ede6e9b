"""Stripe's published test data: each card and account does what it is there for."""

import pytest
import stripe

from sandbox import bank_accounts, cards
from tests.sandbox_server import SandboxServer

RETURN_URL = "http://127.0.0.1/return"
LONGEST_WAIT = 300


@pytest.mark.parametrize("card", cards.CARDS, ids=lambda card: card.name)
def test_card_by_its_number(
    client: stripe.StripeClient, sandbox: SandboxServer, card: cards.Card
) -> None:
    intent = client.v1.payment_intents.create({"amount": 1000, "currency": "usd"}).id

    answer = sandbox.confirm(intent, card.number)
    if card.three_d_secure == "required":
        assert answer["status"] == "requires_action"
        answer = sandbox.authenticate(intent)

    error = answer.get("error") or answer.get("last_payment_error")
    if card.is_declined or card.three_d_secure == "broken":
        assert error["code"] == (card.code or "card_declined")
        assert error.get("decline_code") == card.decline_code
        [charge] = sandbox.objects("charge")
        assert (charge["status"], charge["failure_code"]) == ("failed", error["code"])
        assert charge["outcome"]["type"] == (
            "blocked" if card.blocked else "issuer_declined"
        )
        return
    assert (error, answer["status"]) == (None, "succeeded")
    [charge] = sandbox.objects("charge")
    shown = charge["payment_method_details"]["card"]
    assert (shown["brand"], shown["last4"]) == (card.brand, card.number[-4:])
    assert (shown["country"], shown["funding"]) == (card.country, card.funding)
    assert charge["outcome"]["risk_level"] == card.risk_level
    assert len(sandbox.objects("dispute")) == len(card.disputes)


@pytest.mark.parametrize(
    "name",
    [card.name for card in cards.CARDS if not card.name.startswith("_")]
    + list(cards.ALIASES),
)
def test_card_by_its_id(client: stripe.StripeClient, name: str) -> None:
    card = cards.BY_NAME[cards.ALIASES.get(name, name)]
    params: stripe.params.PaymentIntentCreateParams = {
        "amount": 1000,
        "currency": "usd",
        "confirm": True,
        "payment_method": f"pm_card_{name}",
        "return_url": RETURN_URL,
    }

    if card.three_d_secure == "required":
        assert client.v1.payment_intents.create(params).status == "requires_action"
    elif card.is_declined or card.three_d_secure == "broken":
        with pytest.raises(stripe.CardError) as caught:
            client.v1.payment_intents.create(params)
        assert caught.value.error.decline_code == card.decline_code
    else:
        intent = client.v1.payment_intents.create(params)
        assert intent.status == "succeeded"
        assert intent.payment_method != f"pm_card_{name}"


@pytest.mark.parametrize("bank", bank_accounts.ACCOUNTS, ids=lambda bank: bank.name)
def test_bank_account_by_its_number(
    client: stripe.StripeClient, sandbox: SandboxServer, bank: bank_accounts.BankAccount
) -> None:
    currency = "usd" if bank.type == bank_accounts.US else "eur"
    typed = "account_number" if bank.type == bank_accounts.US else "iban"
    intent = client.v1.payment_intents.create({"amount": 1000, "currency": currency}).id

    answer = sandbox.confirm(intent, **{typed: bank.number})
    if bank.blocked:
        assert answer["error"]["decline_code"] == "fraudulent"
        return
    assert answer["status"] == "processing"
    sandbox.advance_clock(LONGEST_WAIT)

    after = client.v1.payment_intents.retrieve(intent)
    if bank.failure:
        assert after.last_payment_error is not None
        assert after.last_payment_error.code == bank.failure
    elif bank.settles_in is None:
        assert after.status == "processing"
    else:
        assert after.status == "succeeded"


def test_no_number_is_written_anywhere(
    client: stripe.StripeClient, sandbox: SandboxServer
) -> None:
    bank = "DE89370400440532013000"
    intent = client.v1.payment_intents.create({"amount": 1000, "currency": "eur"}).id

    sandbox.confirm(intent, iban=bank)

    assert bank not in str(sandbox.state())
    assert bank not in sandbox.log_text()


def test_server_may_not_send_card_numbers(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError, match="generally unsafe"):
        client.v1.payment_methods.create(
            {
                "type": "card",
                "card": {
                    "number": "4242424242424242",
                    "exp_month": 12,
                    "exp_year": 2034,
                },
            }
        )


def test_a_payment_method_without_customer_is_used_once(
    client: stripe.StripeClient, sandbox: SandboxServer
) -> None:
    sandbox.confirm(
        client.v1.payment_intents.create({"amount": 1000, "currency": "usd"}).id
    )
    [method] = sandbox.objects("payment_method")
    again = client.v1.payment_intents.create({"amount": 1000, "currency": "usd"}).id

    with pytest.raises(stripe.InvalidRequestError, match="previously used"):
        client.v1.payment_intents.confirm(
            again, {"payment_method": method["id"], "return_url": RETURN_URL}
        )


def test_customer_keeps_a_payment_method(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create(
        {"email": "a@example.com", "payment_method": "pm_card_visa"}
    ).id
    [method] = client.v1.payment_methods.list({"customer": customer}).data

    for _ in range(2):
        intent = client.v1.payment_intents.create(
            {
                "amount": 1000,
                "currency": "usd",
                "customer": customer,
                "payment_method": method.id,
                "confirm": True,
                "return_url": RETURN_URL,
                "expand": ["customer", "payment_method"],
            }
        )
        assert intent.status == "succeeded"
        assert isinstance(intent.customer, stripe.Customer)
        assert intent.customer.email == "a@example.com"
    with pytest.raises(stripe.CardError):
        client.v1.customers.create({"payment_method": "pm_card_chargeDeclined"})
    client.v1.customers.create({"payment_method": "pm_card_chargeCustomerFail"})
