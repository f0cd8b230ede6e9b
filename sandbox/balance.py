"""Balance transactions: what each movement did to the account's balance."""

from sandbox.accounts import DAY, Account
from sandbox.ids import new_id
from sandbox.parameters import EXPAND, Params, fields
from sandbox.store import Object

RETRIEVE = fields(EXPAND)


def retrieve(account: Account, params: Params, transaction_id: str) -> Object:
    return account.get("balance_transaction", transaction_id)


def book(
    account: Account,
    *,
    amount: int,
    fee: int,
    kind: str,
    source: str,
    currency: str,
    available: bool = False,
) -> Object:
    """Write a balance transaction; `amount` is negative when money leaves."""
    fees = {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
    return account.insert(
        {
            "id": new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": account.now() + (0 if available else 2 * DAY),
            "balance_type": "payments",
            "created": account.now(),
            "currency": currency,
            "description": None,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [fees] if fee else [],
            "net": amount - fee,
            "reporting_category": "dispute" if kind == "adjustment" else kind,
            "source": source,
            "status": "available" if available else "pending",
            "type": kind,
        }
    )
