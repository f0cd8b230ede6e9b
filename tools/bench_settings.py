"""The production settings, for a shop that is measured; no `.env` is read.

What `bench` chose comes in BENCH_… variables, which no settings of the shop read.
"""

import os

os.environ.update(
    PYTHON_DOTENV_DISABLED="true",
    DJANGO_SECRET_KEY="a-secret-key-for-measuring-that-protects-nothing-at-all",
    DEBUG="false",
    ALLOWED_HOSTS="shop.example,127.0.0.1",
    CSRF_TRUSTED_ORIGINS="",
    PROXY_COUNT="1",
    STRIPE_SECRET_KEY="sk_test_stand_in",
    STRIPE_PUBLISHABLE_KEY="pk_test_stand_in",
    STRIPE_WEBHOOK_SECRET="whsec_test_stand_in",
    CURRENCY="usd",
    EMAIL_URL="console:",
    LOG_LEVEL="INFO",
    LOG_FORMAT="text",
)

from config.settings import *  # noqa: F403
from config.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["BENCH_DATABASE"]
STATIC_ROOT = os.environ["BENCH_STATIC"]
STRIPE_API_BASE = os.environ["BENCH_STRIPE"]
# Composed and claimed as always, then dropped where the mail server would begin.
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
ROOT_URLCONF = "tools.bench_yardsticks"
