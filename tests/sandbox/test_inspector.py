"""The sandbox's own page: live, and only for the address bar."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import stripe
from playwright.sync_api import Browser, Page, expect

from sandbox import bank_accounts, cards
from tests.browsers import DESKTOP
from tests.sandbox.listener import Listener
from tests.sandbox_server import SandboxServer

PARAMS: stripe.params.PaymentIntentCreateParams = {"amount": 1850, "currency": "usd"}


@pytest.fixture
def inspector(browser: Browser, sandbox: SandboxServer) -> Iterator[Page]:
    """The page, open; it may fail neither in the console nor against its CSP."""
    context = browser.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{sandbox.frame_origin}/")
    yield page
    context.close()
    assert not faults, "\n".join(faults)


class TestPage:
    def test_a_purchase_appears_as_it_happens(
        self, inspector: Page, sandbox: SandboxServer, client: stripe.StripeClient
    ) -> None:
        expect(inspector).to_have_url(f"{sandbox.url}/")
        expect(inspector.get_by_role("status")).to_have_text("live")

        intent = client.v1.payment_intents.create(PARAMS)
        row = inspector.get_by_role("button", name=intent.id)
        paid = inspector.locator("[data-list=intents]").get_by_role("button")
        expect(paid).to_contain_text("requires_payment_method")
        sandbox.confirm(intent.id)

        expect(paid).to_contain_text("$18.50")
        expect(paid).to_contain_text("succeeded")
        expect(row.filter(has_text="payment_intent.succeeded")).to_contain_text("200")
        row.filter(has_text="payment_intent.created").click()
        detail = inspector.get_by_label("Details")
        expect(detail).to_contain_text('type: "payment_intent.created"')
        inspector.keyboard.press("ArrowUp")
        expect(detail).not_to_contain_text('type: "payment_intent.created"')

    def test_a_pending_debit_is_completed_and_disputed(
        self, inspector: Page, sandbox: SandboxServer, client: stripe.StripeClient
    ) -> None:
        euros: stripe.params.PaymentIntentCreateParams = {
            "amount": 4200,
            "currency": "eur",
        }
        for button, status in (
            ("The bank pays", "succeeded"),
            ("The bank refuses", "requires_payment_method"),
        ):
            intent = client.v1.payment_intents.create(euros)
            sandbox.confirm(intent.id, iban="AT321904300235473204")
            chosen = inspector.locator(f"[data-key={intent.id}]").get_by_role("button")
            chosen.click()
            inspector.get_by_role("button", name=button).click()
            expect(chosen).to_contain_text(status)
        inspector.locator("[data-list=intents] li").nth(1).get_by_role("button").click()
        inspector.get_by_role("button", name="The cardholder disputes").click()

        expect(inspector.get_by_label("Details")).to_contain_text("needs_response")

    def test_the_clock_moves_and_events_come_again(
        self,
        inspector: Page,
        sandbox: SandboxServer,
        client: stripe.StripeClient,
        listener: Listener,
    ) -> None:
        client.v1.payment_intents.create(PARAMS)
        [first] = listener.wait_for("payment_intent.created")

        inspector.get_by_role("tab", name="Deliveries").click()
        inspector.locator("[data-list=deliveries] button").click()
        inspector.get_by_role("button", name="Deliver again").click()
        expect(inspector.locator("[data-list=deliveries] li")).to_have_count(2)
        inspector.get_by_role("button", name="+1 day").click()
        expect(inspector.locator("[data-ahead]")).to_have_text("1 d ahead")

        again = listener.wait_for("payment_intent.created")
        assert [one.event["id"] for one in again] == [first.event["id"]] * 2

    def test_deliveries_are_held(
        self, inspector: Page, sandbox: SandboxServer, client: stripe.StripeClient
    ) -> None:
        inspector.get_by_role("button", name="Hold deliveries").click()
        release = inspector.get_by_role("button", name="Release deliveries")
        expect(release).to_be_visible()
        client.v1.payment_intents.create(PARAMS)
        event = inspector.locator("[data-list=events] button")
        expect(event).to_contain_text("pending")

        release.click()

        expect(event).to_contain_text("200")

    def test_what_was_bought_elsewhere_cannot_run_here(
        self, inspector: Page, sandbox: SandboxServer, client: stripe.StripeClient
    ) -> None:
        markup = "<img src=x onerror=console.error(1)>"
        intent = client.v1.payment_intents.create(PARAMS | {"description": markup})

        inspector.locator(f"[data-key={intent.id}] button").click()

        expect(inspector.get_by_label("Details")).to_contain_text(markup)

    def test_test_cards_are_found_and_copied(self, inspector: Page) -> None:
        inspector.get_by_role("link", name="Test cards").click()
        inspector.get_by_role("searchbox").fill("insufficient_funds")
        rows = inspector.locator("tbody tr:visible")

        expect(rows.first).to_contain_text("Declined: insufficient_funds")
        rows.first.get_by_role("button", name="Copy").first.click()

        copied = inspector.evaluate("() => navigator.clipboard.readText()")
        assert copied == "4000000000009995"


class TestGuards:
    def test_the_page_is_for_the_address_bar_of_this_machine(
        self, sandbox: SandboxServer
    ) -> None:
        page = f"{sandbox.url}/"
        shown = requests.get(page, timeout=10)
        policy = shown.headers["Content-Security-Policy"]

        assert sandbox.control_token in shown.text
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "Access-Control-Allow-Origin" not in shown.headers
        for headers in (
            {"Host": f"evil.example:{sandbox.port}"},
            {"Host": "127.0.0.1.evil.example"},
            {"Sec-Fetch-Dest": "iframe"},
            {"Sec-Fetch-Dest": "script"},
        ):
            refused = requests.get(page, headers=headers, timeout=10)
            assert refused.status_code == 403
            assert sandbox.control_token not in refused.text

    def test_the_token_is_nowhere_else(self, sandbox: SandboxServer) -> None:
        for path in ("test-cards", "test-cards.json", "inspector/index.html"):
            shown = requests.get(f"{sandbox.url}/{path}", timeout=10)
            assert sandbox.control_token not in shown.text
        inside = requests.get(f"{sandbox.url}/inspector/..%2fkeys.py", timeout=10)
        assert inside.status_code == 404

    @pytest.mark.parametrize("origin", ["http://evil.example", "null"])
    def test_another_page_may_not_control(
        self, sandbox: SandboxServer, origin: str
    ) -> None:
        call: dict[str, Any] = {
            "url": f"{sandbox.url}/_sandbox/clock",
            "json": {"advance": 1},
            "timeout": 10,
        }
        token = {"Authorization": f"Bearer {sandbox.control_token}"}
        neighbour = f"http://127.0.0.1:{sandbox.port + 1}"

        for other in (origin, neighbour, sandbox.frame_origin):
            refused = requests.post(headers=token | {"Origin": other}, **call)
            assert refused.status_code == 403
            assert "Access-Control-Allow-Origin" not in refused.headers
        own = requests.post(headers=token | {"Origin": sandbox.url}, **call)
        assert own.status_code == 200
        assert requests.post(headers={"Origin": sandbox.url}, **call).status_code == 403


def test_a_page_that_waits_is_told_next_to_nothing(
    sandbox: SandboxServer, client: stripe.StripeClient
) -> None:
    def watch(since: str) -> dict[str, Any]:
        return sandbox.control("GET", f"watch?since={since}")

    client.v1.payment_intents.create(PARAMS)
    sandbox.wait_until_delivered()
    first = watch("")

    assert [one["amount"] for one in first["intents"]] == [1850]
    assert set(watch(first["version"])) == {"version", "now"}
    client.v1.payment_intents.create(PARAMS)
    assert len(watch(first["version"])["intents"]) == 2


def test_all_test_data_is_told(sandbox: SandboxServer) -> None:
    groups = requests.get(f"{sandbox.url}/test-cards.json", timeout=10).json()
    rows = [row for group in groups for row in group["rows"]]

    told = {row["number"] for row in rows}
    assert told == set(cards.BY_NUMBER) | {one.number for one in bank_accounts.ACCOUNTS}
    assert all(re.match(r"[A-Z3]", row["does"]) for row in rows)
