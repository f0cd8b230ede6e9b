"""The WSGI application that gunicorn serves."""

import logging
import os
import sys

from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from config import database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# gunicorn ends at this code; at any other it would try the same worker again.
CANNOT_START = 3

logger = logging.getLogger(__name__)


def check() -> None:
    """Raise what makes a command refuse, log what it warns of: a line for each."""
    messages = [found for found in run_checks() if not found.is_silenced()]
    if serious := [str(found.msg) for found in messages if found.is_serious()]:
        raise ImproperlyConfigured(" ".join(serious))
    for warning in messages:
        logger.warning("%s %s", warning.msg, warning.hint or "")
    if not messages:
        logger.info("System check: nothing is wrong.")


try:
    application = get_wsgi_application()
    check()
except ImproperlyConfigured as refusal:
    logger.critical("Refused to start: %s", refusal)
    sys.exit(CANNOT_START)

# It may come later, and /readyz says so: what runs already must not end for it.
if not database.can_be_opened():
    logger.error(database.NOT_OPENED)
