"""The shop: orders, their payment through Stripe, and the pages around them."""
