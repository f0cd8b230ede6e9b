"""Every address of the shop."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from checkout import accounts

urlpatterns = [
    path("", include("checkout.urls")),
    # Under the limits of every sign-in; Django's own would answer them with 200.
    path("admin/login/", accounts.limited(admin.site.login)),
    # The shop's own, which tells the account's address.
    path(
        "admin/password_change/", RedirectView.as_view(pattern_name="password_change")
    ),
    path("admin/", admin.site.urls),
]

handler400 = "checkout.failures.bad_request"
handler500 = "checkout.failures.server_error"
