"""Addresses of the shop."""

from django.urls import include, path, re_path

from checkout import accounts, views, webhooks

# An order's link: anything else is no address at all and never reaches the database.
ORDER = r"^orders/(?P<token>[-A-Za-z0-9_]{16,43})/"

urlpatterns = [
    path("", views.shop, name="shop"),
    path("orders/", views.all_orders, name="orders"),
    re_path(ORDER + r"$", views.order, name="order"),
    re_path(ORDER + r"payment/$", views.pay_order, name="pay_order"),
    re_path(ORDER + r"status/$", views.order_status, name="order_status"),
    # Both, because a redirect counts as a failed delivery.
    path("stripe/webhook/", webhooks.stripe_webhook, name="stripe_webhook"),
    path("stripe/webhook", webhooks.stripe_webhook),
    path("accounts/signup/", accounts.signup, name="signup"),
    path(
        "accounts/signup/<str:token>/", accounts.signup_confirm, name="signup_confirm"
    ),
    path("accounts/login/", accounts.sign_in, name="login"),
    path("accounts/password_reset/", accounts.reset_password, name="password_reset"),
    path(
        "accounts/reset/<uidb64>/<token>/",
        accounts.confirm_reset,
        name="password_reset_confirm",
    ),
    path("accounts/password_change/", accounts.change_password, name="password_change"),
    # Signing out and the ends of those two, as Django has them.
    path("accounts/", include("django.contrib.auth.urls")),
    path(".well-known/security.txt", views.security_txt, name="security_txt"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]
