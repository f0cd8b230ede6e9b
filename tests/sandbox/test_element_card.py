"""The card form inside the Payment Element's frame, as a shopper meets it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.sandbox.host_page import Host, card_digits_in, open_host
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.browser


@pytest.fixture
def host(browser: Browser, faults: list[str], sandbox: SandboxServer) -> Iterator[Host]:
    with open_host(browser, faults, sandbox) as opened:
        yield opened


def test_the_frame_is_named_titled_and_of_another_site(host: Host) -> None:
    host.mount()

    frame = host.page.locator("#element iframe")
    expect(frame).to_have_attribute("title", "Secure payment input frame")
    assert str(frame.get_attribute("name")).startswith("__privateStripeFrame")
    source = str(frame.get_attribute("src"))
    assert source.startswith(host.sandbox.frame_origin + "/endive/frames/")
    expect(host.page.locator("#element")).to_have_class(
        "StripeElement StripeElement--empty"
    )


def test_fields_are_labelled_and_autofill(host: Host) -> None:
    frame = host.mount()

    for name, label, autocomplete, inputmode in (
        ("number", "Card number", "cc-number", "numeric"),
        ("expiry", "Expiration date", "cc-exp", "numeric"),
        ("cvc", "Security code", "cc-csc", "numeric"),
        ("postalCode", "ZIP code", "billing postal-code", "numeric"),
        ("country", "Country", "billing country", None),
    ):
        field = frame.get_by_label(label, exact=True)
        expect(field).to_have_attribute("name", name)
        expect(field).to_have_attribute("autocomplete", autocomplete)
        assert field.get_attribute("inputmode") == inputmode


def test_numbers_are_grouped_by_brand(host: Host) -> None:
    frame = host.mount()
    number = frame.locator("[name=number]")
    icons = frame.locator(".Field").filter(has=number).locator("img")
    expect(icons).to_have_count(4)

    for typed, shown, brand in (
        ("4242424242424242", "4242 4242 4242 4242", "visa"),
        ("378282246310005", "3782 822463 10005", "amex"),
        ("36227206271667", "3622 720627 1667", "diners"),
        ("2223003122003222", "2223 0031 2200 3222", "mastercard"),
        ("3056930009020004", "3056 9300 0902 0004", "diners"),
        ("6011111111111117", "6011 1111 1111 1117", "discover"),
        ("3566002020360505", "3566 0020 2036 0505", "jcb"),
        ("6205500000000000004", "6205 5000 0000 0000 004", "unionpay"),
        ("4000-0566-5566-5556", "4000 0566 5566 5556", "visa"),
        ("42424242424242429", "4242 4242 4242 4242", "visa"),
    ):
        number.clear()
        number.press_sequentially(typed)
        expect(number).to_have_value(shown)
        expect(icons).to_have_count(1)
        expect(icons).to_have_attribute("src", f"{brand}.svg")
        assert host.events("carddetailschange")[-1]["details"]["brands"] == [brand]


def test_the_caret_stays_where_one_corrects(host: Host) -> None:
    number = host.mount().locator("[name=number]")
    number.press_sequentially("4242424242424242")

    for _ in range(10):
        number.press("ArrowLeft")
    number.press("Backspace")
    number.press("0")

    expect(number).to_have_value("4242 4240 4242 4242")
    assert number.evaluate("(input) => input.selectionStart") == 9


def test_expiry_is_written_with_a_slash(host: Host) -> None:
    expiry = host.mount().locator("[name=expiry]")

    for typed, shown in (
        ("1234", "12 / 34"),
        ("434", "04 / 34"),
        ("12/34", "12 / 34"),
        ("1/34", "01 / 34"),
    ):
        expiry.clear()
        expiry.press_sequentially(typed)
        expect(expiry).to_have_value(shown)


def test_expiry_filled_in_by_the_browser_with_a_long_year(host: Host) -> None:
    expiry = host.mount().locator("[name=expiry]")

    expiry.fill("12/2034")

    expect(expiry).to_have_value("12 / 34")


def test_expiry_can_be_deleted_key_by_key(host: Host) -> None:
    expiry = host.mount().locator("[name=expiry]")
    expiry.press_sequentially("1234")

    for _ in range(7):
        expiry.press("Backspace")

    expect(expiry).to_have_value("")


def test_cvc_is_as_long_as_the_brand_has_it(host: Host) -> None:
    frame = host.mount()
    cvc = frame.locator("[name=cvc]")
    frame.locator("[name=number]").fill("378282246310005")
    cvc.press_sequentially("12345")
    expect(cvc).to_have_value("1234")

    frame.locator("[name=number]").fill("4242424242424242")

    expect(cvc).to_have_value("123")


def test_what_is_wrong_is_said_on_leaving_the_field(host: Host) -> None:
    frame = host.mount()

    for name, typed, said in (
        ("number", "4242", "Your card number is incomplete."),
        ("number", "4242424242424241", "Your card number is invalid."),
        ("expiry", "12", "Your card's expiration date is incomplete."),
        ("expiry", "1220", "Your card's expiration year is in the past."),
        ("expiry", "13/34", "Your card's expiration date is invalid."),
        ("expiry", "1299", "Your card's expiration year is invalid."),
        ("cvc", "12", "Your card's security code is incomplete."),
        ("postalCode", "1234", "Your postal code is incomplete."),
    ):
        field = frame.locator(f"[name={name}]")
        host.run("() => element.clear()")
        expect(field).to_have_value("")
        field.fill(typed)
        expect(field).not_to_have_attribute("aria-invalid", "true")
        field.blur()
        expect(field).to_have_attribute("aria-invalid", "true")
        error = frame.get_by_text(said)
        expect(error).to_be_visible()
        described = str(field.get_attribute("aria-describedby")).split()
        assert error.get_attribute("id") in described


def test_a_month_of_this_year_in_the_past_is_refused(host: Host) -> None:
    today = datetime.now(tz=UTC)
    if today.month == 1:
        expiry, said = f"12{today.year - 1 - 2000}", "year is in the past"
    else:
        expiry, said = f"01{today.year - 2000}", "date is in the past"
    frame = host.mount()

    frame.locator("[name=expiry]").fill(expiry)
    frame.locator("[name=expiry]").blur()

    expect(frame.get_by_text(said)).to_be_visible()


def test_empty_fields_are_blamed_only_on_submit(host: Host) -> None:
    frame = host.mount()
    frame.locator("[name=number]").focus()
    frame.locator("[name=number]").blur()
    expect(frame.locator("[aria-invalid]")).to_have_count(0)

    host.submit()

    expect(frame.locator("[aria-invalid]")).to_have_count(4)
    expect(frame.locator("[name=number]")).to_be_focused()


def test_an_error_goes_when_the_field_is_right(host: Host) -> None:
    frame = host.mount()
    frame.locator("[name=cvc]").fill("12")
    host.submit()
    expect(frame.locator("[name=cvc]")).to_have_attribute("aria-invalid", "true")

    frame.locator("[name=cvc]").fill("123")

    expect(frame.locator("[name=cvc]")).not_to_have_attribute("aria-invalid", "true")


def test_changes_are_told_without_card_data(host: Host) -> None:
    host.mount()

    host.fill_card("4242424242424242")

    last = host.events("change")[-1]
    assert (last["empty"], last["complete"]) == (False, True)
    assert not card_digits_in(host.run("() => ev"))
    host.frame.locator("[name=cvc]").fill("1")
    assert host.events("change")[-1]["complete"] is False


def test_typed_values_survive_updates(host: Host) -> None:
    frame = host.mount()
    host.fill_card("4242424242424242")

    host.run("() => elements.update({ amount: 2198 })")
    host.run("() => elements.update({ appearance: { theme: 'night' } })")
    host.run("() => elements.update({ locale: 'de' })")

    expect(frame.get_by_label("Kartennummer")).to_have_value("4242 4242 4242 4242")
    for name, value in (("expiry", "12 / 34"), ("cvc", "123"), ("postalCode", "12345")):
        expect(frame.locator(f"[name={name}]")).to_have_value(value)


def test_updates_end_with_an_event(host: Host) -> None:
    host.mount()
    host.run("() => { window.ended = 0; elements.on('update-end', () => ended++); }")

    host.run("() => elements.update({ amount: 2198 })")

    assert host.run("() => ended") == 1


def test_postal_code_is_asked_where_banks_check_it(host: Host) -> None:
    frame = host.mount()

    for country, label in (("GB", "Postal code"), ("CA", "Postal code"), ("US", "ZIP")):
        frame.locator("[name=country]").select_option(country)
        expect(frame.get_by_label(label)).to_be_visible()
    frame.locator("[name=country]").select_option("DE")

    expect(frame.locator("[name=postalCode]")).to_be_hidden()


def test_address_fields_can_be_left_to_the_page(host: Host) -> None:
    address = {"country": "never", "postalCode": "never"}
    fields = {"billingDetails": {"address": address}}

    frame = host.mount(element={"fields": fields})

    expect(frame.locator("[name=country]")).to_have_count(0)
    expect(frame.locator("[name=postalCode]")).to_have_count(0)


def test_defaults_are_filled_in_and_read_only_holds(host: Host) -> None:
    details = {"address": {"country": "GB", "postal_code": "WS11 1DB"}}

    frame = host.mount(
        element={"defaultValues": {"billingDetails": details}, "readOnly": True}
    )

    expect(frame.locator("[name=country]")).to_have_value("GB")
    expect(frame.locator("[name=country]")).to_be_disabled()
    expect(frame.get_by_label("Postal code")).to_have_value("WS11 1DB")
    expect(frame.locator("[name=number]")).not_to_be_editable()


def test_enter_raises_submit_on_the_pages_form(host: Host) -> None:
    frame = host.mount()
    host.run(
        """() => {
          window.submits = 0;
          const form = document.querySelector("form");
          form.querySelector("button").disabled = true;
          form.addEventListener("submit", () => { submits++; });
        }"""
    )

    frame.locator("[name=cvc]").press("Enter")

    host.wait_for_event("focus")
    assert host.run("() => submits") == 1


def test_focus_blur_and_escape_are_told(host: Host) -> None:
    frame = host.mount()

    frame.locator("[name=number]").focus()
    frame.locator("[name=number]").press("Escape")
    frame.locator("[name=expiry]").focus()
    frame.locator("[name=expiry]").blur()

    host.wait_for_event("blur")
    assert [len(host.events(name)) for name in ("focus", "escape", "blur")] == [1, 1, 1]


def test_the_page_can_focus_and_clear(host: Host) -> None:
    frame = host.mount()
    host.fill_card("4242424242424242")
    host.frame.locator("[name=cvc]").fill("1")
    host.submit()

    host.run("() => element.clear()")
    expect(frame.locator("[name=number]")).to_have_value("")
    expect(frame.locator("[aria-invalid]")).to_have_count(0)
    assert host.wait_for_event("change")["empty"] is True
    host.run("() => element.focus()")

    expect(frame.locator("[name=number]")).to_be_focused()


def test_tab_walks_through_the_form_in_order(host: Host) -> None:
    frame = host.mount()
    frame.locator("[name=number]").focus()

    for name in ("expiry", "cvc", "country", "postalCode"):
        host.page.keyboard.press("Tab")
        expect(frame.locator(f"[name={name}]")).to_be_focused()
    host.page.keyboard.press("Tab")

    expect(host.page.get_by_role("button", name="Pay")).to_be_focused()


def test_the_page_does_not_jump_when_the_form_comes(host: Host) -> None:
    host.create()

    host.run("() => element.mount('#element')")
    before = height_of(host)
    host.wait_for_event("ready")
    after = height_of(host)

    assert abs(after - before) <= 8


def test_the_frame_grows_with_its_content(host: Host) -> None:
    host.mount()
    before = height_of(host)

    host.submit()

    expect(host.frame.locator(".Error").first).not_to_be_empty()
    assert height_of(host) > before + 40


@pytest.mark.parametrize(
    ("appearance", "scheme"),
    [
        ({}, "light"),
        ({"theme": "flat"}, "light"),
        ({"theme": "night"}, "dark"),
        ({"variables": {"colorBackground": "#101218"}}, "dark"),
    ],
)
def test_a_dark_appearance_makes_a_dark_frame(
    host: Host, appearance: dict[str, Any], scheme: str
) -> None:
    frame = host.mount(group={"appearance": appearance})

    root = frame.locator("html")
    expect(root).to_have_css("color-scheme", scheme)
    expect(root).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    # Different schemes on both sides would paint the frame opaque.
    expect(host.page.locator("#element iframe")).to_have_css("color-scheme", scheme)


def test_appearance_reaches_the_fields(host: Host) -> None:
    variables = {"colorText": "#112233", "borderRadius": "9px", "fontSizeBase": "18px"}
    rules = {
        ".Input": {"borderTopColor": "#445566"},
        ".Label": {"font-weight": "700"},
        ".Input--invalid": {"color": "#aa0000"},
    }

    frame = host.mount(group={"appearance": {"variables": variables, "rules": rules}})

    number = frame.locator("[name=number]")
    expect(number).to_have_css("border-radius", "9px")
    expect(number).to_have_css("border-top-color", "rgb(68, 85, 102)")
    expect(number).to_have_css("font-size", "18px")
    label = frame.locator("label").first
    expect(label).to_have_css("color", "rgb(17, 34, 51)")
    expect(label).to_have_css("font-weight", "700")
    host.submit()
    expect(number).to_have_css("color", "rgb(170, 0, 0)")


def test_a_rule_for_every_input_hides_no_error(host: Host) -> None:
    rules = {".Input": {"borderColor": "#445566", "boxShadow": "none"}}
    frame = host.mount(group={"appearance": {"rules": rules}})

    host.submit()

    cvc = frame.locator("[name=cvc]")
    expect(cvc).to_have_css("border-top-color", "rgb(223, 27, 65)")


@pytest.mark.parametrize("locale", ["fr", "nonsense"])
def test_unknown_languages_fall_back_to_english(host: Host, locale: str) -> None:
    frame = host.mount(group={"locale": locale})

    expect(frame.get_by_label("Card number")).to_be_visible()
    expect(frame.locator("html")).to_have_attribute("lang", "en")


def test_german_is_german_throughout(host: Host) -> None:
    frame = host.mount(stripe={"locale": "de"})
    intent = host.place_intent()

    error = host.submit()["error"]
    assert error["message"] == "Ihre Kartennummer ist unvollständig."
    expect(frame.locator("html")).to_have_attribute("lang", "de")
    expect(frame.locator("[name=country] option:checked")).to_have_text(
        "Vereinigte Staaten"
    )
    host.fill_card("4000000000000002")
    error = host.pay(intent["client_secret"])["error"]
    assert error["message"] == "Ihre Karte wurde abgelehnt."


def test_auto_is_the_browsers_language(
    browser: Browser, faults: list[str], sandbox: SandboxServer
) -> None:
    with open_host(browser, faults, sandbox, locale="de-AT") as host:
        frame = host.mount(group={"locale": "auto"})

        expect(frame.get_by_label("Kartennummer")).to_be_visible()
        expect(frame.locator("[name=country]")).to_have_value("AT")


def test_nothing_is_cut_at_320_pixels(
    browser: Browser, faults: list[str], sandbox: SandboxServer
) -> None:
    narrow = {"width": 320, "height": 640}
    with open_host(browser, faults, sandbox, viewport=narrow) as host:
        frame = host.mount()
        host.submit()

        overflow = "(root) => root.scrollWidth - root.clientWidth"
        assert frame.locator("html").evaluate(overflow) == 0
        assert host.page.locator("html").evaluate(overflow) == 0
        for box in frame.locator("input, select").all():
            size = box.bounding_box()
            assert size is not None
            assert size["height"] >= 44


def height_of(host: Host) -> float:
    box = host.page.locator("#element iframe").bounding_box()
    assert box is not None
    return box["height"]
