"""window.Stripe: what it is, what it refuses, what it no longer does."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.sandbox.host_page import Host, open_host
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.browser


@pytest.fixture
def host(browser: Browser, faults: list[str], sandbox: SandboxServer) -> Iterator[Host]:
    with open_host(browser, faults, sandbox) as opened:
        yield opened


def test_script_sets_stripe_of_the_endive_train(host: Host) -> None:
    assert host.run("() => [typeof Stripe, Stripe.version]") == ["function", "endive"]


def test_only_a_publishable_key_is_taken(host: Host) -> None:
    for key, said in (
        ("", "You used an empty string"),
        ("sk_test_sandbox", "You should not use your secret key"),
        ("rk_test_sandbox", "You should not use your secret key"),
        ("nonsense", "publishable key"),
        (None, "publishable key"),
    ):
        error = host.error_of("(key) => Stripe(key)", key)
        assert error.startswith("IntegrationError: ")
        assert said in error


def test_removed_calls_throw(host: Host) -> None:
    for call in ("handleCardPayment", "confirmPaymentIntent", "initCheckout"):
        error = host.error_of("(call) => Stripe('pk_test_sandbox')[call]()", call)
        assert error == f"IntegrationError: stripe.{call}() was removed from Stripe.js."


def test_calls_outside_the_sandbox_say_so(host: Host) -> None:
    error = host.error_of("() => Stripe('pk_test_sandbox').confirmKlarnaPayment()")

    assert error.endswith("is not part of the sandbox.")


def test_wrong_options_of_elements_throw(host: Host) -> None:
    wrong: list[tuple[dict[str, object], str]] = [
        ({"paymentMethodTypes": ["card"]}, "no longer supported"),
        ({"payment_method_types": ["card"]}, "no longer supported"),
        ({"clientSecret": "pi_1_secret_2"}, "both clientSecret and mode"),
        ({"mode": "gift"}, "mode should be one of"),
        ({"amount": 10.5}, "amount should be a positive integer"),
        ({"amount": "1099"}, "amount should be a positive integer"),
        ({"amount": 0}, "amount should be a positive integer"),
        ({"currency": "USD"}, "currency should be"),
        ({"currency": None}, "currency should be"),
    ]
    for group, said in wrong:
        options = {"mode": "payment", "amount": 1099, "currency": "usd"} | group
        error = host.error_of("(o) => Stripe('pk_test_sandbox').elements(o)", options)
        assert error.startswith("IntegrationError: ")
        assert said in error


def test_a_client_secret_of_another_shape_throws(host: Host) -> None:
    error = host.error_of(
        "() => Stripe('pk_test_sandbox').elements({ clientSecret: 'pi_only' })"
    )

    assert "should be a client secret of the form" in error


def test_elements_are_created_once_and_known_by_type(host: Host) -> None:
    host.create()

    assert host.run("() => elements.getElement('payment') === element")
    assert host.run("() => elements.getElement('linkAuthentication')") is None
    assert "Can only create one" in host.error_of("() => elements.create('payment')")
    assert "valid Element name" in host.error_of("() => elements.create('gift')")


def test_mounting_nowhere_throws(host: Host) -> None:
    host.create()

    error = host.error_of("() => element.mount('#nowhere')")

    assert "applies to no DOM elements" in error


def test_a_destroyed_element_is_gone(host: Host) -> None:
    host.mount()

    host.run("() => element.destroy()")

    assert host.page.locator("#element iframe").count() == 0
    assert "already been destroyed" in host.error_of("() => element.mount('#element')")
    assert host.run("() => elements.getElement('payment')") is None
    host.run("() => { window.element = elements.create('payment'); }")


def test_an_unmounted_element_can_be_mounted_again(host: Host) -> None:
    host.mount()

    host.run("() => { element.unmount(); ev.length = 0; element.mount('#element'); }")

    host.wait_for_event("ready")
    assert host.frame.locator("[name=number]").input_value() == ""


def test_handlers_chain_fire_once_and_stop(host: Host) -> None:
    host.create()
    host.run(
        """() => {
          window.heard = [];
          const quiet = () => heard.push("quiet");
          element.on("ready", () => heard.push("on"))
            .once("ready", () => heard.push("once"))
            .on("ready", quiet).off("ready", quiet)
            .mount("#element");
        }"""
    )
    host.wait_for_event("ready")
    host.run("() => { element.unmount(); ev.length = 0; element.mount('#element'); }")
    host.wait_for_event("ready")

    assert host.run("() => heard") == ["on", "once", "on"]


def test_first_events_are_stripes(host: Host) -> None:
    host.mount()

    ready = {"elementType": "payment"}
    assert host.events("loaderstart") == [ready]
    assert host.events("ready") == [ready]
    assert host.events("availablepaymentmethodschange") == [
        {"elementType": "payment", "paymentMethods": {"card": {"available": True}}}
    ]
    assert host.events("change") == [
        {
            "elementType": "payment",
            "empty": True,
            "complete": False,
            "collapsed": False,
            "value": {"type": "card"},
        }
    ]


def test_an_unknown_intent_is_a_loaderror(host: Host) -> None:
    host.create(group={"clientSecret": "pi_unknown_secret_unknown"})

    host.run("() => element.mount('#element')")

    error = host.wait_for_event("loaderror")["error"]
    assert error["type"] == "invalid_request_error"
    assert error["code"] == "resource_missing"
    assert host.events("ready") == []


def test_a_sandbox_that_is_gone_is_a_loaderror_in_bounded_time(
    host: Host, faults: list[str]
) -> None:
    host.create()
    host.sandbox.kill()
    try:
        host.run("() => element.mount('#element')")

        event = host.wait_for_event("loaderror", within=15)
        assert event["elementType"] == "payment"
        assert event["error"]["type"] == "api_connection_error"
    finally:
        host.sandbox.restart()
    faults.clear()


def test_wrong_options_of_the_element_throw(host: Host) -> None:
    wrong: list[tuple[dict[str, object], str]] = [
        ({"layout": "stack"}, "layout should be one of tabs, accordion, auto"),
        ({"layout": {"radios": "never"}}, "layout should be one of"),
        ({"fields": {"billingDetails": {"email": False}}}, "fields.billingDetails"),
        ({"terms": {"card": "sometimes"}}, "terms.card should be one of"),
        ({"readOnly": "yes"}, "readOnly should be a boolean"),
        ({"paymentMethodOrder": "card"}, "paymentMethodOrder should be an array"),
    ]
    for options, said in wrong:
        error = host.error_of(
            """(options) => Stripe("pk_test_sandbox")
              .elements({ mode: "payment", amount: 1099, currency: "usd" })
              .create("payment", options)""",
            options,
        )
        assert error.startswith("IntegrationError: ")
        assert said in error


def test_an_unknown_option_is_only_noted(host: Host, faults: list[str]) -> None:
    host.mount(element={"colour": "red"})

    assert "Unrecognized elements.create" in faults.pop()


def test_a_payment_element_needs_to_know_what_is_paid(host: Host) -> None:
    error = host.error_of("() => Stripe('pk_test_x').elements().create('payment')")

    assert "you must pass a clientSecret or a mode" in error


def test_an_update_before_the_form_is_ready_is_not_lost(host: Host) -> None:
    host.create(group={"allowedPaymentMethodTypes": ["card", "ideal"]})

    host.run(
        """async () => {
          element.mount("#element");
          await elements.update({ currency: "eur", locale: "de" });
        }"""
    )

    host.wait_for_event("ready")
    expect(host.frame.locator(".AccordionButton")).to_have_text(["Karte", "iDEAL"])


def test_no_method_at_all_is_a_loaderror(host: Host) -> None:
    host.create(group={"excludedPaymentMethodTypes": ["card"]})

    host.run("() => element.mount('#element')")

    error = host.wait_for_event("loaderror")["error"]
    assert error["message"] == "No valid payment method types for this Payment Intent."
