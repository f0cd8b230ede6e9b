"""Addresses of the shop; their names are the views' names."""

from django.urls import path

from checkout import views, webhooks

urlpatterns = [
    path("", views.shop, name="shop"),
    path("orders/", views.all_orders, name="orders"),
    path("orders/<str:token>/", views.order, name="order"),
    path("orders/<str:token>/payment/", views.pay_order, name="pay_order"),
    path("orders/<str:token>/status/", views.order_status, name="order_status"),
    # Both, because a redirect counts as a failed delivery.
    path("stripe/webhook/", webhooks.stripe_webhook, name="stripe_webhook"),
    path("stripe/webhook", webhooks.stripe_webhook),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]
