"""What an operator does, and what nobody can do by a request made by hand."""

import csv
import io
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.sites import site
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.core import mail, signing
from django.test import Client, TestCase
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import override

from checkout.admin.showing import in_words, moment
from checkout.models import (
    Attention,
    Dispute,
    Mail,
    Order,
    OrderHistory,
    OrderLine,
    Product,
    Refund,
    StripeEvent,
    User,
)
from tests.factories import deliver, make_event, make_order, payment_succeeded
from tests.shopper import ShopperTestCase

pytestmark = pytest.mark.usefixtures("sandbox")

REFUND_FAILS = "4000000000005126"
REFUND_WAITS = "4000000000007726"
TOTAL = 10_100
MONEY = [
    Order, OrderLine, OrderHistory, Refund, Dispute, StripeEvent, Attention, Product,
]  # fmt: skip


def staff(email: str, *permissions: str) -> Client:
    """Return the browser of somebody with these permissions only."""
    user = User.objects.create_user(email, "x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("olga@example.com", "x"))
    return client


def money() -> list[Any]:
    """Return every row about money as it is."""
    return [list(model._default_manager.order_by("pk").values()) for model in MONEY]


def words_of(response: Any) -> str:
    """Return the messages an operator reads on the page they are sent to."""
    return " ".join(str(message) for message in response.context["messages"])


class OperatorTestCase(ShopperTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.desk = operator()

    def path(self, act: str) -> str:
        return reverse(f"admin:checkout_order_{act}", args=[self.order().pk])

    def act(self, act: str, **fields: Any) -> Any:
        return self.desk.post(self.path(act), fields, follow=True)

    def look_once_more(self, amount: str, **fields: Any) -> str:
        """Fill the form; return what the second look would send."""
        form = {"amount": amount, "reason": "requested_by_customer", **fields}
        page = self.desk.get(self.path("refund"), form, follow=True)
        looked_at: str = page.context["looked_at"]
        return looked_at

    def page(self) -> str:
        return self.desk.get(self.path("change")).content.decode()


class RefundTests(OperatorTestCase):
    def test_part_then_the_rest_each_after_a_second_look(self):
        self.buy()
        looked_at = self.look_once_more("1.00")
        assert not Refund.objects.exists()

        assert "$1.00 refunded" in words_of(
            self.act("refund_review", looked_at=looked_at)
        )
        self.act("refund_review", looked_at=self.look_once_more("100.00"))

        assert self.order().amount_refunded == TOTAL
        assert set(Refund.objects.values_list("source")) == {("olga@example.com",)}
        assert "Nothing is left to refund" in self.page()
        # On a phone there is no head of a column to tell it from the total.
        listed = self.desk.get(reverse("admin:checkout_order_changelist"))
        self.assertContains(listed, ">−$101.00</td>")

    def test_a_form_sent_twice_is_one_refund(self):
        self.buy()
        looked_at = self.look_once_more("1.00")

        self.act("refund_review", looked_at=looked_at)
        self.act("refund_review", looked_at=looked_at)

        assert self.order().amount_refunded == 100
        assert len(self.sandbox.objects("refund")) == 1

    def test_back_to_the_second_look_refunds_nothing_more(self):
        self.buy()
        looked_at = self.look_once_more("1.00")
        again = {"path": self.path("refund_review"), "data": {"looked_at": looked_at}}
        assert "Refund $1.00 now" in self.desk.get(**again).content.decode()
        self.act("refund_review", looked_at=looked_at)

        assert "asked for already" in words_of(self.desk.get(**again, follow=True))
        assert (
            self.desk.post(self.path("refund"), {"amount": "1.00"}).status_code == 405
        )
        assert Refund.objects.count() == 1

    def test_amounts_are_typed_as_people_write_them(self):
        self.buy()
        for typed in ("1.005", "0", "-1", "101.01", "1e1", "abc", ""):
            page = self.desk.get(self.path("refund"), {"amount": typed})
            assert page.context["form"].errors["amount"], typed
        german = {"Accept-Language": "de"}
        form = {"amount": "1,50", "reason": "duplicate"}
        page = self.desk.get(self.path("refund"), form, headers=german, follow=True)
        assert page.context["amount"] == 150

    def test_another_amount_than_was_looked_at_is_not_refunded(self):
        self.buy()
        other = signing.dumps({"order": self.order().pk, "amount": TOTAL}, salt="other")

        for forged in (other, "x", ""):
            page = self.act("refund_review", looked_at=forged, amount="101.00")
            assert "out of date" in words_of(page)
        assert not Refund.objects.exists()

    def test_blocked_with_the_reason_while_disputed(self):
        order = self.buy()
        self.sandbox.dispute(order.charge_id)
        looked_at = self.look_once_more("1.00")
        self.deliver_events("charge.dispute.created")

        assert "A dispute is open" in self.page()
        page = self.act("refund_review", looked_at=looked_at)
        assert "A dispute is open" in words_of(page)
        assert not Refund.objects.exists()

    def test_blocked_with_the_reason_once_a_dispute_is_lost(self):
        order = self.buy()
        looked_at = self.look_once_more("1.00")
        dispute = self.sandbox.dispute(order.charge_id)
        self.dashboard.v1.disputes.close(dispute["id"])
        self.deliver_events("charge.dispute.created", "charge.dispute.closed")

        page = self.page()
        assert "the bank has already given the money back" in page
        assert "$0.00 left" in page
        assert self.path("refund") not in page
        form = self.desk.get(self.path("refund"), {"amount": "1.00"})
        assert "the bank has already given" in form.content.decode()
        assert "<select" not in form.content.decode()
        page = self.act("refund_review", looked_at=looked_at)
        assert "the bank has already given the money back" in words_of(page)
        assert not Refund.objects.exists()
        assert not Attention.objects.filter(resolved_at=None).exists()

    def test_a_dispute_lost_over_a_part_blocks_the_rest_as_stripe_does(self):
        order = self.buy()
        looked_at = self.look_once_more("1.00")
        dispute = self.sandbox.dispute(order.charge_id, amount=500)
        self.dashboard.v1.disputes.close(dispute["id"])
        self.deliver_events("charge.dispute.created", "charge.dispute.closed")

        page = self.act("refund_review", looked_at=looked_at)
        assert "the bank has given that part back" in words_of(page)
        assert not Refund.objects.exists()

    def lose(self, **dispute: int) -> Order:
        order = self.buy()
        opened = self.sandbox.dispute(order.charge_id, **dispute)
        self.dashboard.v1.disputes.close(opened["id"])
        self.deliver_events("charge.dispute.created", "charge.dispute.closed")
        return order

    def listed(self, status: str) -> tuple[str, list[list[str]]]:
        """Return the list by a status, and the rows of its export."""
        orders = reverse("admin:checkout_order_changelist")
        page = self.desk.get(orders, {"status": status}).content.decode()
        export = self.desk.get(f"{orders}export/", {"status": status})
        text = export.getvalue().decode("utf-8-sig")
        head, *rows = csv.reader(io.StringIO(text))
        columns = [head.index(name) for name in ("number", "status", "charged_back")]
        return page, [[row[column] for column in columns] for row in rows]

    def test_list_filter_and_export_agree_on_a_dispute_that_was_lost(self):
        order = self.lose()

        page, rows = self.listed("charged_back")
        assert order.number in page
        assert rows == [[order.number, "charged_back", "101.00"]]
        page, rows = self.listed("paid")
        assert order.number not in page
        assert rows == []

    def test_a_dispute_lost_over_a_part_leaves_the_order_paid_and_says_which(self):
        order = self.lose(amount=500)
        badges = (
            '<span class="badge badge--paid">Paid</span> '
            '<span class="badge badge--refunded">Returned in part by the bank</span>'
        )

        page, rows = self.listed("paid")
        assert badges in page
        assert badges in self.page()
        assert rows == [[order.number, "paid", "5.00"]]
        page, rows = self.listed("charged_back")
        assert order.number not in page
        assert rows == []
        shoppers = self.client.get(order.get_absolute_url())
        self.assertContains(shoppers, ">Partly returned by your bank</p>")
        self.assertContains(
            shoppers, "objected to a part, and your bank gave that back"
        )

    def test_a_lost_dispute_is_not_shown_as_paid(self):
        order = self.buy()
        dispute = self.sandbox.dispute(order.charge_id)
        self.dashboard.v1.disputes.close(dispute["id"])
        self.deliver_events("charge.dispute.created", "charge.dispute.closed")
        orders = reverse("admin:checkout_order_changelist")
        badge = 'badge--canceled">Returned by the bank<'

        assert badge in self.page()
        assert badge in self.desk.get(orders).content.decode()
        figures = self.desk.get(reverse("admin:index")).content.decode()
        assert "<dt>Returned by banks</dt><dd>$101.00</dd>" in figures
        shoppers = self.client.get(order.get_absolute_url())
        self.assertContains(shoppers, '<p class="badge">Returned by your bank</p>')
        german = {"Accept-Language": "de"}
        shoppers = self.client.get(order.get_absolute_url(), headers=german)
        self.assertContains(shoppers, "Von Ihrer Bank zurückgebucht")

    def test_failing_later_is_counted_back_and_shown(self):
        self.buy(REFUND_FAILS)
        self.act("refund_review", looked_at=self.look_once_more("101.00"))
        assert self.order().amount_refunded == TOTAL
        self.sandbox.advance_clock(10)
        self.deliver_events("refund.failed", "refund.updated")

        assert self.order().amount_refunded == 0
        assert "The money is not with the shopper" in self.page()
        item = Attention.objects.get()
        assert item.kind == "refund_failed"
        for address in ("/admin/", f"/admin/checkout/attention/{item.pk}/change/"):
            page = self.desk.get(address).content.decode()
            assert "$101.00 not refunded" in page
            assert "$0.00 not" not in page
        assert "card lost or stolen" in page
        assert "lost_or_stolen_card" not in page + self.page()

    def test_pending_is_shown_as_pending(self):
        self.buy(REFUND_WAITS)
        page = self.act("refund_review", looked_at=self.look_once_more("1.00"))

        assert "on its way" in words_of(page)
        assert "badge--refund-pending" in self.page()

    def test_without_an_answer_it_is_asked_for_once(self):
        self.buy()
        self.sandbox.fault("refunds.create", "drop", when="after")
        looked_at = self.look_once_more("1.00")

        assert "No answer" in words_of(self.act("refund_review", looked_at=looked_at))
        assert Refund.objects.get().status == "asked"

    def test_only_with_a_permission_of_its_own(self):
        self.buy()
        looked_at = self.look_once_more("1.00")
        clerk = staff("clerk@example.com", "view_order", "change_order")

        fields = {"looked_at": looked_at}
        assert clerk.get(self.path("refund"), {"amount": "1.00"}).status_code == 403
        assert clerk.get(self.path("refund_review"), fields).status_code == 403
        assert clerk.post(self.path("refund_review"), fields).status_code == 403
        assert "Refund…" not in clerk.get(self.path("change")).content.decode()
        assert not Refund.objects.exists()

        cashier = staff("cash@example.com", "view_order", "refund_order")
        cashier.post(self.path("refund_review"), fields)
        assert Refund.objects.get().source == "cash@example.com"


class CloseAndCheckTests(OperatorTestCase):
    def test_unpaid_order_is_closed_at_stripe_and_here(self):
        self.place()

        assert self.desk.get(self.path("close")).status_code == 200
        assert "Closed." in words_of(self.act("close"))

        order = self.order()
        assert (order.status, order.closed_reason) == ("canceled", "operator")
        assert self.intents()[0]["status"] == "canceled"
        assert order.history.last().source == "olga@example.com"
        assert LogEntry.objects.filter(object_id=order.pk).count() == 1

    def test_paid_meanwhile_it_is_settled_instead(self):
        self.place()
        self.confirm(self.order())

        assert "it was paid meanwhile" in words_of(self.act("close"))

        assert self.order().is_paid
        assert self.order().history.last().source == "olga@example.com"

    def test_without_an_answer_nothing_changes(self):
        self.place()
        self.sandbox.fault("*", "status", status=500)
        assert "no usable answer" in words_of(self.act("close"))
        assert "no usable answer" in words_of(self.act("check"))
        self.sandbox.clear_faults()
        assert self.order().status == "pending"

    def test_check_settles_what_no_event_told(self):
        self.place()
        self.confirm(self.order())

        assert "The order is now: Paid" in words_of(self.act("check"))
        assert "nothing has changed" in words_of(self.act("check"))
        assert "olga@example.com" in self.page()

    def test_confirmation_goes_out_again(self):
        self.buy()
        with self.captureOnCommitCallbacks():
            self.act("resend")
        assert Mail.objects.filter(kind="confirmation").count() == 2
        assert not mail.outbox

    def test_only_a_paid_order_has_a_confirmation(self):
        self.place()
        self.act("resend")
        assert not Mail.objects.exists()


class WordsTests(OperatorTestCase):
    """Stripe's codes are said in words, and what needs no reading is put aside."""

    def test_dispute_says_until_when_it_is_answered(self):
        order = self.buy()
        self.sandbox.dispute(order.charge_id)
        self.deliver_events("charge.dispute.created")
        dispute = Dispute.objects.get()
        item = Attention.objects.get()
        due = moment(dispute.due_by)

        for address in (
            "/admin/",
            f"/admin/checkout/attention/{item.pk}/change/",
            self.path("change"),
        ):
            page = self.desk.get(address).content.decode()
            assert due in page, address
            assert "left)" in page
        assert "waits for your answer" in page
        assert "needs_response" not in page

        Dispute.objects.update(due_by=dispute.as_of)
        assert "(over)" in self.page()

    def test_decline_and_language(self):
        self.place()
        self.confirm(self.order(), "4000000000009995")
        self.deliver_all()
        self.act("check")

        assert "not enough funds" in self.page()
        assert "<dd>English</dd>" in self.page()
        start = self.desk.get("/admin/").content.decode()
        assert "not enough funds</th><td>1</td>" in start

    def test_what_happened_is_told_in_the_operators_language(self):
        order = self.buy()
        self.act("refund_review", looked_at=self.look_once_more("1.00"))
        self.sandbox.dispute(order.charge_id)
        self.deliver_events("charge.dispute.created")
        self.act("check")
        self.act("resend")

        german = {"Accept-Language": "de"}
        page = self.desk.get(self.path("change"), headers=german).content.decode()

        refund, dispute = Refund.objects.get(), Dispute.objects.get()
        for text in (
            f"Erstattung {refund.number} über 1,00\xa0$: angefordert",
            f"Erstattung {refund.number} verlangt: erledigt.",
            f"Zahlungseinspruch {dispute.stripe_id}: wartet auf Ihre Antwort",
            "braucht Aufmerksamkeit (Zahlungseinspruch: wartet auf Ihre Antwort)",
            "101,00\xa0$ angefochten",
            "„Bestätigung“ steht an",
            "Bei Stripe nachgesehen: bezahlt.",
            "Bestätigung erneut gesendet.",
        ):
            assert text in page, text

    def test_a_note_that_only_looks_like_the_shops_is_left_alone(self):
        for note in ("All was refunded", "refund of everything: done", "Resolved"):
            with override("de"):
                assert in_words(note) == note

    def test_events_without_a_use_are_counted_apart(self):
        self.buy()
        self.sandbox.advance_clock(60)
        self.deliver_all()

        page = self.desk.get(self.path("change"))

        unused = page.context["unused"]
        shown = [entry.text for entry in page.context["timeline"]]
        assert not any("type not used" in text for text in shown)
        assert any("payment_intent.succeeded" in text for text in shown)
        assert len(unused) == 2
        assert "2 more events of Stripe’s" in page.content.decode()

    def test_search_names_the_ids_stripe_gives(self):
        order = self.buy()
        self.sandbox.dispute(order.charge_id)
        self.deliver_events("charge.dispute.created")
        dispute = Dispute.objects.get().stripe_id

        page = self.desk.get("/admin/checkout/order/", {"q": dispute})

        assert list(page.context["cl"].queryset) == [order]
        assert f" {dispute[:3]}" in str(page.context["cl"].search_help_text)

    def test_every_moment_is_written_alike(self):
        order = self.buy()
        placed = moment(order.placed_at)
        item = Attention.objects.create(kind="stuck", subject="x", order=order)
        event = StripeEvent.objects.first()
        for address, at in (
            ("order/", order.placed_at),
            ("attention/", item.opened_at),
            (f"attention/{item.pk}/change/", item.opened_at),
            ("stripeevent/", event.received_at),
            (f"stripeevent/{quote(event.pk)}/change/", event.created),
        ):
            page = self.desk.get(f"/admin/checkout/{address}").content.decode()
            assert moment(at) in page, address
        assert f"{placed}:{order.placed_at:%S}" in self.page()


class ReplayTests(OperatorTestCase):
    def replay(self, event: dict[str, Any]) -> str:
        path = reverse("admin:checkout_stripeevent_replay", args=[event["id"]])
        return words_of(self.desk.post(path, follow=True))

    def test_failed_event_is_applied(self):
        self.place()
        self.confirm(self.order())
        [event] = [
            e for e in self.sandbox.objects("event") if e["type"].endswith("succeeded")
            and e["type"].startswith("payment_intent")
        ]  # fmt: skip
        deliver(self.client, event)
        Order.objects.update(status="pending", paid_at=None)
        StripeEvent.objects.update(outcome="failed", reason="OperationalError")

        assert "applied" in self.replay(event)

        assert self.order().is_paid
        row = StripeEvent.objects.get()
        assert (row.outcome, row.deliveries) == ("applied", 1)

    def test_what_stripe_has_forgotten_comes_from_the_stored_payload(self):
        order = make_order()
        event = payment_succeeded(order)
        deliver(self.client, event)
        StripeEvent.objects.update(outcome="failed")

        assert "applied" in self.replay(event)
        assert StripeEvent.objects.get().outcome == "applied"

    def test_replaying_what_was_applied_changes_no_money(self):
        self.buy()
        before = self.order().amount_received
        for event in self.sandbox.objects("event"):
            if StripeEvent.objects.filter(pk=event["id"]).exists():
                self.replay(event)
        assert self.order().amount_received == before
        assert Mail.objects.count() == 1

    def test_page_shows_the_payload_as_text(self):
        event = make_event("x.y", {"object": "x", "note": "<script>alert(1)</script>"})
        deliver(self.client, event)
        path = reverse(
            "admin:checkout_stripeevent_change",
            args=[quote(event["id"])],
        )
        page = self.desk.get(path).content.decode()
        assert "&lt;script&gt;" in page
        assert "<script>alert" not in page
        assert "this shop does not use its type" in page


class ByHandTests(TestCase):
    """Every address of the admin that takes a POST, with fields nobody offered."""

    def setUp(self) -> None:
        self.order = make_order()
        deliver(self.client, payment_succeeded(self.order))
        deliver(self.client, payment_succeeded(make_order(), amount_received=1))
        Refund.objects.create(order=self.order, amount=1, source="x")
        self.before = money()

    def addresses(self) -> list[str]:
        """Return the address of every view of every model, with a row where it asks."""
        found = []
        for model, model_admin in site._registry.items():
            row = model._default_manager.first()
            for pattern in model_admin.get_urls():
                if pattern.name is None:
                    continue
                wanted = pattern.pattern.converters
                key = str(row.pk) if row else "1"
                if not pattern.name.endswith("_replay"):
                    key = quote(key)
                arguments = [key] * len(wanted)
                found.append(reverse(f"admin:{pattern.name}", args=arguments))
        assert len(found) > 35
        return found

    def forged(self) -> dict[str, Any]:
        wrong = {"order": self.order.pk, "amount": 1, "number": "X"}
        return {
            "status": "paid", "amount": "1", "amount_received": "1", "currency": "eur",
            "amount_refunded": "0", "outcome": "applied", "livemode": "on",
            "unit_amount": "1", "price": "0.01", "name": "x", "slug": "x",
            "resolved_at_0": "2026-01-01", "action": "delete_selected", "post": "yes",
            "_selected_action": "1", "form-TOTAL_FORMS": "1",
            "form-INITIAL_FORMS": "1", "form-0-id": "1", "form-0-unit_amount": "1",
            "form-0-status": "paid", "_save": "Save",
            "looked_at": signing.dumps(wrong, salt="guess"),
            "reason": "duplicate",
        }  # fmt: skip

    def test_nobody_who_may_only_look_changes_anything(self):
        views = Permission.objects.filter(codename__startswith="view_")
        clerk = staff("clerk@example.com", *views.values_list("codename", flat=True))
        for address in self.addresses():
            response = clerk.post(address, self.forged())
            assert response.status_code in (200, 302, 403, 405), address
            assert money() == self.before, address
        assert not Mail.objects.exclude(about=self.order.number).exists()

    def test_an_operator_types_over_nothing_about_money(self):
        desk = operator()
        acts = {"resolve", "replay", "close", "check", "resend"}
        for address in self.addresses():
            is_act = address.rstrip("/").rpartition("/")[2] in acts
            if "/product/" not in address and not is_act:
                desk.post(address, self.forged())
                assert money() == self.before, address

    def test_an_act_takes_no_amount_and_no_state(self):
        desk = operator()
        columns = ["number", "amount", "amount_received", "amount_refunded", "status"]
        before = list(Order.objects.values(*columns))
        for address in self.addresses():
            desk.post(address, self.forged())
        assert list(Order.objects.values(*columns)) == before
        assert Refund.objects.count() == 1

    def test_a_resolved_note_is_all_that_changes(self):
        item = Attention.objects.get()
        path = reverse("admin:checkout_attention_resolve", args=[item.pk])
        desk = operator()

        desk.post(path, {"note": "", "kind": "stuck"})
        assert money() == self.before
        desk.post(path, {"note": "Refunded at Stripe.", **self.forged()})

        item.refresh_from_db()
        assert (item.note, item.resolved_by) == (
            "Refunded at Stripe.", "olga@example.com",
        )  # fmt: skip
        assert money()[:-2] == self.before[:-2]

    def test_staff_give_themselves_no_rights(self):
        clerk = staff("clerk@example.com", "view_user", "change_user", "add_user")
        me = User.objects.get(email="clerk@example.com")
        owner = User.objects.create_superuser("owner@example.com", "x")
        fields = {"email": me.email, "is_active": "on", "is_staff": "on",
                  "is_superuser": "on"}  # fmt: skip
        clerk.post(f"/admin/checkout/user/{me.pk}/change/", fields)
        password = {"password1": "a-long-new-one", "password2": "a-long-new-one"}
        clerk.post(f"/admin/checkout/user/{owner.pk}/password/", password)

        me.refresh_from_db()
        assert not me.is_superuser
        assert me.is_staff
        assert User.objects.get(pk=owner.pk).password == owner.password
        assert clerk.get("/admin/auth/group/").status_code == 403


class FindingTests(TestCase):
    def setUp(self) -> None:
        self.desk = operator()

    def found(self, words: str, **more: str) -> list[Order]:
        query = urlencode({"q": words, **more})
        response = self.desk.get(f"/admin/checkout/order/?{query}")
        return list(response.context["cl"].queryset)

    def test_by_whatever_is_at_hand(self):
        order = make_order(charge_id="ch_1", last4="4242", email="anna@example.com")
        make_order()
        event = make_event("charge.succeeded", {
            "object": "charge", "id": "ch_1",
            "payment_intent": order.payment_intent_id, "payment_method_details": None,
        })  # fmt: skip
        deliver(self.client, event)
        Refund.objects.create(
            order=order, amount=1, stripe_id="re_1", source="x", status="pending"
        )
        Attention.objects.create(kind="stuck", subject="issfr_1", order=order)
        at_stripe = f"https://dashboard.stripe.com/payments/{order.payment_intent_id}"

        for words in (
            order.number, order.number[:6].lower(), "anna@example", "4242",
            str(order.payment_intent_id), "ch_1", event["id"], "re_1", "issfr_1",
            at_stripe,
        ):  # fmt: skip
            assert self.found(words) == [order], words
        assert self.found("evt_unknown") == []

    def test_filters(self):
        disputed, part, full, plain = (make_order() for _ in range(4))
        Dispute.objects.create(
            order=disputed, stripe_id="du_1", amount=1, currency="usd", reason="x",
            status="needs_response", as_of=disputed.placed_at,
        )  # fmt: skip
        Attention.objects.create(kind="stuck", subject="x", order=plain)
        for order, refunded in ((part, 1), (full, 1099)):
            Order.objects.filter(pk=order.pk).update(
                amount_received=1099, amount_refunded=refunded
            )

        assert self.found("", dispute="open") == [disputed]
        assert self.found("", dispute="any") == [disputed]
        assert self.found("", attention="open") == [plain]
        assert self.found("", refund="part") == [part]
        assert self.found("", refund="full") == [full]
        assert len(self.found("", mode="test")) == 4
        assert self.found("", mode="live") == []

    def test_export_is_the_filtered_list_and_no_formula(self):
        make_order(email="=cmd|'/c calc'!a0@example.com", amount=1099)
        make_order(email="berta@example.com", amount=500, currency="jpy")

        everything = self.desk.get("/admin/checkout/order/export/")
        lines = everything.getvalue().decode().splitlines()
        assert everything["Content-Type"].startswith("text/csv")
        assert len(lines) == 3
        assert "'=cmd" in lines[2]
        assert ",jpy,500," in lines[1]
        assert ",usd,10.99," in lines[2]

        some = self.desk.get("/admin/checkout/order/export/?q=berta@")
        assert len(some.getvalue().splitlines()) == 2
        strange = self.desk.get("/admin/checkout/order/export/?nonsense=1")
        assert strange.status_code == 302
        clerk = staff("clerk@example.com", "view_product")
        assert clerk.get("/admin/checkout/order/export/").status_code == 403
