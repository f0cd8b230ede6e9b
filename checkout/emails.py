"""Mail to shoppers: the same numbers as the page, in the order's language.

A confirmation is sent once per paid order. Whoever sends it claims it first by one
conditional UPDATE; a claim whose holder died runs out and `reconcile` sends again.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from smtplib import SMTPException

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import DatabaseError, connection
from django.template.loader import render_to_string
from django.utils import timezone, translation

from checkout.models import Order

# Longer than a mail server may take, so that a claim only runs out when its holder
# is gone.
CLAIM_LASTS = timedelta(minutes=10)

logger = logging.getLogger(__name__)

# A slow mail server must not hold up the answer to a webhook.
_mailroom = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")


def confirm_soon(order: Order) -> None:
    """Send the order's confirmation from another thread, without waiting for it."""
    _mailroom.submit(_confirm_in_background, order)


def send_confirmation(order: Order) -> bool:
    """Send the confirmation of a paid order unless it has been sent or claimed.

    False if there was nothing to do, or if the mail server did not take it: then it
    stays due.
    """
    now = timezone.now()
    row = Order.objects.filter(pk=order.pk)
    if not row.unconfirmed(now - CLAIM_LASTS).update(confirmation_claimed_at=now):
        return False
    try:
        send(order, "confirmation", {"order": order})
    except (SMTPException, OSError) as error:
        row.update(confirmation_claimed_at=None)
        logger.warning(
            "Confirmation of order %s not sent: %s", order.number, type(error).__name__
        )
        return False
    row.update(confirmation_sent_at=timezone.now())
    return True


def send(order: Order, name: str, context: dict[str, object]) -> None:
    """Send the mail of `templates/email/<name>` to the order's address.

    Raises SMTPException or OSError when the mail server does not take it.
    """
    context = {"url": order.origin + order.get_absolute_url(), **context}
    with translation.override(order.language):
        subject = render_to_string(f"email/{name}_subject.txt", context).strip()
        text = render_to_string(f"email/{name}.txt", context)
        html = render_to_string(f"email/{name}.html", context)
    message = EmailMultiAlternatives(subject, text, to=[order.email])
    message.attach_alternative(html, "text/html")
    message.send()


def send_soon(message: EmailMessage) -> None:
    """Send a message from another thread; one the server refuses is only logged."""
    _mailroom.submit(_send_in_background, message)


def _send_in_background(message: EmailMessage) -> None:
    try:
        message.send()
    except (SMTPException, OSError) as error:
        logger.warning("A message was not sent: %s", type(error).__name__)


def _confirm_in_background(order: Order) -> None:
    try:
        send_confirmation(order)
    except DatabaseError as error:
        logger.warning(
            "Confirmation of order %s not sent: %s", order.number, type(error).__name__
        )
    finally:
        connection.close()
