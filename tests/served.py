"""The tests' settings for a shop in a process of its own, such as gunicorn's.

What the test's own process chose comes in TEST_… variables, which no settings of the
shop read: its database, its collected static files, the sandbox's address.
"""

import os

from tests.settings import *
from tests.settings import DATABASES, LOGGING

DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
STATIC_ROOT = os.environ["TEST_STATIC"]
STRIPE_API_BASE = os.environ["TEST_STRIPE"]
STRIPE_JS_URL = f"{STRIPE_API_BASE}/endive/stripe.js"
LOG_FORMAT = os.environ.get("TEST_LOG_FORMAT", "text")
LOGGING["handlers"]["console"]["formatter"] = LOG_FORMAT
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
