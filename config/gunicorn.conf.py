"""gunicorn: `gunicorn -c config/gunicorn.conf.py config.wsgi`.

Threads, because a request that waits for Stripe must not hold up the others.
"""

bind = "0.0.0.0:8000"
workers = 2
threads = 8
# Longer than the 15 s a shopper may wait for Stripe.
timeout = 30
graceful_timeout = 20
# A client that sends slowly holds a connection, not a thread, for this long.
keepalive = 5
max_requests = 10_000
max_requests_jitter = 1_000
# "-" prints one: masked, as every line is.
accesslog = None
logger_class = "config.gunicorn_log.MaskedLogger"
