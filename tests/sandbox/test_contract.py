"""Every answer and event fits Stripe's schemas and its library's classes."""

import re
from typing import Any

import pytest
import requests
import stripe

from sandbox import operations
from tests.sandbox.contract import (
    class_problems,
    event_problems,
    needs_slice,
    parameters_of,
    schema_problems,
    spec,
)
from tests.sandbox.listener import Listener
from tests.sandbox_server import SandboxServer

CLASSES: dict[str, type[stripe.StripeObject]] = {
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "customer": stripe.Customer,
    "payment_method": stripe.PaymentMethod,
    "webhook_endpoint": stripe.WebhookEndpoint,
    "balance_transaction": stripe.BalanceTransaction,
    "radar.early_fraud_warning": stripe.radar.EarlyFraudWarning,
}
# What Stripe.js and the CLI call, and no published document describes.
NOT_PUBLISHED = ("elements.sessions", "events.retry", "stripecli.sessions")
CARDS = [
    "4242424242424242",
    "378282246310005",
    "4000000000000002",
    "4100000000000019",
    "4000000000000127",
    "4000002500001001",
    "4000000000000259",
    "4000000000001976",
    "4000000000005423",
    "4000000000007726",
    "4000000000005126",
    "4000000032200000",
]


@pytest.fixture
def busy(sandbox: SandboxServer, client: stripe.StripeClient) -> SandboxServer:
    """A sandbox in which nearly everything has happened once."""
    for number in CARDS:
        sandbox.confirm(_new(client), number)
    for outcome in ("succeed", "fail"):
        for method in ({"number": "4000002760003184"}, {"type": "klarna"}):
            challenged = _new(client)
            sandbox.confirm(challenged, **method)
            sandbox.authenticate(challenged, outcome)
    sandbox.confirm(_new(client), "4000002760003184")
    for method in (
        {"account_number": "000123456789"},
        {"account_number": "000222222227"},
    ):
        sandbox.confirm(_new(client), **method)
    for method in (
        {"iban": "DE89370400440532013000"},
        {"iban": "DE35370400440532013002"},
        {"iban": "DE62370400440532013001"},
        {"type": "ideal"},
        {"type": "bancontact"},
    ):
        intent = _new(client, currency="eur")
        sandbox.confirm(intent, **method)
        if "type" in method:
            sandbox.authenticate(intent)
    _capture_and_cancel(sandbox, client)
    sandbox.advance_clock(300)
    for charge in sandbox.objects("charge"):
        if charge["paid"] and charge["captured"] and not charge["disputed"]:
            client.v1.refunds.create({"charge": charge["id"], "amount": 100})
    for dispute in client.v1.disputes.list({"limit": 2}).data:
        client.v1.disputes.update(
            dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}}
        )
    client.v1.customers.create({"name": "A", "payment_method": "pm_card_visa"})
    sandbox.advance_clock(300)
    return sandbox


def test_every_object_fits_its_class(busy: SandboxServer) -> None:
    problems = [
        problem
        for kind, things in busy.state()["objects"].items()
        for thing in things
        for problem in class_problems(thing, CLASSES[kind], kind)
    ]

    assert problems == []


@needs_slice
def test_every_object_fits_its_schema(busy: SandboxServer) -> None:
    schemas = spec()["components"]["schemas"]

    problems = [
        problem
        for kind, things in busy.state()["objects"].items()
        if kind in schemas
        for thing in things
        for problem in schema_problems(kind, thing)
    ]

    assert problems == []


@needs_slice
def test_every_event_fits_its_schema(busy: SandboxServer, listener: Listener) -> None:
    busy.wait_until_delivered(30)

    problems = [
        problem
        for received in listener.received
        for problem in event_problems(received.event)
    ]

    assert problems == []
    assert len(set(listener.types())) >= 20


@needs_slice
def test_expanded_answers_fit_too(busy: SandboxServer) -> None:
    intents = [one for one in busy.objects("payment_intent") if one["latest_charge"]]
    expanded = [
        "latest_charge.balance_transaction",
        "latest_charge.refunds.data.balance_transaction",
        "payment_method",
    ]

    for intent in intents:
        answer = requests.get(
            f"{busy.url}/v1/payment_intents/{intent['id']}",
            params={f"expand[{n}]": path for n, path in enumerate(expanded)},
            auth=("sk_test_sandbox", ""),
            timeout=10,
        ).json()
        assert answer["latest_charge"]["refunds"]["object"] == "list"
        assert schema_problems("payment_intent", answer) == []
        assert class_problems(answer, stripe.PaymentIntent, "payment_intent") == []


@needs_slice
@pytest.mark.parametrize("number", CARDS)
def test_every_refusal_fits_its_schema(
    client: stripe.StripeClient, sandbox: SandboxServer, number: str
) -> None:
    for params in (
        {"amount": "x"},
        {"amount": 100, "currency": "usd", "payment_method": "pm_none"},
        {"amount": 1, "currency": "usd"},
    ):
        answer = requests.post(
            f"{sandbox.url}/v1/payment_intents",
            data=params,
            headers={"Authorization": "Bearer sk_test_sandbox"},
            timeout=10,
        )
        assert schema_problems("error", answer.json()) == []
    answer = sandbox.confirm(_new(client), number)
    if "error" in answer:
        assert schema_problems("error", answer) == []


@needs_slice
@pytest.mark.parametrize(
    "path",
    [
        "charges",
        "refunds",
        "disputes",
        "events",
        "payment_intents",
        "payment_methods",
        "webhook_endpoints",
    ],
)
def test_every_list_fits_its_schema(
    client: stripe.StripeClient, sandbox: SandboxServer, path: str
) -> None:
    intent = _new(client)
    sandbox.confirm(intent, "4000000000001976")
    client.v1.refunds.create({"payment_intent": intent, "amount": 100})
    answer = requests.get(
        f"{sandbox.url}/v1/{path}", auth=("sk_test_sandbox", ""), timeout=10
    )

    responses = spec()["paths"][f"/v1/{path}"]["get"]["responses"]
    schema = responses["200"]["content"]["application/json"]["schema"]
    assert set(schema["required"]) <= set(answer.json())
    assert answer.json()["data"]
    for thing in answer.json()["data"]:
        assert schema_problems(thing["object"], thing) == []


@needs_slice
@pytest.mark.parametrize(
    "operation",
    [one for one in operations.OPERATIONS if one.name not in NOT_PUBLISHED],
    ids=lambda one: one.name,
)
def test_every_call_takes_the_parameters_that_stripe_takes(
    operation: operations.Operation,
) -> None:
    paths = {re.sub(r"{\w+}", "{id}", path): path for path in spec()["paths"]}
    theirs = parameters_of(operation.method, paths[operation.path])

    ours = set(operation.takes.known) - {"key"}

    extra = {"client_secret"} if operation.for_browsers else set()
    extra |= {"payment_method_types"} if "payment_intents" in operation.name else set()
    assert ours - theirs <= extra
    assert theirs - ours <= _of_other_methods(operation.name)


def _of_other_methods(name: str) -> set[str]:
    """PaymentMethods of types that the sandbox does not have."""
    if name not in ("payment_methods.create", "payment_methods.list"):
        return set()
    create = spec()["components"]["schemas"]["PaymentMethodCreateParams"]
    return set(create["properties"]) | {"customer_account", "allow_redisplay"}


def _new(client: stripe.StripeClient, **params: Any) -> str:
    given = {"amount": 2000, "currency": "usd"} | params
    return client.v1.payment_intents.create(given).id  # type: ignore[arg-type]


def _capture_and_cancel(sandbox: SandboxServer, client: stripe.StripeClient) -> None:
    for act in (client.v1.payment_intents.capture, client.v1.payment_intents.cancel):
        intent = _new(client, capture_method="manual")
        sandbox.confirm(intent)
        act(intent)
    sandbox.confirm(_new(client, capture_method="manual"))
