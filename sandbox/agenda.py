"""What happens by itself, later in sandbox time: fees, settling, expiry."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from sandbox import charges, confirmation
from sandbox.accounts import Account

ACTS: dict[str, Callable[[Account, str], None]] = {
    "fees_known": charges.fees_known,
    "settle": confirmation.settle,
    "authorization_expired": confirmation.authorization_expired,
}


def act_on_what_is_due(account: Account) -> int:
    """Do everything whose time has come, in order; return how much it was."""
    done = 0
    while row := account.store.db.execute(
        "SELECT * FROM agenda WHERE due <= ? ORDER BY due, seq LIMIT 1",
        (account.clock.exact(),),
    ).fetchone():
        with account.store.transaction():
            account.store.db.execute("DELETE FROM agenda WHERE seq = ?", (row["seq"],))
            mine = replace(account, livemode=bool(row["livemode"]))
            ACTS[row["act"]](mine, row["object"])
        done += 1
    return done


async def keep(account: Account, wake_deliveries: Callable[[], None]) -> None:
    """Look at the agenda for as long as the sandbox runs."""
    while True:
        if act_on_what_is_due(account):
            wake_deliveries()
        await asyncio.sleep(0.1)
