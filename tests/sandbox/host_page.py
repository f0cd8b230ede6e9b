"""A shop's page at its barest, to drive the sandbox's Stripe.js in a real browser.

It stands on 127.0.0.1 behind a strict Content-Security-Policy; the script and its
frames come from the sandbox. `ev` collects the Element's events, `result` what a
confirmation resolved to.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests
from playwright.sync_api import Browser, FrameLocator, Page

from tests.browsers import WAIT_MILLISECONDS, _watch
from tests.sandbox_server import SandboxServer, wait_for

TITLE = "Secure payment input frame"
EVENTS = [
    "ready",
    "change",
    "focus",
    "blur",
    "escape",
    "loaderstart",
    "loaderror",
    "availablepaymentmethodschange",
    "carddetailschange",
]
PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Host</title>
    <link rel="stylesheet" href="/host.css">
    <script src="{script}"></script>
  </head>
  <body>
    <h1>Pay</h1>
    <form><div id="element"></div><button>Pay</button></form>
  </body>
</html>"""
STYLE = "body { margin: 1rem auto; max-width: 28rem; padding: 0 1rem }"
CARD = ["card"]


class HostServer:
    def __init__(self, sandbox: SandboxServer) -> None:
        body = PAGE.format(script=sandbox.js_url).encode()
        policy = (
            f"default-src 'none'; script-src {sandbox.url}; style-src 'self'; "
            f"frame-src {sandbox.frame_origin}; base-uri 'none'"
        )

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                is_style = self.path == "/host.css"
                self.send_response(200)
                kind = "text/css" if is_style else "text/html; charset=utf-8"
                self.send_header("Content-Type", kind)
                self.send_header("Content-Security-Policy", policy)
                self.end_headers()
                self.wfile.write(STYLE.encode() if is_style else body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Host:
    """One open page and what a shop's script would do in it."""

    def __init__(self, page: Page, sandbox: SandboxServer, url: str) -> None:
        self.page = page
        self.sandbox = sandbox
        self.url = url

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator(f"iframe[title='{TITLE}']")

    @property
    def challenge(self) -> FrameLocator:
        return self.page.frame_locator("iframe[title='3D Secure']")

    def run(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)

    def error_of(self, script: str, argument: Any = None) -> str:
        """Run what must throw, now or as a rejected promise: `Name: message`."""
        answer: str = self.run(
            f"""async (argument) => {{
              try {{ await ({script})(argument); return "nothing thrown"; }}
              catch (error) {{ return `${{error.name}}: ${{error.message}}`; }}
            }}""",
            argument,
        )
        return answer

    def create(
        self,
        group: dict[str, Any] | None = None,
        element: dict[str, Any] | None = None,
        stripe: dict[str, Any] | None = None,
    ) -> None:
        """Make Stripe, Elements and a Payment Element; deferred 10.99 by card."""
        deferred = {"mode": "payment", "amount": 1099, "currency": "usd"}
        group = {"allowedPaymentMethodTypes": CARD} | deferred | (group or {})
        if "clientSecret" in group:
            group = {"clientSecret": group["clientSecret"]}
        self.run(
            """([key, options, group, own, events]) => {
              window.ev = [];
              window.stripe = Stripe(key, options);
              window.elements = stripe.elements(group);
              window.element = elements.create("payment", own);
              for (const name of events) element.on(name, (e) => ev.push([name, e]));
            }""",
            [self.sandbox.publishable_key, stripe or {}, group, element or {}, EVENTS],
        )

    def mount(self, **options: Any) -> FrameLocator:
        """Create, mount and wait until the form is ready."""
        self.create(**options)
        self.run("() => element.mount('#element')")
        self.wait_for_event("ready")
        return self.frame

    def events(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.run(
            "(name) => ev.filter(([n]) => n === name).map(([, e]) => e)", name
        )
        return found

    def wait_for_event(self, name: str, within: float = 10) -> dict[str, Any]:
        events: list[dict[str, Any]] = wait_for(
            lambda: self.events(name), within=within
        )
        return events[-1]

    def fill_card(self, number: str, expiry: str = "12 / 34", cvc: str = "123") -> None:
        self.frame.locator("[name=number]").fill(number)
        self.frame.locator("[name=expiry]").fill(expiry)
        self.frame.locator("[name=cvc]").fill(cvc)
        self.frame.locator("[name=postalCode]").fill("12345")

    def submit(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.run("() => elements.submit()")
        return answer

    def start_confirming(
        self,
        client_secret: str,
        *,
        redirect: str = "if_required",
        **params: Any,
    ) -> None:
        """Call confirmPayment as a shop does; `result` will have the answer."""
        options = {
            "clientSecret": client_secret,
            "redirect": redirect,
            "confirmParams": {"return_url": f"{self.url}back", **params},
        }
        self.run(
            """(options) => {
              window.result = null;
              stripe.confirmPayment({ elements, ...options })
                .catch((error) => ({ thrown: `${error.name}: ${error.message}` }))
                .then((answer) => { window.result = answer; });
            }""",
            options,
        )

    def result(self) -> dict[str, Any]:
        answer: dict[str, Any] = wait_for(lambda: self.run("() => window.result"))
        return answer

    def pay(self, client_secret: str, **params: Any) -> dict[str, Any]:
        """Submit what is typed and confirm; return what the page is told."""
        assert "error" not in self.submit()
        self.start_confirming(client_secret, **params)
        return self.result()

    def place_intent(self, amount: int = 1099, currency: str = "usd") -> dict[str, Any]:
        """Open a PaymentIntent as the shop's server does."""
        answer = requests.post(
            f"{self.sandbox.url}/v1/payment_intents",
            data={"amount": amount, "currency": currency},
            headers={
                "Authorization": f"Bearer {self.sandbox.secret_key}",
                "Stripe-Version": "2026-10-28.endive",
            },
            timeout=10,
        )
        intent: dict[str, Any] = answer.json()
        return intent

    def status_of(self, intent: dict[str, Any]) -> str:
        intents = self.sandbox.objects("payment_intent")
        found = next(each for each in intents if each["id"] == intent["id"])
        return str(found["status"])


@contextmanager
def open_host(
    browser: Browser, faults: list[str], sandbox: SandboxServer, **options: Any
) -> Iterator[Host]:
    """Open the page; what is wrong in it becomes one of the test's faults."""
    server = HostServer(sandbox)
    context = browser.new_context(**{"locale": "en-US", **options})
    context.set_default_timeout(WAIT_MILLISECONDS)
    _watch(context, faults)
    page = context.new_page()
    page.goto(server.url)
    try:
        yield Host(page, sandbox, server.url)
    finally:
        context.close()
        server.close()


def card_digits_in(value: Any) -> bool:
    """Whether anything of the card 4242… 12/34 123 stands in `value`."""
    text = json.dumps(value)
    return any(part in text for part in ("4242", '"123"', "12 / 34", '"1234"'))
