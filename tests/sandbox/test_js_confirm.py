"""confirmPayment and its relatives: every way a payment can end in the page."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.sandbox.host_page import Host, card_digits_in, open_host
from tests.sandbox_server import SandboxServer, wait_for

pytestmark = pytest.mark.browser

AUTHENTICATION_FAILED = (
    "We are unable to authenticate your payment method. Please choose a different "
    "payment method and try again."
)


@pytest.fixture
def host(browser: Browser, faults: list[str], sandbox: SandboxServer) -> Iterator[Host]:
    with open_host(browser, faults, sandbox) as opened:
        yield opened


def test_a_card_pays_in_the_page_and_no_card_data_reaches_it(host: Host) -> None:
    host.run(
        """() => {
          window.seen = [];
          addEventListener("message", ({ data }) => seen.push(data), true);
        }"""
    )
    host.mount()
    intent = host.place_intent()
    host.fill_card("4242424242424242")

    answer = host.pay(intent["client_secret"])

    assert answer["paymentIntent"]["status"] == "succeeded"
    assert answer["paymentIntent"]["id"] == intent["id"]
    assert "metadata" not in answer["paymentIntent"]
    assert host.status_of(intent) == "succeeded"
    told = [host.run("() => ev"), host.run("() => seen"), answer]
    assert not card_digits_in(told)


def test_submit_names_the_method(host: Host) -> None:
    host.mount()
    host.fill_card("4242424242424242")

    assert host.submit() == {"selectedPaymentMethod": "card"}


def test_billing_details_of_form_and_page_are_joined(host: Host) -> None:
    host.mount()
    intent = host.place_intent()
    host.fill_card("4242424242424242")

    data = {"billing_details": {"email": "a@example.com", "address": {"city": "Rome"}}}
    host.pay(intent["client_secret"], payment_method_data=data)

    [charge] = host.sandbox.objects("charge")
    assert charge["billing_details"]["email"] == "a@example.com"
    assert charge["billing_details"]["address"]["city"] == "Rome"
    assert charge["billing_details"]["address"]["country"] == "US"
    assert charge["billing_details"]["address"]["postal_code"] == "12345"


@pytest.mark.parametrize(
    ("number", "code", "decline_code"),
    [
        ("4000000000000002", "card_declined", "generic_decline"),
        ("4000000000009995", "card_declined", "insufficient_funds"),
        ("4000000000000069", "expired_card", None),
        ("4000000000000127", "incorrect_cvc", None),
        ("4000000000000119", "processing_error", None),
    ],
)
def test_a_decline_resolves_to_a_card_error(
    host: Host, number: str, code: str, decline_code: str | None
) -> None:
    host.mount()
    intent = host.place_intent()
    host.fill_card(number)

    error = host.pay(intent["client_secret"])["error"]

    assert (error["type"], error["code"]) == ("card_error", code)
    assert error.get("decline_code") == decline_code
    assert error["message"].startswith(("Your card", "An error occurred"))
    assert error["payment_intent"]["status"] == "requires_payment_method"


def test_the_same_form_pays_after_a_decline(host: Host) -> None:
    host.mount()
    intent = host.place_intent()
    host.fill_card("4000000000000002")
    assert "error" in host.pay(intent["client_secret"])

    host.frame.locator("[name=number]").fill("4242424242424242")
    answer = host.pay(intent["client_secret"])

    assert answer["paymentIntent"]["status"] == "succeeded"


def test_an_incomplete_form_never_calls(host: Host) -> None:
    host.mount()
    intent = host.place_intent()
    host.frame.locator("[name=number]").fill("4242")

    error = host.submit()["error"]

    assert error == {
        "type": "validation_error",
        "code": "incomplete_number",
        "message": "Your card number is incomplete.",
    }
    assert host.status_of(intent) == "requires_payment_method"
    assert host.sandbox.objects("charge") == []


def test_deferred_elements_must_be_submitted_first(host: Host) -> None:
    host.mount()
    intent = host.place_intent()
    host.fill_card("4242424242424242")

    host.start_confirming(intent["client_secret"])

    assert host.result() == {
        "thrown": "IntegrationError: elements.submit() must be called before "
        "stripe.confirmPayment()."
    }


def test_an_update_asks_for_another_submit(host: Host) -> None:
    host.mount()
    intent = host.place_intent(amount=2198)
    host.fill_card("4242424242424242")
    host.submit()
    host.run("() => elements.update({ amount: 2198 })")

    host.start_confirming(intent["client_secret"])
    assert "elements.submit() must be called" in host.result()["thrown"]

    answer = host.pay(intent["client_secret"])
    assert answer["paymentIntent"]["amount"] == 2198


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        (2198, "usd", "provided amount (1099) does not match the expected amount"),
        (1099, "eur", "provided currency (usd) does not match the expected currency"),
    ],
)
def test_a_deferred_form_pays_only_what_it_showed(
    host: Host, amount: int, currency: str, said: str
) -> None:
    host.mount()
    intent = host.place_intent(amount=amount, currency=currency)
    host.fill_card("4242424242424242")

    error = host.pay(intent["client_secret"])["error"]

    assert error["type"] == "invalid_request_error"
    assert said in error["message"]
    assert host.status_of(intent) == "requires_payment_method"


def test_a_form_that_would_keep_the_card_pays_no_other_intent(host: Host) -> None:
    host.mount(group={"setupFutureUsage": "off_session"})
    intent = host.place_intent()
    host.fill_card("4242424242424242")

    error = host.pay(intent["client_secret"])["error"]

    assert "The provided setup_future_usage (off_session)" in error["message"]


def test_elements_of_an_intent_need_no_submit(host: Host) -> None:
    intent = host.place_intent()
    host.mount(group={"clientSecret": intent["client_secret"]})
    host.fill_card("4242424242424242")

    host.start_confirming(intent["client_secret"])

    assert host.result()["paymentIntent"]["status"] == "succeeded"
    assert host.run("() => elements.fetchUpdates()") == {}


def test_a_return_url_is_needed_unless_redirects_are(host: Host) -> None:
    host.mount()
    secret = host.place_intent()["client_secret"]
    call = "(o) => stripe.confirmPayment({ elements, ...o })"

    error = host.error_of(call, {"clientSecret": secret})
    assert "return_url is required" in error
    params = {"return_url": "/back"}
    error = host.error_of(call, {"clientSecret": secret, "confirmParams": params})
    assert "must be a full address" in error
    error = host.error_of(call, {"clientSecret": secret, "redirect": "never"})
    assert "redirect should be one of" in error


def test_redirect_always_leaves_with_three_parameters(host: Host) -> None:
    host.mount()
    intent = host.place_intent()
    host.fill_card("4242424242424242")
    host.submit()

    host.start_confirming(intent["client_secret"], redirect="always")
    host.page.wait_for_url("**/back?*")

    assert came_back_with(host.page) == {
        "payment_intent": intent["id"],
        "payment_intent_client_secret": intent["client_secret"],
        "redirect_status": "succeeded",
    }


def test_redirect_always_stays_after_a_decline(host: Host) -> None:
    host.mount()
    intent = host.place_intent()
    host.fill_card("4000000000000002")
    host.submit()

    host.start_confirming(intent["client_secret"], redirect="always")

    assert host.result()["error"]["code"] == "card_declined"


def test_completing_the_challenge_pays(host: Host) -> None:
    host.mount()
    intent = host.place_intent()
    host.fill_card("4000002760003184")
    host.submit()

    host.start_confirming(intent["client_secret"])
    expect(host.challenge.get_by_role("button", name="Complete")).to_be_focused()
    assert host.run("() => Boolean(document.querySelector('dialog:modal'))")
    host.challenge.get_by_role("button", name="Complete").click()

    assert host.result()["paymentIntent"]["status"] == "succeeded"
    assert host.status_of(intent) == "succeeded"
    assert host.page.locator("dialog").count() == 0


@pytest.mark.parametrize("way", ["Fail", "Close", "Escape inside", "Escape outside"])
def test_a_challenge_not_completed_is_an_error_and_can_be_retried(
    host: Host, way: str
) -> None:
    host.mount()
    intent = host.place_intent()
    host.fill_card("4000002760003184")
    host.submit()
    host.start_confirming(intent["client_secret"])
    expect(host.challenge.get_by_role("button", name="Complete")).to_be_focused()

    if way == "Escape outside":
        host.run("() => document.querySelector('dialog').focus()")
    if way.startswith("Escape"):
        host.page.keyboard.press("Escape")
    else:
        host.challenge.get_by_role("button", name=way).click()

    error = host.result()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["code"] == "payment_intent_authentication_failure"
    assert error["message"] == AUTHENTICATION_FAILED
    assert host.status_of(intent) == "requires_payment_method"
    host.frame.locator("[name=number]").fill("4242424242424242")
    answer = host.pay(intent["client_secret"])
    assert answer["paymentIntent"]["status"] == "succeeded"


def test_the_challenge_speaks_the_pages_language(host: Host) -> None:
    host.mount(stripe={"locale": "de"})
    intent = host.place_intent()
    host.fill_card("4000002760003184")
    host.submit()

    host.start_confirming(intent["client_secret"])
    host.challenge.get_by_role("button", name="Ablehnen").click()

    message = host.result()["error"]["message"]
    assert message.startswith("Ihre Zahlungsmethode konnte nicht authentifiziert")


def test_a_decline_after_the_challenge_is_a_card_error(host: Host) -> None:
    host.mount()
    intent = host.place_intent()
    host.fill_card("4000008400001629")
    host.submit()

    host.start_confirming(intent["client_secret"])
    host.challenge.get_by_role("button", name="Complete").click()

    error = host.result()["error"]
    assert (error["type"], error["code"]) == ("card_error", "card_declined")


@pytest.mark.parametrize(
    ("button", "redirect_status", "status"),
    [
        ("Authorize test payment", "succeeded", "succeeded"),
        ("Fail test payment", "failed", "requires_payment_method"),
    ],
)
def test_a_redirect_method_leaves_and_comes_back(
    host: Host, button: str, redirect_status: str, status: str
) -> None:
    eur = {"currency": "eur", "allowedPaymentMethodTypes": ["ideal"]}
    host.mount(group=eur)
    intent = host.place_intent(currency="eur")
    assert host.submit() == {"selectedPaymentMethod": "ideal"}

    host.start_confirming(intent["client_secret"])
    host.page.get_by_role("button", name=button).click()
    host.page.wait_for_url("**/back?*")

    assert came_back_with(host.page)["redirect_status"] == redirect_status
    assert host.status_of(intent) == status


def test_a_saved_method_is_confirmed_without_elements(host: Host) -> None:
    intent = host.place_intent()

    answer = host.run(
        """([key, clientSecret]) => Stripe(key).confirmPayment({
          clientSecret,
          confirmParams: { payment_method: "pm_card_visa", return_url: location.href },
          redirect: "if_required",
        })""",
        [host.sandbox.publishable_key, intent["client_secret"]],
    )

    assert answer["paymentIntent"]["status"] == "succeeded"


def test_the_intent_can_be_retrieved_and_its_next_action_done(host: Host) -> None:
    intent = host.place_intent()
    secret = intent["client_secret"]
    host.create()
    requests.post(
        f"{host.sandbox.url}/v1/payment_intents/{intent['id']}/confirm",
        data={
            "payment_method": "pm_card_authenticationRequired",
            "return_url": host.url,
            "use_stripe_sdk": "true",
        },
        headers={"Authorization": f"Bearer {host.sandbox.secret_key}"},
        timeout=10,
    )

    found = host.run("(secret) => stripe.retrievePaymentIntent(secret)", secret)
    assert found["paymentIntent"]["status"] == "requires_action"
    host.run(
        """(clientSecret) => {
          window.result = null;
          stripe.handleNextAction({ clientSecret })
            .then((answer) => { window.result = answer; });
        }""",
        secret,
    )
    host.challenge.get_by_role("button", name="Complete").click()

    assert host.result()["paymentIntent"]["status"] == "succeeded"
    error = host.error_of("() => stripe.retrievePaymentIntent('pi_1')")
    assert "should be a client secret of the form" in error


def test_a_wrong_secret_is_an_error_not_an_exception(host: Host) -> None:
    intent = host.place_intent()
    host.create()

    answer = host.run(
        "(secret) => stripe.retrievePaymentIntent(secret)",
        f"{intent['id']}_secret_wrong",
    )

    assert answer["error"]["type"] == "invalid_request_error"


def test_never_fields_must_come_with_the_confirmation(host: Host) -> None:
    host.mount(element={"fields": {"billingDetails": {"email": "never"}}})
    intent = host.place_intent()
    host.fill_card("4242424242424242")
    host.submit()

    host.start_confirming(intent["client_secret"])
    assert host.result()["thrown"].startswith(
        'IntegrationError: You specified "never" for fields.billing_details.email'
    )

    data = {"billing_details": {"email": "a@example.com"}}
    answer = host.pay(intent["client_secret"], payment_method_data=data)
    assert answer["paymentIntent"]["status"] == "succeeded"


def test_a_sandbox_that_is_gone_is_a_connection_error(
    host: Host, faults: list[str]
) -> None:
    host.mount()
    intent = host.place_intent()
    host.fill_card("4242424242424242")
    host.submit()
    host.sandbox.kill()
    try:
        host.start_confirming(intent["client_secret"])

        assert host.result()["error"]["type"] == "api_connection_error"
    finally:
        host.sandbox.restart()
    faults.clear()


def test_a_payment_method_is_made_from_elements(host: Host) -> None:
    host.mount()
    host.fill_card("5555555555554444")

    answer = host.run("() => stripe.createPaymentMethod({ elements })")

    assert answer["paymentMethod"]["card"]["brand"] == "mastercard"
    assert "number" not in answer["paymentMethod"]["card"]


def came_back_with(page: Page) -> dict[str, str]:
    query = wait_for(lambda: urlsplit(page.url).query)
    return {name: values[0] for name, values in parse_qs(query).items()}
