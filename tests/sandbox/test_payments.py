"""PaymentIntents through stripe-python: create, confirm, decline, authenticate."""

import pytest
import requests
import stripe

from tests.sandbox.listener import Listener
from tests.sandbox_server import SandboxServer, wait_for

RETURN_URL = "http://127.0.0.1/return"


def create(client: stripe.StripeClient, **params: object) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(
        {"amount": 1099, "currency": "usd", **params}
    )  # type: ignore[misc]


def confirm(
    client: stripe.StripeClient, intent_id: str, method: str, **params: object
) -> stripe.PaymentIntent:
    return client.v1.payment_intents.confirm(
        intent_id,
        {"payment_method": method, "return_url": RETURN_URL, **params},  # type: ignore[misc]
    )


def browser(
    sandbox: SandboxServer, method: str, path: str, **form: str
) -> requests.Response:
    """A call as Stripe.js makes it."""
    url = f"{sandbox.frame_origin}/v1/{path}"
    form |= {"key": sandbox.publishable_key}
    sent = {"params": form} if method == "GET" else {"data": form}
    return requests.request(method, url, timeout=10, **sent)  # type: ignore[arg-type]


CARD = {
    "payment_method_data[type]": "card",
    "payment_method_data[card][number]": "4242424242424242",
    "payment_method_data[card][exp_month]": "12",
    "payment_method_data[card][exp_year]": "34",
    "payment_method_data[card][cvc]": "123",
}


def test_new_intent_waits_for_a_payment_method(client: stripe.StripeClient) -> None:
    intent = create(client, metadata={"order": "7"})

    assert intent.status == "requires_payment_method"
    assert intent.capture_method == "automatic_async"
    assert intent.client_secret is not None
    assert intent.client_secret.startswith(f"{intent.id}_secret_")
    assert len(intent.client_secret) == len(intent.id) + len("_secret_") + 25
    assert intent.metadata.to_dict() == {"order": "7"}
    assert client.v1.payment_intents.retrieve(intent.id).id == intent.id


def test_good_card_pays(
    client: stripe.StripeClient, listener: Listener, sandbox: SandboxServer
) -> None:
    intent = create(client)

    paid = confirm(client, intent.id, "pm_card_visa", expand=["latest_charge"])

    assert (paid.status, paid.amount_received) == ("succeeded", 1099)
    charge = paid.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.paid, charge.captured, charge.balance_transaction) == (
        True,
        True,
        None,
    )
    assert charge.payment_method_details is not None
    assert charge.payment_method_details.card is not None
    assert charge.payment_method_details.card.last4 == "4242"
    sandbox.advance_clock(2)
    listener.wait_for("charge.succeeded", "payment_intent.succeeded", "charge.updated")


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
def test_declined_card_leaves_the_intent_open(
    client: stripe.StripeClient,
    sandbox: SandboxServer,
    number: str,
    code: str,
    decline_code: str | None,
) -> None:
    intent = create(client)

    error = sandbox.confirm(intent.id, number)["error"]

    assert (error["type"], error["code"]) == ("card_error", code)
    assert error.get("decline_code") == decline_code
    after = client.v1.payment_intents.retrieve(intent.id)
    assert after.status == "requires_payment_method"
    assert after.payment_method is None
    assert after.last_payment_error is not None
    assert after.last_payment_error.code == code
    assert isinstance(after.latest_charge, str)
    assert sandbox.confirm(intent.id)["status"] == "succeeded"


def test_decline_of_a_server_call_is_a_402(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as caught:
        create(
            client,
            confirm=True,
            payment_method="pm_card_chargeDeclined",
            return_url=RETURN_URL,
        )

    assert caught.value.http_status == 402
    assert caught.value.error.decline_code == "generic_decline"
    assert caught.value.error.payment_intent.status == "requires_payment_method"


@pytest.mark.parametrize("number", ["4000002760003184", "4000002500003155"])
def test_challenge_completed_pays(
    client: stripe.StripeClient, sandbox: SandboxServer, number: str
) -> None:
    intent = create(client)

    waiting = sandbox.confirm(intent.id, number)

    assert (waiting["status"], waiting["latest_charge"]) == ("requires_action", None)
    assert waiting["next_action"]["type"] == "redirect_to_url"
    assert sandbox.authenticate(intent.id)["status"] == "succeeded"


def test_challenge_failed_can_be_tried_again(
    client: stripe.StripeClient, sandbox: SandboxServer
) -> None:
    intent = create(client)
    sandbox.confirm(intent.id, "4000002760003184")

    failed = sandbox.authenticate(intent.id, "fail")

    assert failed["status"] == "requires_payment_method"
    assert failed["payment_method"] is None
    assert failed["latest_charge"] is None
    error = failed["last_payment_error"]
    assert error["code"] == "payment_intent_authentication_failure"
    assert sandbox.confirm(intent.id)["status"] == "succeeded"


def test_browser_sees_less_and_needs_the_secret(
    client: stripe.StripeClient, sandbox: SandboxServer
) -> None:
    intent = create(client, metadata={"order": "7"})
    path = f"payment_intents/{intent.id}"
    secret = str(intent.client_secret)

    seen = browser(sandbox, "GET", path, client_secret=secret)

    assert seen.status_code == 200
    assert "metadata" not in seen.json()
    assert seen.headers["Access-Control-Allow-Origin"] == "*"
    assert browser(sandbox, "GET", path).status_code == 400
    assert browser(sandbox, "GET", path, client_secret="wrong").status_code == 400
    assert browser(sandbox, "POST", "payment_intents").status_code == 403


def test_browser_confirms_with_a_challenge_in_the_page(
    client: stripe.StripeClient, sandbox: SandboxServer
) -> None:
    intent = create(client)
    secret = str(intent.client_secret)
    card = CARD | {"payment_method_data[card][number]": "4000 0027 6000 3184"}

    answer = browser(
        sandbox,
        "POST",
        f"payment_intents/{intent.id}/confirm",
        client_secret=secret,
        use_stripe_sdk="true",
        return_url="http://127.0.0.1:8000/orders/7/?from=bank",
        **card,
    )

    action = answer.json()["next_action"]
    address = action["use_stripe_sdk"]["stripe_js"]
    assert address.startswith(f"{sandbox.frame_origin}/authenticate/{intent.id}?")
    posted = requests.post(
        address.partition("?")[0],
        data={"client_secret": secret, "outcome": "succeed"},
        timeout=10,
    )
    assert posted.json()["payment_intent"]["status"] == "succeeded"
    assert posted.json()["return_url"] == (
        "http://127.0.0.1:8000/orders/7/?from=bank"
        f"&payment_intent={intent.id}&payment_intent_client_secret={secret}"
        "&redirect_status=succeeded"
    )


def test_numbers_that_are_not_published_are_refused_and_not_kept(
    client: stripe.StripeClient, sandbox: SandboxServer
) -> None:
    intent = create(client)
    number = "4539148803436467"

    error = sandbox.confirm(intent.id, number)["error"]

    assert error["type"] == "card_error"
    assert "test" in error["message"]
    assert number not in str(sandbox.state())
    assert number not in sandbox.log_text()
    assert sandbox.objects("charge") == []
    wrong = sandbox.confirm(intent.id, "4242424242424241")["error"]
    assert wrong["code"] == "incorrect_number"


def test_canceled_is_final(client: stripe.StripeClient, listener: Listener) -> None:
    intent = create(client)

    canceled = client.v1.payment_intents.cancel(
        intent.id, {"cancellation_reason": "abandoned"}
    )

    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        confirm(client, intent.id, "pm_card_visa")
    assert caught.value.code == "payment_intent_unexpected_state"
    assert caught.value.error.payment_intent.status == "canceled"
    with pytest.raises(stripe.InvalidRequestError, match="status of canceled"):
        client.v1.payment_intents.cancel(intent.id)
    listener.wait_for("payment_intent.canceled")


def test_update_changes_what_is_still_open(client: stripe.StripeClient) -> None:
    intent = create(client, metadata={"a": "1", "b": "2"})

    changed = client.v1.payment_intents.update(
        intent.id, {"amount": 2000, "metadata": {"b": "", "c": "3"}}
    )

    assert changed.amount == 2000
    assert changed.metadata.to_dict() == {"a": "1", "c": "3"}
    confirm(client, intent.id, "pm_card_visa")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.payment_intents.update(intent.id, {"amount": 500})
    assert (caught.value.param, caught.value.code) == (
        "amount",
        "payment_intent_unexpected_state",
    )


def test_list_pages_newest_first(client: stripe.StripeClient) -> None:
    made = [create(client).id for _ in range(5)]

    first = client.v1.payment_intents.list({"limit": 2})

    assert [intent.id for intent in first.data] == made[:2:-1]
    assert first.has_more
    assert [intent.id for intent in first.auto_paging_iter()] == made[::-1]
    before = client.v1.payment_intents.list({"ending_before": made[1], "limit": 2})
    assert [intent.id for intent in before.data] == [made[3], made[2]]


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"currency": "usd"}, "parameter_missing", "amount"),
        (
            {"amount": "ten", "currency": "usd"},
            "parameter_invalid_integer",
            "amount",
        ),
        ({"amount": 0, "currency": "usd"}, "parameter_invalid_integer", "amount"),
        ({"amount": 49, "currency": "usd"}, "amount_too_small", "amount"),
        ({"amount": 100, "currency": "usd", "foo": "1"}, "parameter_unknown", "foo"),
        (
            {
                "amount": 100,
                "currency": "usd",
                "automatic_payment_methods": {"enable": True},
            },
            "parameter_unknown",
            "automatic_payment_methods[enable]",
        ),
        (
            {"amount": 100, "currency": "usd", "payment_method_types": ["card"]},
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
    ],
)
def test_bad_parameters_are_refused_by_name(
    client: stripe.StripeClient, params: dict[str, object], code: str, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.payment_intents.create(params)  # type: ignore[arg-type]

    assert (caught.value.code, caught.value.param) == (code, param)
    assert caught.value.request_id is not None


def test_callers_without_a_version_are_on_dahlia(sandbox: SandboxServer) -> None:
    answer = requests.post(
        f"{sandbox.url}/v1/payment_intents",
        auth=("sk_test_sandbox", ""),
        data="amount=2000&currency=usd&payment_method_types[]=card&confirm=true"
        "&payment_method=pm_card_visa",
        timeout=10,
    )

    assert answer.json()["status"] == "succeeded"
    assert answer.headers["Stripe-Version"] == "2026-08-26.dahlia"
    assert answer.json()["payment_method_types"] == ["card"]


@pytest.mark.parametrize(
    ("key", "status"),
    [(None, 401), ("nonsense", 401), ("pk_test_sandbox", 403), ("rk_test_some", 200)],
)
def test_keys(sandbox: SandboxServer, key: str | None, status: int) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}

    answer = requests.get(
        f"{sandbox.url}/v1/payment_intents", headers=headers, timeout=10
    )

    assert answer.status_code == status
    assert answer.headers["Request-Id"].startswith("req_")


def test_web_pages_get_no_answer_with_a_secret_key(sandbox: SandboxServer) -> None:
    url = f"{sandbox.url}/v1/payment_intents"

    in_form = requests.post(
        url,
        data={"amount": "100", "currency": "usd", "key": "sk_test_sandbox"},
        timeout=10,
    )
    in_header = requests.get(url, auth=("sk_test_sandbox", ""), timeout=10)

    assert in_form.status_code == 401
    assert in_header.status_code == 200
    assert "Access-Control-Allow-Origin" not in in_header.headers


def test_modes_do_not_see_each_other(
    client: stripe.StripeClient, sandbox: SandboxServer
) -> None:
    live = stripe.StripeClient("sk_live_other", base_addresses={"api": sandbox.url})

    intent = create(live)

    assert intent.livemode
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.payment_intents.retrieve(intent.id)
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
    assert "exists in live mode" in str(caught.value)
    assert client.v1.payment_intents.list().data == []


def test_element_is_told_which_methods_to_offer(
    client: stripe.StripeClient, sandbox: SandboxServer
) -> None:
    deferred = browser(
        sandbox,
        "GET",
        "elements/sessions",
        amount="500",
        currency="usd",
        mode="payment",
    )
    secret = str(create(client, excluded_payment_method_types=["klarna"]).client_secret)
    first = browser(sandbox, "GET", "elements/sessions", client_secret=secret)

    assert deferred.json()["payment_method_types"] == [
        "card",
        "us_bank_account",
        "klarna",
    ]
    assert first.json()["payment_method_types"] == ["card", "us_bank_account"]
    assert (first.json()["amount"], first.json()["currency"]) == (1099, "usd")


def test_log_and_state_hold_no_number(
    client: stripe.StripeClient, sandbox: SandboxServer
) -> None:
    sandbox.confirm(create(client).id, "4242424242424242")

    wait_for(lambda: "payment_intent.succeeded" in sandbox.log_text())
    assert "4242424242424242" not in sandbox.log_text()
    assert "4242424242424242" not in str(sandbox.state())
    assert "client_secret=" not in sandbox.log_text()
