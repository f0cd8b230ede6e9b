"""Several payment methods in one element, and what each of them sends."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, expect

from tests.sandbox.host_page import Host, open_host
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.browser

SEVERAL = ["card", "sepa_debit", "ideal", "bancontact"]
EUROS = {"currency": "eur", "allowedPaymentMethodTypes": SEVERAL}
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"


@pytest.fixture
def host(browser: Browser, faults: list[str], sandbox: SandboxServer) -> Iterator[Host]:
    with open_host(browser, faults, sandbox) as opened:
        yield opened


def mount(host: Host, **element: Any) -> FrameLocator:
    return host.mount(group=EUROS, element=element)


def test_several_methods_stand_in_an_accordion(host: Host) -> None:
    frame = mount(host)

    names = frame.locator(".AccordionButton").all_inner_texts()
    assert names == ["Card", "SEPA Direct Debit", "iDEAL", "Bancontact"]
    card = frame.get_by_role("button", name="Card")
    sepa = frame.get_by_role("button", name="SEPA Direct Debit")
    expect(card).to_have_attribute("aria-expanded", "true")
    expect(frame.locator("[name=number]")).to_be_visible()

    sepa.press("Enter")

    expect(card).to_have_attribute("aria-expanded", "false")
    expect(sepa).to_have_attribute("aria-expanded", "true")
    expect(frame.locator("[name=number]")).to_be_hidden()
    expect(frame.locator("[name=iban]")).to_be_visible()
    assert host.events("change")[-1]["value"] == {"type": "sepa_debit"}


def test_the_page_chooses_the_order(host: Host) -> None:
    frame = mount(host, paymentMethodOrder=["ideal", "card"])

    names = frame.locator(".AccordionButton").all_inner_texts()
    assert names[:2] == ["iDEAL", "Card"]
    assert host.events("change")[-1]["value"] == {"type": "ideal"}


def test_an_accordion_may_start_closed_and_be_closed(host: Host) -> None:
    frame = mount(host, layout={"type": "accordion", "defaultCollapsed": True})
    assert host.events("change")[-1]["collapsed"] is True
    assert host.submit()["error"]["message"] == "Please select a payment method."

    frame.get_by_role("button", name="Card").click()
    expect(frame.locator("[name=number]")).to_be_visible()
    host.run("() => element.collapse()")

    expect(frame.locator("[name=number]")).to_be_hidden()
    assert host.events("change")[-1]["collapsed"] is True


def test_methods_beyond_the_visible_ones_wait_behind_a_button(host: Host) -> None:
    layout = {"type": "accordion", "visibleAccordionItemsCount": 2}
    frame = mount(host, layout=layout)
    expect(frame.get_by_role("button", name="iDEAL")).to_be_hidden()

    frame.get_by_role("button", name="More payment methods").press("Enter")

    expect(frame.get_by_role("button", name="iDEAL")).to_be_focused()
    expect(frame.get_by_role("button", name="More payment methods")).to_have_count(0)


def test_tabs_are_walked_with_arrows(host: Host) -> None:
    frame = mount(host, layout="tabs")
    card = frame.get_by_role("tab", name="Card")
    expect(card).to_have_attribute("aria-selected", "true")
    card.focus()

    card.press("ArrowRight")

    sepa = frame.get_by_role("tab", name="SEPA Direct Debit")
    expect(sepa).to_be_focused()
    expect(sepa).to_have_attribute("aria-selected", "true")
    expect(frame.locator("[name=iban]")).to_be_visible()
    host.page.keyboard.press("ArrowLeft")
    expect(card).to_be_focused()


def test_what_was_typed_survives_another_choice(host: Host) -> None:
    frame = mount(host)
    frame.locator("[name=number]").fill("4242424242424242")

    frame.get_by_role("button", name="iDEAL").click()
    expect(frame.get_by_text("you will be redirected to your bank")).to_be_visible()
    frame.get_by_role("button", name="Card").click()

    expect(frame.locator("[name=number]")).to_have_value("4242 4242 4242 4242")


def test_wrong_ibans_are_refused_in_the_form(host: Host) -> None:
    frame = mount(host, paymentMethodOrder=["sepa_debit"])
    iban = frame.locator("[name=iban]")

    for typed, said in (
        ("DE8937040044", "The IBAN you entered is incomplete."),
        ("DE00370400440532013000", "The IBAN you entered is invalid."),
        ("XX89370400440532013000", "The IBAN you entered is invalid."),
    ):
        iban.fill(typed)
        iban.blur()
        expect(frame.get_by_text(said)).to_be_visible()


def test_sepa_debit_needs_name_and_mail_and_goes_processing(host: Host) -> None:
    frame = mount(host, paymentMethodOrder=["sepa_debit"], business={"name": "Shop"})
    expect(frame.get_by_text("you authorise (A) Shop")).to_be_visible()
    intent = host.place_intent(currency="eur")
    frame.locator("[name=iban]").press_sequentially("de89370400440532013000")
    expect(frame.locator("[name=iban]")).to_have_value("DE89 3704 0044 0532 0130 00")
    assert host.submit()["error"]["code"] == "incomplete_name"

    frame.get_by_label("Full name").fill("A Shopper")
    frame.get_by_label("Email").fill("a@example.com")
    answer = host.pay(intent["client_secret"])

    assert answer["paymentIntent"]["status"] == "processing"


def test_a_us_bank_account_goes_processing(host: Host) -> None:
    frame = host.mount(group={"allowedPaymentMethodTypes": ["us_bank_account"]})
    intent = host.place_intent()
    frame.get_by_label("Full name").fill("A Shopper")
    frame.get_by_label("Email").fill("a@example.com")
    frame.get_by_label("Routing number").fill("110000001")
    frame.get_by_label("Account number").fill("000123456789")
    assert host.submit()["error"]["message"] == "Your routing number is invalid."

    frame.get_by_label("Routing number").fill("110000000")
    answer = host.pay(intent["client_secret"])

    assert answer["paymentIntent"]["status"] == "processing"


def test_the_mail_the_page_already_has_is_not_asked_again(host: Host) -> None:
    frame = mount(
        host,
        paymentMethodOrder=["sepa_debit"],
        fields={"billingDetails": {"email": "never"}},
        defaultValues={"billingDetails": {"name": "A Shopper"}},
        terms={"sepaDebit": "never"},
    )

    expect(frame.locator("[name=email]")).to_have_count(0)
    expect(frame.locator("[name=name]")).to_have_value("A Shopper")
    expect(frame.get_by_text("you authorise")).to_have_count(0)


def test_terms_of_a_card_are_shown_when_asked_for(host: Host) -> None:
    frame = host.mount(element={"terms": {"card": "always"}})

    expect(frame.get_by_text("you allow the merchant to charge")).to_be_visible()


def test_another_currency_offers_other_methods(host: Host) -> None:
    group = {"allowedPaymentMethodTypes": ["card", "ideal"]}
    frame = host.mount(group=group)
    frame.locator("[name=number]").fill("4242424242424242")
    expect(frame.locator(".AccordionButton")).to_have_count(0)

    host.run("() => elements.update({ currency: 'eur' })")

    expect(frame.locator(".AccordionButton")).to_have_count(2)
    expect(frame.locator("[name=number]")).to_have_value("4242 4242 4242 4242")


def test_the_element_can_be_updated_in_place(host: Host) -> None:
    frame = mount(host)
    frame.locator("[name=number]").fill("4242424242424242")

    host.run("() => element.update({ layout: 'tabs', readOnly: true })")

    expect(frame.get_by_role("tab")).to_have_count(4)
    expect(frame.locator("[name=number]")).to_have_value("4242 4242 4242 4242")
    expect(frame.locator("[name=number]")).not_to_be_editable()


def test_a_mail_element_feeds_the_payment(host: Host) -> None:
    host.mount()
    intent = host.place_intent()
    host.run(
        """() => {
          const place = document.body.appendChild(document.createElement("div"));
          window.mail = elements.create("linkAuthentication");
          mail.on("change", (event) => { window.mailed = event; });
          mail.mount(place);
        }"""
    )
    frame = host.page.frame_locator("iframe[title='Secure email input frame']")
    frame.get_by_label("Email").fill("a@example.com")
    host.fill_card("4242424242424242")

    host.pay(intent["client_secret"])

    [charge] = host.sandbox.objects("charge")
    assert charge["billing_details"]["email"] == "a@example.com"
    assert host.run("() => mailed") == {
        "elementType": "linkAuthentication",
        "empty": False,
        "complete": True,
        "value": {"email": "a@example.com"},
    }


@pytest.mark.skipif(not AXE.exists(), reason="axe-core comes with npm ci")
@pytest.mark.parametrize(
    ("group", "element"),
    [
        ({}, {}),
        ({"appearance": {"theme": "night"}}, {}),
        ({"appearance": {"theme": "flat", "labels": "floating"}}, {}),
        (EUROS, {}),
        (EUROS, {"layout": "tabs"}),
        (EUROS, {"paymentMethodOrder": ["sepa_debit"]}),
    ],
)
def test_no_rule_of_accessibility_is_broken(
    host: Host, group: dict[str, Any], element: dict[str, Any]
) -> None:
    host.mount(group=group, element=element)
    host.submit()
    if group.get("appearance", {}).get("theme") == "night":
        # Inside the frame the page behind it cannot be seen, here by axe.
        dark = "(root) => { root.style.background = '#14161c'; }"
        host.frame.locator("html").evaluate(dark)

    assert violations(host, "/frames/element.html") == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core comes with npm ci")
def test_the_challenge_breaks_no_rule_of_accessibility(host: Host) -> None:
    host.mount()
    intent = host.place_intent()
    host.fill_card("4000002760003184")
    host.submit()
    host.start_confirming(intent["client_secret"])
    expect(host.challenge.get_by_role("button", name="Complete")).to_be_focused()

    assert violations(host, "/authenticate/") == []


def violations(host: Host, path: str) -> list[str]:
    """What axe finds in the frame of this path."""
    [frame] = [frame for frame in host.page.frames if path in frame.url]
    frame.evaluate(AXE.read_text())
    found: list[str] = frame.evaluate(
        """async () => {
          const { violations } = await axe.run(document, {
            // A frame is a part of a page: it needs no heading of its own.
            rules: { "page-has-heading-one": { enabled: false } },
          });
          return violations.map(({ id, nodes }) =>
            [id, ...nodes.map((node) => node.html + node.failureSummary)].join(" | "));
        }"""
    )
    return found
