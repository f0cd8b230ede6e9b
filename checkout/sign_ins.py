"""Lines in the log about who signs in, wherever they do; an account is its number."""

import logging
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.dispatch import receiver

from checkout.users import User
from config import logs

logger = logging.getLogger(__name__)


@receiver(user_logged_in)
def signed_in(user: User, **sent: Any) -> None:
    logs.actor.set(f"user {user.pk}")
    logger.info("Signed in: user %s", user.pk)


@receiver(user_login_failed)
def not_signed_in(**sent: Any) -> None:
    # Not as whom: what was typed there may be anything, a password too.
    logger.warning("Sign-in failed")
