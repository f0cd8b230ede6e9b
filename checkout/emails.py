"""Mail to shoppers: the same numbers as the page, in the order's language.

A mail about an order is a row, written in the transaction that makes it due, and is
sent once: whoever sends it claims it first by one conditional UPDATE. A claim whose
holder died runs out; `reconcile` sends what is left: also a confirmation that waits
for the card it names, which comes in another event than the payment.
"""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from smtplib import SMTPException
from typing import Any

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import DatabaseError, connection, transaction
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone, translation

from checkout.models import Mail, Order, OrderLine, Refund
from checkout.models.statements import insert

# Longer than a mail server may take, so that a claim only runs out when its holder
# is gone.
CLAIM_LASTS = timedelta(minutes=10)

logger = logging.getLogger(__name__)

# Mails walk while requests run: the processor is for somebody who waits.
PAUSE_SECONDS = 0.05

# A slow mail server must not hold up the answer to a webhook.
_mailroom = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")


def queue(kind: Mail.Kind, order: Order, *, about: str) -> None:
    """Make a mail due with the surrounding transaction; send it when that commits."""
    make_due(kind, order, about=about)
    send_on_commit(kind, about=about)


def make_due(kind: Mail.Kind, order: Order, *, about: str) -> None:
    """Make a mail due with the surrounding transaction; it waits until it is sent."""
    mail = Mail(kind=kind, order=order, about=about)
    insert(mail, then="ON CONFLICT DO NOTHING")


def send_on_commit(kind: Mail.Kind, *, about: str) -> None:
    """Send a mail, if it is due then, when the surrounding transaction commits."""
    transaction.on_commit(partial(_mailroom.submit, _send_one, kind, about))


def due() -> QuerySet[Mail]:
    """Select the mails that nobody has sent or is sending, oldest first."""
    abandoned = timezone.now() - CLAIM_LASTS
    unclaimed = Q(claimed_at__isnull=True) | Q(claimed_at__lt=abandoned)
    return Mail.objects.filter(unclaimed, sent_at__isnull=True).order_by("queued_at")


def send(mail: Mail) -> bool:
    """Send a mail that is due, unless somebody else sends it.

    False if so, or if the mail server did not take it: then it stays due.
    """
    row = Mail.objects.filter(pk=mail.pk)
    if not due().filter(pk=mail.pk).update(claimed_at=timezone.now()):
        return False
    try:
        compose(mail).send()
    except (SMTPException, OSError) as error:
        row.update(claimed_at=None)
        logger.warning("Mail %s not sent: %s", mail, type(error).__name__)
        return False
    row.update(sent_at=timezone.now())
    return True


def compose(mail: Mail) -> EmailMultiAlternatives:
    """Return the message of `templates/email/<kind>`, as text and HTML."""
    order = mail.order
    context: dict[str, Any] = {
        "order": order,
        "url": order.origin + order.get_absolute_url(),
    }
    if mail.kind == Mail.Kind.CONFIRMATION:
        context["lines"] = OrderLine.of([order.pk])
    elif mail.kind in (Mail.Kind.REFUND, Mail.Kind.REFUND_FAILED):
        context["refund"] = Refund.objects.filter(number=mail.about).first()
    with translation.override(order.language):
        return render_message(mail.kind, context, to=order.email)


def render_message(
    name: str, context: dict[str, Any], *, to: str
) -> EmailMultiAlternatives:
    """Return the message of `templates/email/<name>`, in the language of now."""
    subject = render_to_string(f"email/{name}_subject.txt", context).strip()
    text = render_to_string(f"email/{name}.txt", context)
    message = EmailMultiAlternatives(subject, text, to=[to])
    html = render_to_string(f"email/{name}.html", context)
    message.attach_alternative(html, "text/html")
    return message


def send_soon(message: EmailMessage) -> None:
    """Send a message from another thread; one the server refuses is only logged."""
    _mailroom.submit(_send_message, message)


def _send_one(kind: str, about: str) -> None:
    try:
        mail = (
            Mail.objects.select_related("order").filter(kind=kind, about=about).first()
        )
        if mail is not None and send(mail):
            time.sleep(PAUSE_SECONDS)
    except DatabaseError as error:
        logger.warning("Mail %s %s not sent: %s", kind, about, type(error).__name__)
    finally:
        connection.close()


def _send_message(message: EmailMessage) -> None:
    try:
        message.send()
    except (SMTPException, OSError) as error:
        logger.warning("A message was not sent: %s", type(error).__name__)
