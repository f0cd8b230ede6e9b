"""gunicorn: `gunicorn -c config/gunicorn.conf.py config.wsgi`.

Threads, because a request that waits for Stripe must not hold up the others.
"""

import os
import sys
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

try:
    web_threads = settings.WEB_THREADS
except ImproperlyConfigured as refusal:
    sys.exit(f"Refused to start: {refusal}")

bind = "0.0.0.0:8000"
workers = 2
threads = web_threads
# Each worker loads the shop itself: what one opens, such as the pool of connections and
# its threads, does not survive a fork.
preload_app = False
# A worker that has not said for so long that it lives is replaced. It says so beside
# its requests, so none of them is cut off by this.
timeout = 30
# Longer than the 15 s a shopper may wait for Stripe.
graceful_timeout = 20
# Longer than proxies keep an idle connection (60 s): a connection that is closed here
# while a proxy sends an order over it is an order without an answer. Idle and slow
# clients hold a connection, not a thread.
keepalive = 75
# Whatever may leak stays small; not all workers at once.
max_requests = 50_000
max_requests_jitter = 10_000
# Signs of life are written to memory: in a container, /tmp may be a slow disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# The longest address is the bank's way back, under 300 bytes.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190
# Django alone reads forwarded headers, as many as PROXY_COUNT says.
forwarded_allow_ips = ""
# No second door beside signals.
control_socket_disable = True
# "-" prints one: masked, as every line is.
accesslog = None
logger_class = "config.gunicorn_log.MaskedLogger"
