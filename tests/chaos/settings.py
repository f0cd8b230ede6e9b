"""The production settings for server processes that `load` starts, kills and fills.

The processes of one run share a folder (`CHAOS_FOLDER`) and a database.
"""

import os
from pathlib import Path

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

FOLDER = Path(os.environ["CHAOS_FOLDER"])

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["NAME"] = str(FOLDER / "shop.sqlite3")

STRIPE_API_BASE = os.environ["CHAOS_STRIPE"]
STATIC_ROOT = FOLDER / "static"
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = FOLDER / "mails"
# Each buyer comes by way of a proxy, from an address of their own.
PROXY_COUNT = 1
# The buyers speak HTTP on this machine.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "sessionid", "csrftoken"
