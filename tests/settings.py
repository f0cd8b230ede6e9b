"""The production settings, as the tests need them; a developer's `.env` is not read."""

import os
import secrets
import tempfile
from pathlib import Path

# Made and removed by `conftest`: mypy imports this module too and leaves nothing.
SCRATCH = Path(tempfile.gettempdir(), f"shop-tests-{secrets.token_hex(8)}")

# Set before `config` is imported, so that nothing of the machine reaches the tests
# but the PostgreSQL server they are to use.
os.environ.update(
    PYTHON_DOTENV_DISABLED="true",
    DJANGO_SECRET_KEY="a-secret-key-for-tests-that-protects-nothing-at-all",
    DEBUG="false",
    ALLOWED_HOSTS="testserver,127.0.0.1,localhost",
    CSRF_TRUSTED_ORIGINS="",
    PROXY_COUNT="0",
    STRIPE_SECRET_KEY="sk_test_sandbox",
    STRIPE_PUBLISHABLE_KEY="pk_test_sandbox",
    STRIPE_WEBHOOK_SECRET="whsec_test_sandbox,whsec_test_previous",
    CURRENCY="usd",
    EMAIL_URL="console:",
    LOG_LEVEL="INFO",
    LOG_FORMAT="text",
)
if not os.environ.get("DATABASE_URL", "").startswith(("postgres:", "postgresql:")):
    os.environ["DATABASE_URL"] = f"sqlite:///{SCRATCH}/db.sqlite3"

from config.settings import *
from config.settings import DATABASES

# Nothing listens there: a test that reaches for Stripe asks for the `sandbox` fixture.
STRIPE_API_BASE = "http://127.0.0.1:1"
STRIPE_JS_URL = f"{STRIPE_API_BASE}/endive/stripe.js"

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, as in production: Django would test in memory, where nothing is locked.
    DATABASES["default"]["TEST"] = {"NAME": str(SCRATCH / "test.sqlite3")}

# The tests speak HTTP on this machine.
SECURE_SSL_REDIRECT = False
STATIC_ROOT = SCRATCH / "static"
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
