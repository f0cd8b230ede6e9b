"""The WSGI application that gunicorn serves."""

import logging
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.core.wsgi import get_wsgi_application

from config import database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# gunicorn ends at this code; at any other it would try the same worker again.
CANNOT_START = 3

try:
    application = get_wsgi_application()
    # Commands check the settings before they run; a server must refuse just as well.
    call_command("check")
except (ImproperlyConfigured, SystemCheckError) as refusal:
    logging.getLogger(__name__).critical("Refused to start: %s", refusal)
    sys.exit(CANNOT_START)

# It may come later, and /readyz says so: what runs already must not end for it.
if not database.can_be_opened():
    logging.getLogger(__name__).error(database.NOT_OPENED)
