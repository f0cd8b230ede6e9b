"""The calls the sandbox answers: method, path, what it takes, what it does."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox import (
    charges,
    elements,
    events,
    intent_parameters,
    payment_intents,
    payment_methods,
    webhook_endpoints,
)
from sandbox.parameters import EXPAND, Parser, fields
from sandbox.store import Object

INTENTS = "/v1/payment_intents"
INTENT = "/v1/payment_intents/{id}"


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str
    takes: Parser
    run: Callable[..., Object]
    for_browsers: bool = False  # may be called with a publishable key


OPERATIONS = [
    Operation(
        "payment_intents.create",
        "POST",
        INTENTS,
        intent_parameters.CREATE,
        payment_intents.create,
    ),
    Operation(
        "payment_intents.list",
        "GET",
        INTENTS,
        intent_parameters.LIST,
        payment_intents.list_all,
    ),
    Operation(
        "payment_intents.retrieve",
        "GET",
        INTENT,
        intent_parameters.RETRIEVE,
        payment_intents.retrieve,
        for_browsers=True,
    ),
    Operation(
        "payment_intents.update",
        "POST",
        INTENT,
        intent_parameters.UPDATE,
        payment_intents.update,
    ),
    Operation(
        "payment_intents.confirm",
        "POST",
        f"{INTENT}/confirm",
        intent_parameters.CONFIRM,
        payment_intents.confirm,
        for_browsers=True,
    ),
    Operation(
        "payment_intents.cancel",
        "POST",
        f"{INTENT}/cancel",
        intent_parameters.CANCEL,
        payment_intents.cancel,
    ),
    Operation(
        "payment_intents.capture",
        "POST",
        f"{INTENT}/capture",
        intent_parameters.CAPTURE,
        payment_intents.capture,
    ),
    Operation("charges.list", "GET", "/v1/charges", charges.LIST, charges.list_all),
    Operation(
        "charges.retrieve",
        "GET",
        "/v1/charges/{id}",
        charges.RETRIEVE,
        charges.retrieve,
    ),
    Operation(
        "balance_transactions.retrieve",
        "GET",
        "/v1/balance_transactions/{id}",
        charges.RETRIEVE,
        charges.retrieve_balance_transaction,
    ),
    Operation("events.list", "GET", "/v1/events", events.LIST, events.list_all),
    Operation(
        "events.retrieve", "GET", "/v1/events/{id}", events.RETRIEVE, events.retrieve
    ),
    Operation(
        "events.retry", "POST", "/v1/events/{id}/retry", events.RETRY, events.retry
    ),
    Operation(
        "payment_methods.create",
        "POST",
        "/v1/payment_methods",
        payment_methods.CREATE,
        payment_methods.create,
        for_browsers=True,
    ),
    Operation(
        "payment_methods.list",
        "GET",
        "/v1/payment_methods",
        payment_methods.LIST,
        payment_methods.list_all,
    ),
    Operation(
        "payment_methods.retrieve",
        "GET",
        "/v1/payment_methods/{id}",
        fields(EXPAND),
        payment_methods.retrieve,
    ),
    Operation(
        "webhook_endpoints.create",
        "POST",
        "/v1/webhook_endpoints",
        webhook_endpoints.CREATE,
        webhook_endpoints.create,
    ),
    Operation(
        "webhook_endpoints.list",
        "GET",
        "/v1/webhook_endpoints",
        webhook_endpoints.LIST,
        webhook_endpoints.list_all,
    ),
    Operation(
        "webhook_endpoints.retrieve",
        "GET",
        "/v1/webhook_endpoints/{id}",
        fields(EXPAND),
        webhook_endpoints.retrieve,
    ),
    Operation(
        "webhook_endpoints.update",
        "POST",
        "/v1/webhook_endpoints/{id}",
        webhook_endpoints.UPDATE,
        webhook_endpoints.update,
    ),
    Operation(
        "webhook_endpoints.delete",
        "DELETE",
        "/v1/webhook_endpoints/{id}",
        fields({}),
        webhook_endpoints.delete,
    ),
    Operation(
        "elements.sessions",
        "GET",
        "/v1/elements/sessions",
        elements.SESSION,
        elements.session,
        for_browsers=True,
    ),
]
