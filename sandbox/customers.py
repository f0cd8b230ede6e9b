"""Customers, as far as a payment needs one."""

from sandbox import payment_methods
from sandbox.accounts import Account
from sandbox.errors import declined_method
from sandbox.ids import new_id, random_text
from sandbox.parameters import (
    ADDRESS,
    EXPAND,
    SHIPPING,
    Params,
    anything,
    fields,
    full_address,
    full_shipping,
    list_of,
    metadata,
    or_unset,
    text,
    unsupported,
)
from sandbox.store import Object

WITHOUT_EFFECT = ("business_name", "individual_name", "tax", "tax_id_data", "validate")
NOT_HERE = (
    "balance",
    "cash_balance",
    "invoice_prefix",
    "invoice_settings",
    "next_invoice_sequence",
    "source",
    "tax_exempt",
    "test_clock",
)
CREATE = fields(
    EXPAND
    | {
        "address": or_unset(ADDRESS),
        "description": or_unset(text),
        "email": or_unset(text),
        "metadata": metadata,
        "name": or_unset(text),
        "payment_method": text,
        "phone": or_unset(text),
        "preferred_locales": list_of(text),
        "shipping": or_unset(SHIPPING),
    }
    | dict.fromkeys(WITHOUT_EFFECT, anything)
    | dict.fromkeys(NOT_HERE, unsupported)
)


def create(account: Account, params: Params) -> Object:
    customer = {
        "id": new_id("cus"),
        "object": "customer",
        "address": full_address(params.get("address")),
        "balance": 0,
        "created": account.now(),
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": params.get("description") or None,
        "discount": None,
        "email": params.get("email") or None,
        "invoice_prefix": random_text(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": account.livemode,
        "metadata": params.get("metadata") or {},
        "name": params.get("name") or None,
        "next_invoice_sequence": 1,
        "phone": params.get("phone") or None,
        "preferred_locales": params.get("preferred_locales", []),
        "shipping": full_shipping(params.get("shipping")),
        "tax_exempt": "none",
        "test_clock": None,
    }
    account.insert(customer)
    if "payment_method" in params:
        method = payment_methods.named(account, params["payment_method"])
        if method["type"] == "card":
            card = payment_methods.card_of(method)
            if card.is_declined and not card.attaches:
                raise declined_method(card.code or "", card.decline_code, method)
        method["customer"] = customer["id"]
        account.update(method)
    return customer


def retrieve(account: Account, params: Params, customer_id: str) -> Object:
    return account.get("customer", customer_id, param="customer")
