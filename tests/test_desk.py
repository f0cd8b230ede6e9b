"""The start page tells at a glance; each page costs a constant number of queries."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client, TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from checkout import attention, charts, disputes, figures, gateway, health, timeline
from checkout.models import (
    Attention,
    Dispute,
    Mail,
    Order,
    OrderLine,
    Refund,
    Shop,
    StripeEvent,
    User,
)
from tests.factories import (
    deliver,
    make_event,
    make_intent,
    make_order,
    payment_succeeded,
)

Kind = Attention.Kind


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


def light(name: str) -> health.Signal:
    [found] = [signal for signal in health.signals() if signal.name == name]
    return found


def paid(**fields: Any) -> Order:
    order = make_order()
    state = {"status": "paid", "amount_received": 1099, "paid_at": timezone.now()}
    Order.objects.filter(pk=order.pk).update(**{**state, **fields})
    order.refresh_from_db()
    return order


def event(**fields: Any) -> StripeEvent:
    defaults = {
        "id": f"evt_{StripeEvent.objects.count()}",
        "type": "payment_intent.succeeded",
        "created": timezone.now(),
        "livemode": False,
        "payload": {},
        "deliveries": 1,
        "outcome": "applied",
    }
    return StripeEvent.objects.create(**{**defaults, **fields})


def declined(order: Order, decline_code: str | None, **changes: Any) -> dict[str, Any]:
    """Return the event of one attempt to pay that the bank refused."""
    error = {"code": "card_declined", "decline_code": decline_code}
    about = {name: changes.pop(name) for name in ("id", "metadata") if name in changes}
    intent = make_intent(
        order,
        status="requires_payment_method",
        amount_received=0,
        last_payment_error=error,
        **about,
    )
    return make_event("payment_intent.payment_failed", intent, **changes)


class WebhookLightTests(TestCase):
    def test_green_while_events_come(self):
        deliver(self.client, payment_succeeded(make_order()))
        assert light("Webhooks").level == "ok"

    def test_red_since_the_first_event_that_was_not_delivered(self):
        event(received_at=ago(hours=3))
        first = event(deliveries=0, created=ago(hours=2), received_at=ago(hours=2))
        event(deliveries=0, created=ago(hours=1), received_at=ago(hours=1))

        signal = light("Webhooks")
        assert (signal.level, signal.since) == ("problem", first.created)

    def test_red_since_the_first_payment_no_event_told_of(self):
        event(received_at=ago(hours=3))
        order = paid(paid_at=ago(minutes=30))

        signal = light("Webhooks")
        assert (signal.level, signal.since) == ("problem", order.paid_at)

    def test_not_yet_red_within_the_patience(self):
        event(received_at=ago(hours=3))
        paid(paid_at=ago(minutes=3))
        event(deliveries=0, created=ago(minutes=4), received_at=ago(minutes=3))
        assert light("Webhooks").level != "problem"

    def test_red_turns_green_when_they_come_again(self):
        event(received_at=ago(days=3))
        paid(paid_at=ago(days=2))
        assert light("Webhooks").level == "problem"

        deliver(self.client, payment_succeeded(make_order()))

        assert light("Webhooks").level == "ok"

    def test_amber_while_some_had_to_be_fetched(self):
        event(deliveries=0, created=ago(hours=2), received_at=ago(hours=2))
        event()
        signal = light("Webhooks")
        assert signal.level == "warning"
        assert signal.text.startswith("1 event ")


class OtherLightTests(TestCase):
    def test_failed_event_is_red_since_it_came_until_it_is_applied(self):
        row = event(outcome="failed", received_at=ago(hours=2))
        assert light("Failed events").level == "problem"
        assert light("Failed events").since == row.received_at

        StripeEvent.objects.update(outcome="applied")
        assert light("Failed events").level == "ok"

    def test_reconciler_goes_from_green_over_amber_to_red(self):
        assert light("Reconciler").level == "problem"
        for minutes, level in ((1, "ok"), (5, "warning"), (11, "problem")):
            Shop.objects.update(reconciled_at=ago(minutes=minutes))
            assert light("Reconciler").level == level

    def test_oldest_order_without_an_answer(self):
        assert light("Orders being confirmed").level == "ok"
        order = make_order(look_at=ago(minutes=1))
        assert light("Orders being confirmed").level == "ok"
        assert "waits" not in light("Orders being confirmed").text
        Order.objects.update(look_at=(late := ago(minutes=11)))
        order.refresh_from_db()
        assert order.look_at == late
        assert light("Orders being confirmed").level == "problem"
        assert light("Orders being confirmed").since == order.look_at

    def test_mail_nobody_takes(self):
        Mail.objects.create(kind="confirmation", order=make_order(), about="x")
        assert light("Mail").level == "ok"
        Mail.objects.update(queued_at=ago(minutes=11))
        assert light("Mail").level == "problem"


@pytest.mark.parametrize(
    ("key", "base", "text"),
    [
        ("sk_test_0", "http://127.0.0.1:1", "Test, at the sandbox: no real money."),
        ("sk_test_0", "https://api.stripe.com", "Test, at Stripe: no real money."),
        ("sk_live_0", "https://api.stripe.com", "Live, at Stripe: real money."),
    ],
)
@pytest.mark.django_db
def test_mode_is_told(settings: Settings, key: str, base: str, text: str) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = key, base
    assert light("Mode").text == text
    assert gateway.is_live() == ("Live" in text)


class FiguresTests(TestCase):
    def test_days_add_up_and_leave_out_what_is_not_of_this_shop(self):
        one = paid()
        make_order()
        paid(placed_at=ago(days=29))
        paid(placed_at=ago(days=31))
        paid(livemode=True)
        make_order(currency="eur")
        Refund.objects.create(
            order=one, amount=99, stripe_id="re_1", status="succeeded", source="x"
        )
        Refund.objects.create(order=one, amount=50, status="failed", source="x")

        other = paid(livemode=True)
        for count, (order, status) in enumerate(
            [(one, "lost"), (one, "won"), (one, "needs_response"), (other, "lost")]
        ):
            Dispute.objects.create(
                stripe_id=f"du_{count}", order=order, amount=7, currency="usd",
                reason="fraudulent", status=status, as_of=timezone.now(),
            )  # fmt: skip

        days = figures.by_day()
        today, month = figures.total(days[-1:]), figures.total(days)

        assert len(days) == 30
        assert (today.placed, today.paid, today.conversion) == (2, 1, 50)
        assert (today.revenue, today.refunded) == (1099, 99)
        assert today.charged_back == 7
        assert (month.placed, month.paid, month.conversion) == (3, 2, 67)

    def test_every_declined_attempt_counts_once(self):
        order = make_order()
        no_funds = declined(order, "insufficient_funds")
        for event in (
            no_funds,
            no_funds,
            declined(order, "insufficient_funds"),
            declined(order, "expired_card"),
            declined(order, None),
            declined(order, "lost_card", created=int(ago(days=31).timestamp())),
            declined(order, "lost_card", livemode=True),
            declined(order, "lost_card", id="pi_of_another_shop", metadata={}),
        ):
            assert deliver(self.client, event).status_code == 200
        deliver(self.client, payment_succeeded(order))

        assert figures.declines() == [
            ("insufficient_funds", 2), ("card_declined", 1), ("expired_card", 1),
        ]  # fmt: skip
        with self.settings(STRIPE_SECRET_KEY="sk_live_0"):
            assert figures.declines() == []

    def test_no_orders_have_no_conversion(self):
        assert figures.total(figures.by_day()).conversion is None


def test_bars_stay_inside_their_drawing() -> None:
    chart = charts.bars([0, 5, 10], ["a", "b", "c"], parts=[0, 5, 2])
    assert [bar.height for bar in chart.bars] == [0, 500, 1000]
    assert [bar.y for bar in chart.bars] == [1000, 500, 0]
    assert [bar.part for bar in chart.bars] == [0, 500, 200]
    assert chart.bars[-1].x + chart.bars[-1].width <= charts.WIDTH
    assert charts.bars([0, 0], ["a", "b"]).top == 0


class AttentionTests(TestCase):
    def tell(self, **facts: str) -> None:
        attention.open_item(
            Kind.MONEY_WITHOUT_ORDER, "pi_1", None, **{"received": "1 usd", **facts}
        )

    def resolve(self) -> Attention:
        item = Attention.objects.get()
        assert attention.resolve(item, note="Refunded.", by="olga@example.com")
        return item

    def test_every_round_of_the_reconciler_tells_it_and_it_stays_resolved(self):
        self.tell()
        item = self.resolve()
        for hours in (30, 20, 10, 1, 0):
            # Told again and again since, so never silent for long.
            Attention.objects.update(told_at=ago(hours=min(hours, 20)))
            self.tell()
        item.refresh_from_db()
        assert not item.is_open
        assert item.told_at > ago(minutes=1)

    def test_it_opens_again_after_a_day_of_silence(self):
        self.tell()
        self.resolve()
        Attention.objects.update(told_at=ago(hours=25))
        self.tell()

        item = Attention.objects.get()
        assert item.is_open
        assert (item.resolved_by, item.note) == ("", "Refunded.")
        assert item.opened_at > ago(minutes=1)

    def test_other_amounts_are_another_item(self):
        self.tell()
        self.resolve()
        self.tell(received="2 usd")
        assert Attention.objects.filter(resolved_at__isnull=True).count() == 1

    def test_it_is_resolved_once(self):
        self.tell()
        item = self.resolve()
        assert not attention.resolve(item, note="Again.", by="x")

    def test_a_dispute_that_begins_anew_opens_its_item(self):
        order = paid()
        reported = {
            "id": "du_1", "payment_intent": order.payment_intent_id, "amount": 1099,
            "currency": "usd", "reason": "fraudulent", "due_by": 0,
        }  # fmt: skip
        for as_of, status in enumerate(("needs_response", "won", "needs_response")):
            disputes.record(
                gateway.Dispute(status=status, **reported), as_of=as_of, source="evt_1"
            )
        assert Attention.objects.get().is_open
        assert Dispute.objects.get().is_open


class TimelineTests(TestCase):
    def test_everything_in_its_order_with_who_did_it(self):
        order = make_order()
        deliver(self.client, payment_succeeded(order))
        order.record("paid", "paid", source="olga@example.com", note="refund asked")
        Mail.objects.update(sent_at=timezone.now())

        entries = timeline.of(order)

        assert [entry.at for entry in entries] == sorted(e.at for e in entries)
        assert {"Shopper", "Webhook", "Mail", "olga@example.com"} == {
            entry.who for entry in entries
        }
        assert sum(entry.event.startswith("evt_") for entry in entries) == 2


class QueryTests(TestCase):
    """More rows cost no more queries."""

    def setUp(self) -> None:
        self.desk = Client()
        self.desk.force_login(User.objects.create_superuser("olga@example.com", "x"))

    def queries(self, path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert self.desk.get(path).status_code == 200
        return len(captured)

    def trade(self, count: int) -> None:
        for number in range(count):
            order = make_order(decline_code=f"code_{number}")
            deliver(self.client, payment_succeeded(order))
            deliver(self.client, payment_succeeded(make_order(), amount_received=1))

    def fill(self, order: Order, count: int) -> None:
        product = order.lines.get().product
        OrderLine.objects.filter(order=order).update(product=product)
        for number in range(count):
            order.record("paid", "paid", source="x", note="y")
            Refund.objects.create(order=order, amount=1, source="x")
            Mail.objects.create(order=order, kind="refund", about=f"{order}{number}")
            Attention.objects.create(order=order, kind="stuck", subject=str(number))
            event(id=f"evt_{number}", payment_intent_id=order.payment_intent_id)
            Dispute.objects.create(
                order=order, stripe_id=f"du_{number}", amount=1, currency="usd",
                reason="x", status="won", as_of=timezone.now(),
            )  # fmt: skip

    def test_lists_and_start_page(self):
        Shop.current()
        self.trade(1)
        paths = {
            "/admin/": 15,
            "/admin/checkout/order/": 5,
            "/admin/checkout/order/?q=shopper@": 5,
            "/admin/checkout/attention/": 5,
            "/admin/checkout/stripeevent/": 5,
        }
        for path, expected in paths.items():
            assert self.queries(path) <= expected, path
        few = {path: self.queries(path) for path in paths}
        self.trade(4)
        assert {path: self.queries(path) for path in paths} == few

    def test_one_order(self):
        order = paid()
        path = f"/admin/checkout/order/{order.pk}/change/"
        self.fill(order, 1)
        few = self.queries(path)
        Attention.objects.all().delete()
        self.fill_more(order)
        assert self.queries(path) == few <= 20

    def fill_more(self, order: Order) -> None:
        for model in (Refund, Mail, StripeEvent, Dispute):
            model._default_manager.all().delete()
        self.fill(order, 5)


class PageTests(TestCase):
    def test_start_page_shows_strip_attention_and_sales(self):
        self.client.force_login(User.objects.create_superuser("o@example.com", "x"))
        Attention.objects.create(
            kind="stuck", subject="pi_1", received="1099 usd", opened_at=ago(days=2)
        )
        page = self.client.get("/admin/").content.decode()
        assert page.count('class="light ') == 6
        assert "Processing for too long" in page
        assert "$10.99" in page
        assert page.count("<rect") == 30 * 3 * 2
        assert "style=" not in page

    def test_a_moment_ago_is_just_now(self):
        self.client.force_login(User.objects.create_superuser("o@example.com", "x"))
        item = Attention.objects.create(kind="stuck", subject="pi_1")
        assert ">just now</time>" in self.client.get("/admin/").content.decode()
        Attention.objects.filter(pk=item.pk).update(opened_at=ago(minutes=5))
        assert ">5\xa0minutes ago</time>" in self.client.get("/admin/").content.decode()

    def test_staff_who_may_not_see_orders_see_no_figures(self):
        user = User.objects.create_user("clerk@example.com", "x", is_staff=True)
        self.client.force_login(user)
        page = self.client.get("/admin/").content.decode()
        assert "Revenue" not in page
        assert 'class="light ' not in page
