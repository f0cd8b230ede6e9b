"""A stand-in for Stripe on this machine: its API, its webhooks, its Stripe.js.

A separate program (`python -m sandbox`). It knows nothing of the shop, and the shop
knows it only as a URL. See README.md.
"""
