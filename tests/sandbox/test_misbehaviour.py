"""Control: scripted faults, clock, snapshots, limits, keys, several endpoints."""

import time
from typing import Any

import pytest
import requests
import stripe

from tests.sandbox.listener import Listener
from tests.sandbox_server import SandboxServer, wait_for

PARAMS: stripe.params.PaymentIntentCreateParams = {"amount": 1000, "currency": "usd"}
CREATE = "payment_intents.create"
DAY = 86400


def create(client: stripe.StripeClient, key: str = "one") -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(PARAMS, {"idempotency_key": key})


def status_of(sandbox: SandboxServer, key: str = "one") -> requests.Response:
    return requests.post(
        f"{sandbox.url}/v1/payment_intents",
        data=PARAMS,
        headers={
            "Authorization": "Bearer sk_test_sandbox",
            "Idempotency-Key": key,
        },
        timeout=10,
    )


class TestFaults:
    def test_only_the_calls_that_were_named(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        sandbox.fault(CREATE, "drop", calls=[3], when="after")
        create(client, "a")
        create(client, "b")

        with pytest.raises(stripe.APIConnectionError):
            create(client, "c")

        assert len(sandbox.objects("payment_intent")) == 3
        again = create(client, "c")
        assert again.id == sandbox.objects("payment_intent")[2]["id"]
        assert again.last_response is not None
        assert again.last_response.headers["Idempotent-Replayed"] == "true"

    def test_dropped_before_the_effect(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        sandbox.fault(CREATE, "drop", calls=[1])

        with pytest.raises(stripe.APIConnectionError):
            create(client)

        assert sandbox.objects("payment_intent") == []
        assert create(client).status == "requires_payment_method"

    @pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
    def test_no_answer_in_time(
        self,
        client: stripe.StripeClient,
        sandbox: SandboxServer,
        when: str,
        made: int,
    ) -> None:
        sandbox.fault(CREATE, "hang", calls=[1], when=when)
        impatient = stripe.StripeClient(
            "sk_test_sandbox",
            base_addresses={"api": sandbox.url},
            http_client=stripe.RequestsClient(timeout=0.3),
        )

        with pytest.raises(stripe.APIConnectionError):
            create(impatient)

        assert len(sandbox.objects("payment_intent")) == made
        create(client)
        assert len(sandbox.objects("payment_intent")) == 1

    def test_slow_answer(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        sandbox.fault(CREATE, "delay", calls=[1], seconds=0.4)
        started = time.monotonic()

        create(client)

        assert time.monotonic() - started >= 0.4

    @pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
    def test_stored_500_is_replayed(
        self, sandbox: SandboxServer, when: str, made: int
    ) -> None:
        sandbox.fault(CREATE, "status", calls=[1], status=500, stored=True, when=when)

        first, second = status_of(sandbox), status_of(sandbox)

        assert (first.status_code, second.status_code) == (500, 500)
        assert first.json()["error"]["type"] == "api_error"
        assert second.headers["Idempotent-Replayed"] == "true"
        assert len(sandbox.objects("payment_intent")) == made

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_500_that_is_not_stored(self, sandbox: SandboxServer, when: str) -> None:
        sandbox.fault(CREATE, "status", calls=[1], status=500, when=when)

        first, second = status_of(sandbox), status_of(sandbox)

        assert (first.status_code, second.status_code) == (500, 200)
        assert len(sandbox.objects("payment_intent")) == 1

    @pytest.mark.parametrize("status", [409, 429])
    def test_conflict_and_limit_are_not_stored(
        self, client: stripe.StripeClient, sandbox: SandboxServer, status: int
    ) -> None:
        sandbox.fault(CREATE, "status", calls=[1], status=status)

        first = status_of(sandbox)

        assert first.status_code == status
        assert "Stripe-Should-Retry" not in first.headers
        assert status_of(sandbox).status_code == 200

    def test_library_retries_what_it_may(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        sandbox.fault(CREATE, "status", calls=[1, 2], status=503)

        intent = client.v1.payment_intents.create(PARAMS, {"max_network_retries": 2})

        assert [one["id"] for one in sandbox.objects("payment_intent")] == [intent.id]

    def test_refused_connections(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        create(client)
        sandbox.refuse_connections(0.6)

        with pytest.raises(stripe.APIConnectionError):
            create(client, "two")

        def answers_again() -> bool:
            try:
                return bool(create(client, "two"))
            except stripe.APIConnectionError:
                return False

        wait_for(answers_again)

    def test_an_answer_that_is_no_json(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        sandbox.fault(CREATE, "not_json", calls=[1], status=502)

        with pytest.raises(stripe.APIError):
            create(client)

    def test_stale_lists(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        create(client)
        sandbox.fault("payment_intents.list", "stale", calls=[1], seconds=60)

        assert client.v1.payment_intents.list().data == []
        assert len(client.v1.payment_intents.list().data) == 1

    def test_nonsense_is_refused(self, sandbox: SandboxServer) -> None:
        for script in (
            {"operation": "nothing.create", "do": "drop"},
            {"operation": CREATE, "do": "explode"},
            {"operation": CREATE, "do": "drop", "how": "fast"},
        ):
            answer = requests.post(
                f"{sandbox.url}/_sandbox/faults",
                json=script,
                headers={"Authorization": f"Bearer {sandbox.control_token}"},
                timeout=10,
            )
            assert answer.status_code == 400


class TestHostileInput:
    @pytest.mark.parametrize(
        "body",
        [
            "amount=1" + "0" * 5000,
            "a" + "[b]" * 3000 + "=1",
            "amount[]=1&amount[x]=2",
            "amount=1&amount[x]=2",
            "metadata=x",
            "metadata[a][b]=1",
            "expand=latest_charge",
            "currency[]=usd",
            "%ff%fe=%00",
            "payment_method_data[card]=4242",
            "&".join(f"metadata[k{n}]=v" for n in range(51)),
            "metadata[a]=" + "x" * 501,
            "created[gte]=" + "9" * 30,
        ],
    )
    def test_is_refused_in_words(self, sandbox: SandboxServer, body: str) -> None:
        for method, path in (("POST", ""), ("GET", ""), ("GET", "/search")):
            answer = requests.request(
                method,
                f"{sandbox.url}/v1/payment_intents{path}",
                params=body if method == "GET" else None,
                data=body if method == "POST" else None,
                auth=("sk_test_sandbox", ""),
                timeout=10,
            )

            assert answer.status_code == 400, answer.text
            assert answer.json()["error"]["type"] == "invalid_request_error"


class TestClock:
    def test_keys_are_forgotten_after_a_day(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        first = create(client)
        sandbox.advance_clock(DAY - 60)
        assert create(client).id == first.id

        sandbox.advance_clock(120)

        assert create(client).id != first.id

    def test_objects_are_made_in_sandbox_time_and_signed_in_real_time(
        self, client: stripe.StripeClient, sandbox: SandboxServer, listener: Listener
    ) -> None:
        sandbox.advance_clock(10 * DAY)

        intent = create(client)

        assert abs(intent.created - time.time() - 10 * DAY) < 5
        [received] = listener.wait_for("payment_intent.created")
        stripe.Webhook.construct_event(
            received.body,
            received.headers["Stripe-Signature"],
            sandbox.webhook_secret,
        )
        made = client.v1.payment_intents.list({"created": {"gte": intent.created}})
        assert [one.id for one in made.data] == [intent.id]
        later = client.v1.payment_intents.list({"created": {"gt": intent.created}})
        assert later.data == []

    def test_events_can_be_read_for_30_days(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        create(client)
        [event] = client.v1.events.list().data

        sandbox.advance_clock(31 * DAY)

        assert client.v1.events.list().data == []
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.events.retrieve(event.id)


class TestEndpoints:
    def test_each_endpoint_has_its_types_version_and_secret(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        with Listener() as other:
            endpoint = client.v1.webhook_endpoints.create(
                {
                    "url": other.url,
                    "enabled_events": ["payment_intent.canceled"],
                    "api_version": "2026-08-26.dahlia",
                }
            )
            assert endpoint.secret is not None
            intent = create(client)
            client.v1.payment_intents.cancel(intent.id)

            [received] = other.wait_for("payment_intent.canceled")

            event = stripe.Webhook.construct_event(
                received.body, received.headers["Stripe-Signature"], endpoint.secret
            )
            assert event.api_version == "2026-08-26.dahlia"
            assert other.types() == ["payment_intent.canceled"]
            listed = client.v1.webhook_endpoints.list().data
            assert len(listed) == 2
            assert "secret" not in listed[0]
            client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
            client.v1.payment_intents.cancel(create(client, "two").id)
            sandbox.wait_until_delivered()
            assert len(other.received) == 1
            client.v1.webhook_endpoints.delete(endpoint.id)
            assert len(client.v1.webhook_endpoints.list().data) == 1

    def test_rolled_secrets_both_sign_for_a_day(
        self, client: stripe.StripeClient, sandbox: SandboxServer, listener: Listener
    ) -> None:
        old = sandbox.webhook_secret
        new = sandbox.roll_secret()
        create(client, "a")
        [received] = listener.wait_for("payment_intent.created")
        for secret in (old, new):
            _verify(received.body, received.headers["Stripe-Signature"], secret)
        listener.clear()

        sandbox.advance_clock(DAY + 60)
        create(client, "b")

        [received] = listener.wait_for("payment_intent.created")
        _verify(received.body, received.headers["Stripe-Signature"], new)
        with pytest.raises(stripe.SignatureVerificationError):
            _verify(received.body, received.headers["Stripe-Signature"], old)
        sandbox.reset(webhook_secret=old)

    def test_undelivered_events_are_known_and_can_be_sent_again(
        self, client: stripe.StripeClient, sandbox: SandboxServer, listener: Listener
    ) -> None:
        sandbox.drop_deliveries(1)
        create(client, "a")
        create(client, "b")
        sandbox.wait_until_delivered()

        [missed] = client.v1.events.list({"delivery_success": False}).data
        assert missed.pending_webhooks == 1
        assert len(client.v1.events.list({"delivery_success": True}).data) == 1
        client.raw_request("post", f"/v1/events/{missed.id}/retry")

        wait_for(lambda: len(listener.received) == 2)
        sandbox.wait_until_delivered()
        assert client.v1.events.list({"delivery_success": False}).data == []

    def test_one_fact_told_twice_and_a_foreign_one(
        self, client: stripe.StripeClient, sandbox: SandboxServer, listener: Listener
    ) -> None:
        create(client)
        [first] = listener.wait_for("payment_intent.created")

        copy = sandbox.copy_event(first.event["id"])
        sandbox.emit_event("payment_intent.succeeded", {"id": "pi_x", "object": "x"})

        wait_for(lambda: len(listener.received) == 3)
        assert copy["id"] != first.event["id"]
        assert copy["data"] == first.event["data"]


def _verify(body: bytes, header: str, secret: str) -> None:
    stripe.Webhook.construct_event(body, header, secret)


class TestTheRest:
    def test_snapshot_and_restore(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        first = create(client)
        sandbox.snapshot()
        client.v1.payment_intents.cancel(first.id)
        create(client, "two")

        sandbox.restore()

        [only] = client.v1.payment_intents.list().data
        assert (only.id, only.status) == (first.id, "requires_payment_method")
        assert create(client).id == first.id

    def test_limits_when_asked(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        for _ in range(40):
            client.v1.payment_intents.list()
        sandbox.limit_rates()

        answers = [
            requests.get(
                f"{sandbox.url}/v1/charges", auth=("sk_test_sandbox", ""), timeout=10
            )
            for _ in range(60)
        ]

        refused = [one for one in answers if one.status_code == 429]
        assert refused
        assert refused[0].headers["Stripe-Rate-Limited-Reason"] in (
            "global-rate",
            "endpoint-rate",
        )

    def test_restricted_and_expired_keys(self, sandbox: SandboxServer) -> None:
        sandbox.restrict_key("rk_test_refunds", "refunds.*", CREATE)
        sandbox.expire_key("sk_test_old")
        restricted = _with_key(sandbox, "rk_test_refunds")
        restricted.v1.refunds.list()
        restricted.v1.payment_intents.create(PARAMS)

        with pytest.raises(stripe.PermissionError):
            restricted.v1.charges.list()
        with pytest.raises(stripe.AuthenticationError, match="Expired"):
            _with_key(sandbox, "sk_test_old").v1.charges.list()

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("metadata['order']:'7'", [0]),
            ("status:'canceled' AND currency:'usd'", [1]),
            ("amount>1500", [2]),
            ("metadata['order']:'7' OR amount>=2000", [2, 0]),
            ("-metadata['order']:null", [0]),
        ],
    )
    def test_search_lags(
        self,
        client: stripe.StripeClient,
        sandbox: SandboxServer,
        query: str,
        found: list[int],
    ) -> None:
        given: list[dict[str, Any]] = [
            {"metadata": {"order": "7"}},
            {},
            {"amount": 2000},
        ]
        made = [
            client.v1.payment_intents.create(PARAMS | more).id  # type: ignore[arg-type, operator]
            for more in given
        ]
        client.v1.payment_intents.cancel(made[1])
        assert client.v1.payment_intents.search({"query": query}).data == []

        sandbox.advance_clock(120)

        result = client.v1.payment_intents.search({"query": query})
        assert [one.id for one in result.data] == [made[n] for n in found]

    def test_search_in_pages(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        for n in range(5):
            create(client, str(n))
        sandbox.advance_clock(120)

        result = client.v1.payment_intents.search({"query": "amount:1000", "limit": 2})

        assert len(list(result.auto_paging_iter())) == 5
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payment_intents.search({"query": "nonsense"})

    def test_unknown_addresses_are_named(self, sandbox: SandboxServer) -> None:
        answer = requests.get(f"{sandbox.url}/v1/payouts", timeout=10)

        assert answer.status_code == 404
        assert "/v1/payouts" in answer.json()["error"]["message"]


def _with_key(sandbox: SandboxServer, key: str) -> stripe.StripeClient:
    return stripe.StripeClient(key, base_addresses={"api": sandbox.url})
