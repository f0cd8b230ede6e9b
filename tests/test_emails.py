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
from tests.factories import deliver, make_order, payment_succeeded
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


def test_paid_order_is_confirmed_once_however_often_the_event_comes() -> None:
    order = make_order(email="shopper@example.com", origin="https://shop.example")
    event = payment_succeeded(order)

    for _ in range(3):
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

    deliver(Client(), payment_succeeded(order))
    wait_for(lambda: confirmed(order))

    assert "29,90\xa0€" in mail.outbox[0].body
    assert "Vielen Dank" in mail.outbox[0].body


def test_refusing_mail_server_delays_the_mail_but_not_the_payment(
    settings: Any,
) -> None:
    order = make_order()
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "tests.test_emails.DeadServer"

    assert deliver(Client(), payment_succeeded(order)).status_code == 200
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
    assert deliver(Client(), payment_succeeded(order)).status_code == 200
    assert not mail.outbox
    # Claimed: nobody else sends it meanwhile.
    wait_for(lambda: Mail.objects.filter(claimed_at__isnull=False).exists())
    assert list(reconcile.send_mails()) == []

    HangingServer.let_go.set()
    wait_for(lambda: confirmed(order))
    assert len(mail.outbox) == 1


def test_claim_of_a_dead_process_runs_out() -> None:
    order = make_order()
    deliver(Client(), payment_succeeded(order))
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
