"""The one settings file; everything that varies comes from `env`."""

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from config import env

BASE_DIR = env.BASE_DIR
DEBUG = env.boolean("DEBUG", default=False)

# --- Stripe -------------------------------------------------------------------------
# Without keys, and only in DEBUG, the shop talks to the sandbox on this machine:
# the same library, the same script tag, another address: the one `make run` chose.

STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY")
STRIPE_PUBLISHABLE_KEY = env.text("STRIPE_PUBLISHABLE_KEY")
STRIPE_WEBHOOK_SECRETS = env.texts("STRIPE_WEBHOOK_SECRET")
STRIPE_API_BASE = env.development_text("STRIPE_API_BASE", debug=DEBUG)
STRIPE_JS_URL = env.development_text("STRIPE_JS_URL", debug=DEBUG)
DEVELOPMENT_ADDRESS = "http://127.0.0.1:8000"

if DEBUG and not (STRIPE_SECRET_KEY or STRIPE_PUBLISHABLE_KEY):
    _run = env.chosen_by_make_run()
    STRIPE_SECRET_KEY = "sk_test_sandbox"  # noqa: S105
    STRIPE_PUBLISHABLE_KEY = "pk_test_sandbox"
    if not STRIPE_WEBHOOK_SECRETS and "signing_secret" in _run:
        STRIPE_WEBHOOK_SECRETS = [_run["signing_secret"]]
    STRIPE_API_BASE = STRIPE_API_BASE or _run.get("sandbox", "http://127.0.0.1:12111")
    STRIPE_JS_URL = STRIPE_JS_URL or f"{STRIPE_API_BASE}/endive/stripe.js"
    DEVELOPMENT_ADDRESS = _run.get("shop", DEVELOPMENT_ADDRESS)

STRIPE_API_BASE = STRIPE_API_BASE or "https://api.stripe.com"
STRIPE_JS_URL = STRIPE_JS_URL or "https://js.stripe.com/endive/stripe.js"

# Of each gunicorn worker. Half of them may wait for Stripe: the others show the shop
# and take webhooks, however long Stripe is silent.
# So many that one worker alone can bear 40 orders a second with Stripe at 300 ms: who
# accepts a connection is chance.
WEB_THREADS = env.integer("WEB_THREADS", default=32, minimum=2)
MOST_WAITING_FOR_STRIPE = WEB_THREADS // 2

CURRENCY = env.text("CURRENCY", "usd").lower()

# --- Django -------------------------------------------------------------------------

SECRET_KEY = env.required(
    "DJANGO_SECRET_KEY", "set it to a long random text (`make run` writes one to .env)."
)
ALLOWED_HOSTS = env.texts("ALLOWED_HOSTS")
if DEBUG:
    ALLOWED_HOSTS += ["127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = env.texts("CSRF_TRUSTED_ORIGINS")
PROXY_COUNT = env.integer("PROXY_COUNT", default=0)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "checkout",
]

# Headers first, so that they stand on whatever those below refuse or serve themselves.
MIDDLEWARE = [
    "config.middleware.every_answer",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database -----------------------------------------------------------------------

DATABASES = {
    "default": env.database(
        "DATABASE_URL",
        f"sqlite:///{BASE_DIR}/db.sqlite3",
        # One for each thread, also while it waits for Stripe, and one for mail.
        connections=WEB_THREADS + 1,
    )
}

# --- Accounts -----------------------------------------------------------------------

AUTH_USER_MODEL = "checkout.User"
AUTHENTICATION_BACKENDS = ["checkout.backends.LimitedBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "orders"
LOGOUT_REDIRECT_URL = "shop"

# --- Languages and time -------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# --- Mail ---------------------------------------------------------------------------

_mail = env.email("EMAIL_URL", "console:")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
DEFAULT_FROM_EMAIL = SERVER_EMAIL = _mail["DEFAULT_FROM_EMAIL"]
EMAIL_HOST = _mail.get("EMAIL_HOST", "localhost")
EMAIL_PORT = _mail.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10

# --- Static files -------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Only the shop's own pages use them.
WHITENOISE_ALLOW_ALL_ORIGINS = False
# The image has the collected files alone.
STATICFILES_DIRS = [path for path in (BASE_DIR / "static",) if path.is_dir()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.storage.StaticFilesStorage"
    },
}

# --- Security -----------------------------------------------------------------------

# Whoever wants the domain on the browsers' preload list decides that for all of it.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
CSRF_FAILURE_VIEW = "checkout.failures.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
CSRF_COOKIE_HTTPONLY = True
# `__Host-` ties a cookie to this host over HTTPS; `visitor.remember` does the same.
if not DEBUG:
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
# Not in a cookie of its own.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_SSL_REDIRECT = not DEBUG
SECURE_REDIRECT_EXEMPT = [r"^stripe/webhook/?$", r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEBUG
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# None of this is used here; a page with a payment form opens `payment`.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media",
        "geolocation", "gyroscope", "hid", "magnetometer", "microphone", "midi",
        "payment", "picture-in-picture", "serial", "usb", "xr-spatial-tracking",
    )
)  # fmt: skip
if PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [NONE],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    },
}

# Who is told of a weakness: mailto:…, https://… or tel:…; shown in security.txt.
SECURITY_CONTACT = env.text("SECURITY_CONTACT")

# --- Logs ---------------------------------------------------------------------------

LOG_LEVEL = env.choice(
    "LOG_LEVEL", "INFO", {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}
)
LOG_FORMAT = env.choice("LOG_FORMAT", "text" if DEBUG else "json", {"text", "json"})
# Django's own loggers get handlers of their own unless they are named here.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {
            "()": "config.logs.TextFormatter",
            "format": "{levelname} {name}: {message}",
            "style": "{",
        },
        "json": {"()": "config.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": []},
        "django.server": {"handlers": [], "propagate": True},
        # Statements have in them what no line may have.
        "django.db.backends": {"level": "INFO"},
        # It logs every request; the gateway logs those that failed.
        "stripe": {"level": "WARNING"},
    },
}
