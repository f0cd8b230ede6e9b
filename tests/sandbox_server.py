"""The sandbox as a subprocess, for every test that needs a Stripe.

    server = SandboxServer(forward_to="http://127.0.0.1:8000/stripe/webhook/")
    server.url             # http://127.0.0.1:PORT, the API
    server.confirm(intent_id, number="4000000000000002")
    server.stop()

Keys are `sk_test_sandbox` and `pk_test_sandbox`. Without `state` it lives in memory.
What the control calls do is written in sandbox/README.md.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, Self

import urllib3

ROOT = Path(__file__).parent.parent
STARTS_WITHIN = 20
ENDS_WITHIN = 10


class SandboxServer:
    module = "sandbox"
    webhook_secret = "whsec_test_sandbox"
    control_token = "control_test_sandbox"
    secret_key = "sk_test_sandbox"
    publishable_key = "pk_test_sandbox"

    def __init__(
        self, *, forward_to: str | None = None, state: Path | None = None, port: int = 0
    ) -> None:
        self.forward_to = forward_to
        self.state_file = state
        self.port = port
        # Threads may share it: each call has a connection of its own.
        self.http = urllib3.PoolManager(retries=False, timeout=30, maxsize=32)
        self.log = TemporaryFile()  # noqa: SIM115
        self.start()

    @property
    def url(self) -> str:
        """The API's address: what stripe-python calls."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def frame_origin(self) -> str:
        """Where frames, challenges and bank pages are served: another site."""
        return f"http://localhost:{self.port}"

    @property
    def js_url(self) -> str:
        return f"{self.url}/endive/stripe.js"

    def start(self) -> None:
        """Start, on the port of last time if there was one, and wait until ready."""
        command = [sys.executable, "-m", self.module, "--port", str(self.port)]
        command += ["--webhook-secret", self.webhook_secret]
        command += ["--control-token", self.control_token]
        if self.forward_to:
            command += ["--forward-to", self.forward_to]
        if self.state_file:
            command += ["--state", str(self.state_file)]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        first_line = self.process.stdout.readline()
        if not first_line.startswith("Sandbox ready on "):
            self.process.kill()
            raise RuntimeError(f"The sandbox did not start: {self.log_text()}")
        self.port = int(first_line.rpartition(":")[2])

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self.process.terminate()
        self._wait()

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self._wait()

    def restart(self) -> None:
        """Start again on the same port; without a state file everything is gone."""
        if self.process.poll() is None:
            self.stop()
        self.start()

    def log_text(self) -> str:
        """What it wrote on stderr so far: one line per request and delivery."""
        self.log.seek(0)
        return self.log.read().decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self.http.clear()
        self.log.close()

    # Looking inside

    def state(self, kinds: str = "") -> dict[str, Any]:
        """`objects` by kind (all, or those named), oldest first; `now`, `faults`."""
        return self.control("GET", f"state?kinds={kinds}")

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind, such as `payment_intent`, oldest first."""
        answer = self.state(kind)
        found: list[dict[str, Any]] = answer["objects"][kind]
        return found

    def deliveries(self) -> list[dict[str, Any]]:
        """Every delivery with `event`, `status`, `tries` and `last_answer`."""
        found: list[dict[str, Any]] = self.control("GET", "deliveries")["deliveries"]
        return found

    def now(self) -> int:
        """The moment it is in sandbox time."""
        answer: int = self.control("GET", "state?kinds=none")["now"]
        return answer

    def wait_until_delivered(self, within: float = 10) -> None:
        """Wait until no delivery is pending."""
        wait_for(
            lambda: self.control("GET", "deliveries")["waiting"] == 0, within=within
        )

    # Control

    def reset(
        self, *, forward_to: str | None = None, webhook_secret: str | None = None
    ) -> None:
        """Forget everything; perhaps deliver elsewhere from now on."""
        self.control(
            "POST", "reset", forward_to=forward_to, webhook_secret=webhook_secret
        )
        self.forward_to = forward_to or self.forward_to

    def hold_deliveries(self) -> None:
        self.control("POST", "deliveries", action="hold")

    def release_deliveries(self, order: str = "created") -> None:
        """Send what waits, `created` order, `reverse` or `shuffle`."""
        self.control("POST", "deliveries", action="release", order=order)

    def drop_deliveries(self, count: int = 1, *types: str) -> None:
        """Lose the next deliveries (of these event types)."""
        self.control(
            "POST", "deliveries", action="drop", count=count, types=list(types)
        )

    def repeat_deliveries(self, times: int = 2, count: int = 1, *types: str) -> None:
        """Send the next `count` deliveries `times` times each, at once."""
        self.control(
            "POST",
            "deliveries",
            action="repeat",
            count=count,
            times=times,
            types=list(types),
        )

    def delay_deliveries(self, seconds: float, count: int = 1, *types: str) -> None:
        self.control(
            "POST",
            "deliveries",
            action="delay",
            count=count,
            seconds=seconds,
            types=list(types),
        )

    def reorder_deliveries(self, count: int = 2) -> None:
        """Collect the next `count` deliveries and send them backwards."""
        self.control("POST", "deliveries", action="reorder", count=count)

    def fault(self, operation: str, do: str, **script: Any) -> None:
        """Script a fault, e.g. `fault("payment_intents.create", "drop", calls=[3],
        when="after")`."""
        self.control("POST", "faults", operation=operation, do=do, **script)

    def clear_faults(self) -> None:
        self.control("DELETE", "faults")

    def refuse_connections(self, seconds: float) -> None:
        """Refuse new connections for a while, and cut the open ones."""
        self.control("POST", "refuse", seconds=seconds)

    def advance_clock(self, seconds: float) -> None:
        """Move sandbox time on; what is due on the way happens."""
        self.control("POST", "clock", advance=seconds)

    def snapshot(self, name: str = "last") -> None:
        self.control("POST", f"snapshots/{name}")

    def restore(self, name: str = "last") -> None:
        """Go back to the snapshot."""
        self.control("POST", f"snapshots/{name}/restore")

    def limit_rates(self, on: bool = True) -> None:
        """Refuse with 429 what goes beyond Stripe's rate limits."""
        self.control("POST", "limits", on=on)

    def restrict_key(self, key: str, *operations: str) -> None:
        """Let a key call only these, such as `refunds.*`."""
        self.control("POST", "keys", key=key, allow=list(operations))

    def expire_key(self, key: str) -> None:
        self.control("POST", "keys", key=key, expired=True)

    # Acting as the shopper, the bank, Stripe

    def confirm(
        self, intent_id: str, number: str = "4242424242424242", **body: Any
    ) -> dict[str, Any]:
        """Pay as the shopper who types this card; a decline is in `error`.

        Or pay otherwise: `iban=`, `account_number=`, `type="klarna"`.
        """
        return self.control(
            "POST",
            f"payment_intents/{intent_id}/confirm",
            accept=(200, 402),
            number=number,
            **body,
        )

    def attempt(self, path: str, **body: Any) -> dict[str, Any] | None:
        """A control call that may come too late: None if it is refused."""
        answer = self.control("POST", path, accept=(200, 400, 402), **body)
        return None if "error" in answer else answer

    def authenticate(self, intent_id: str, outcome: str = "succeed") -> dict[str, Any]:
        """Complete (`succeed`) or `fail` the challenge, or the payment at the bank."""
        return self.control(
            "POST", f"payment_intents/{intent_id}/authenticate", outcome=outcome
        )

    def settle(
        self, intent_id: str, outcome: str = "succeed", **body: Any
    ) -> dict[str, Any]:
        """Answer a debit as the bank, now: `succeed`, or `fail` (`code=`)."""
        return self.control(
            "POST", f"payment_intents/{intent_id}/settle", outcome=outcome, **body
        )

    def answer_refund(
        self, refund_id: str, outcome: str = "succeed", **body: Any
    ) -> dict[str, Any]:
        """Answer a refund as the bank: `succeed`, or `fail` (`reason=`)."""
        return self.control(
            "POST", f"refunds/{refund_id}/answer", outcome=outcome, **body
        )

    def dispute(self, charge_id: str, **body: Any) -> dict[str, Any]:
        """Dispute a charge as the cardholder (`reason=`, `amount=`)."""
        return self.control("POST", f"charges/{charge_id}/dispute", **body)

    def copy_event(self, event_id: str) -> dict[str, Any]:
        """Tell the same fact again under another event id."""
        return self.control("POST", "events", copy=event_id)

    def emit_event(self, kind: str, thing: dict[str, Any]) -> dict[str, Any]:
        """Tell something that is not from here, such as another shop's payment."""
        return self.control("POST", "events", type=kind, object=thing)

    def roll_secret(self, endpoint: str = "we_sandboxForwardTo") -> str:
        """Give the endpoint a new signing secret; the old one signs too for a day."""
        answer = self.control("POST", f"webhook_endpoints/{endpoint}/roll_secret")
        secret: str = answer["secret"]
        return secret

    def control(
        self, method: str, path: str, *, accept: tuple[int, ...] = (200,), **body: Any
    ) -> dict[str, Any]:
        """Make one call of `/_sandbox/`, see sandbox/README.md."""
        answer = self.http.request(
            method,
            f"{self.url}/_sandbox/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.control_token}"},
        )
        assert answer.status in accept, answer.data
        result: dict[str, Any] = answer.json()
        return result

    def _wait(self) -> None:
        self.process.wait(timeout=ENDS_WITHIN)
        if self.process.stdout is not None:
            self.process.stdout.close()


def wait_for(condition: Callable[[], Any], *, within: float = 10) -> Any:
    """Return the first true value of `condition`; fail when there is none in time."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"Nothing came within {within} s")
