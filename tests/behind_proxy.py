"""The settings of a shop whose proxy ends TLS: nothing of production is left out."""

import os

from tests.served import *

PROXY_COUNT = 1
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
# By TLS too, or a browser would complain of mixed content.
STRIPE_JS_URL = os.environ["TEST_STRIPE_JS"]
