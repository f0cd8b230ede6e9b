"""Confirmation mail: once per paid order, the page's numbers, never in the way."""

import threading
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.utils import timezone

from checkout import emails, reconcile
from checkout.models import Mail, Order
from tests.factories import (
    charge_succeeded,
    deliver,
    make_order,
    payment_succeeded,
)
from tests.sandbox_server import wait_for

pytestmark = pytest.mark.usefixtures("transactional_db")


class DeadServer(EmailBackend):
    def send_messages(self, messages: Any) -> int:
        raise ConnectionRefusedError


class HangingServer(EmailBackend):
    let_go = threading.Event()

    def send_messages(self, messages: Any) -> int:
        self.let_go.wait(timeout=30)
        return super().send_messages(messages)


def confirmed(order: Order) -> Any:
    return order.mails.filter(sent_at__isnull=False).exists()


def pay(order: Order) -> None:
    """Deliver both events of a payment, as Stripe mostly does."""
    for event in (charge_succeeded(order), payment_succeeded(order)):
        assert deliver(Client(), event).status_code == 200


@pytest.mark.parametrize("card_comes", ["first", "last"])
def test_confirmation_names_the_card_whichever_event_comes_first(
    card_comes: str,
) -> None:
    # A debit was declined before.
    order = make_order(method="sepa_debit", decline_code="insufficient_funds")
    events = [charge_succeeded(order), payment_succeeded(order)]
    if card_comes == "last":
        events.reverse()

    for event in events * 2:
        assert deliver(Client(), event).status_code == 200
        emails._mailroom.submit(int).result()
    assert list(reconcile.send_mails()) == []

    [message] = mail.outbox
    assert "Visa •••• 4242" in message.body
    assert "Visa •••• 4242" in message.alternatives[0].content


def test_confirmation_waits_for_the_card_and_for_nothing_that_never_comes() -> None:
    order = make_order()

    deliver(Client(), payment_succeeded(order))
    emails._mailroom.submit(int).result()
    assert not mail.outbox
    assert len(list(reconcile.send_mails())) == 1
    deliver(Client(), charge_succeeded(order))
    emails._mailroom.submit(int).result()

    [message] = mail.outbox
    assert "Paid with" not in message.body


def test_charge_of_an_unpaid_order_mails_nothing() -> None:
    order = make_order()

    deliver(Client(), charge_succeeded(order))
    emails._mailroom.submit(int).result()

    order.refresh_from_db()
    assert (order.status, order.last4) == ("pending", "4242")
    assert not mail.outbox


def test_paid_order_is_confirmed_once_however_often_the_event_comes() -> None:
    order = make_order(email="shopper@example.com", origin="https://shop.example")
    events = [payment_succeeded(order), charge_succeeded(order)]

    for event in events * 3:
        assert deliver(Client(), event).status_code == 200
    wait_for(lambda: confirmed(order))
    assert list(reconcile.send_mails()) == []

    [message] = mail.outbox
    assert message.to == ["shopper@example.com"]
    assert order.number in message.subject
    [line] = order.lines.all()
    html = message.alternatives[0].content
    for text in (message.body, html):
        assert order.number in text
        assert f"1 × {line.name}" in text
        assert "$10.99" in text
        assert f"https://shop.example/orders/{order.token}/" in text


def test_mail_is_in_the_orders_language() -> None:
    order = make_order(currency="eur", amount=2990, language="de")

    pay(order)
    wait_for(lambda: confirmed(order))

    assert "29,90\xa0€" in mail.outbox[0].body
    assert "Vielen Dank" in mail.outbox[0].body


def test_refusing_mail_server_delays_the_mail_but_not_the_payment(
    settings: Any,
) -> None:
    order = make_order()
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "tests.test_emails.DeadServer"

    pay(order)
    order.refresh_from_db()
    assert order.is_paid
    wait_for(lambda: order.mails.filter(claimed_at=None).exists())
    assert list(reconcile.send_mails()) == []

    settings.EMAIL_BACKEND = working
    wait_for(lambda: list(reconcile.send_mails()) or confirmed(order))
    assert len(mail.outbox) == 1
    assert list(reconcile.send_mails()) == []


def test_hanging_mail_server_does_not_hold_up_the_webhook(settings: Any) -> None:
    order = make_order()
    settings.EMAIL_BACKEND = "tests.test_emails.HangingServer"
    HangingServer.let_go.clear()

    # Answered while the mail server still hangs.
    pay(order)
    assert not mail.outbox
    # Claimed: nobody else sends it meanwhile.
    wait_for(lambda: Mail.objects.filter(claimed_at__isnull=False).exists())
    assert list(reconcile.send_mails()) == []

    HangingServer.let_go.set()
    wait_for(lambda: confirmed(order))
    assert len(mail.outbox) == 1


def test_claim_of_a_dead_process_runs_out() -> None:
    order = make_order()
    pay(order)
    wait_for(lambda: confirmed(order))
    mail.outbox.clear()
    long_ago = timezone.now() - emails.CLAIM_LASTS * 2
    Mail.objects.update(sent_at=None, claimed_at=long_ago)

    assert list(reconcile.send_mails()) == [
        f"mail sent: confirmation of {order.number}"
    ]
    assert len(mail.outbox) == 1


def test_unpaid_order_gets_no_mail() -> None:
    make_order()

    assert list(reconcile.send_mails()) == []
    assert not mail.outbox
