"""The calls the sandbox answers: method, path, what it takes, what it does."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox import (
    balance,
    charges,
    customers,
    disputes,
    elements,
    events,
    intent_parameters,
    intent_search,
    listeners,
    payment_intents,
    payment_methods,
    refunds,
    webhook_endpoints,
)
from sandbox.parameters import EXPAND, fields
from sandbox.store import Object

ONLY_EXPAND = fields(EXPAND)


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str
    takes: fields
    run: Callable[..., Object]
    for_browsers: bool = False  # may be called with a publishable key


def _call(
    name: str,
    call: str,
    takes: fields,
    run: Callable[..., Object],
    *,
    for_browsers: bool = False,
) -> Operation:
    method, path = call.split()
    return Operation(name, method, f"/v1/{path}", takes, run, for_browsers)


def _intents() -> list[Operation]:
    takes, does = intent_parameters, payment_intents
    one = "payment_intents/{id}"
    return [
        _call(
            "payment_intents.create", "POST payment_intents", takes.CREATE, does.create
        ),
        _call("payment_intents.list", "GET payment_intents", takes.LIST, does.list_all),
        _call(
            "payment_intents.search",
            "GET payment_intents/search",
            takes.SEARCH,
            intent_search.search,
        ),
        _call(
            "payment_intents.retrieve",
            f"GET {one}",
            takes.RETRIEVE,
            does.retrieve,
            for_browsers=True,
        ),
        _call("payment_intents.update", f"POST {one}", takes.UPDATE, does.update),
        _call(
            "payment_intents.confirm",
            f"POST {one}/confirm",
            takes.CONFIRM,
            does.confirm,
            for_browsers=True,
        ),
        _call(
            "payment_intents.cancel", f"POST {one}/cancel", takes.CANCEL, does.cancel
        ),
        _call(
            "payment_intents.capture",
            f"POST {one}/capture",
            takes.CAPTURE,
            does.capture,
        ),
    ]


def _money() -> list[Operation]:
    return [
        _call("charges.list", "GET charges", charges.LIST, charges.list_all),
        _call("charges.retrieve", "GET charges/{id}", ONLY_EXPAND, charges.retrieve),
        _call("refunds.create", "POST refunds", refunds.CREATE, refunds.create),
        _call("refunds.list", "GET refunds", refunds.LIST, refunds.list_all),
        _call("refunds.retrieve", "GET refunds/{id}", ONLY_EXPAND, refunds.retrieve),
        _call("refunds.update", "POST refunds/{id}", refunds.UPDATE, refunds.update),
        _call(
            "refunds.cancel", "POST refunds/{id}/cancel", ONLY_EXPAND, refunds.cancel
        ),
        _call("disputes.list", "GET disputes", disputes.LIST, disputes.list_all),
        _call("disputes.retrieve", "GET disputes/{id}", ONLY_EXPAND, disputes.retrieve),
        _call(
            "disputes.update", "POST disputes/{id}", disputes.UPDATE, disputes.update
        ),
        _call(
            "disputes.close", "POST disputes/{id}/close", ONLY_EXPAND, disputes.close
        ),
        _call(
            "balance_transactions.retrieve",
            "GET balance_transactions/{id}",
            ONLY_EXPAND,
            balance.retrieve,
        ),
    ]


def _shoppers() -> list[Operation]:
    methods = payment_methods
    return [
        _call("customers.create", "POST customers", customers.CREATE, customers.create),
        _call(
            "customers.retrieve", "GET customers/{id}", ONLY_EXPAND, customers.retrieve
        ),
        _call(
            "payment_methods.create",
            "POST payment_methods",
            methods.CREATE,
            methods.create,
            for_browsers=True,
        ),
        _call(
            "payment_methods.list",
            "GET payment_methods",
            methods.LIST,
            methods.list_all,
        ),
        _call(
            "payment_methods.retrieve",
            "GET payment_methods/{id}",
            ONLY_EXPAND,
            methods.retrieve,
        ),
        _call(
            "elements.sessions",
            "GET elements/sessions",
            elements.SESSION,
            elements.session,
            for_browsers=True,
        ),
    ]


def _telling() -> list[Operation]:
    endpoints = webhook_endpoints
    one = "webhook_endpoints/{id}"
    return [
        _call("events.list", "GET events", events.LIST, events.list_all),
        _call("events.retrieve", "GET events/{id}", ONLY_EXPAND, events.retrieve),
        _call("events.retry", "POST events/{id}/retry", events.RETRY, events.retry),
        _call(
            "stripecli.sessions",
            "POST stripecli/sessions",
            listeners.OPEN,
            listeners.open_session,
        ),
        _call(
            "webhook_endpoints.create",
            "POST webhook_endpoints",
            endpoints.CREATE,
            endpoints.create,
        ),
        _call(
            "webhook_endpoints.list",
            "GET webhook_endpoints",
            endpoints.LIST,
            endpoints.list_all,
        ),
        _call(
            "webhook_endpoints.retrieve", f"GET {one}", ONLY_EXPAND, endpoints.retrieve
        ),
        _call(
            "webhook_endpoints.update",
            f"POST {one}",
            endpoints.UPDATE,
            endpoints.update,
        ),
        _call(
            "webhook_endpoints.delete", f"DELETE {one}", fields({}), endpoints.delete
        ),
    ]


OPERATIONS = [*_intents(), *_money(), *_shoppers(), *_telling()]
BY_NAME = {operation.name: operation for operation in OPERATIONS}
