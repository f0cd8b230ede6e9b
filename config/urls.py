"""Every address of the shop."""

from django.contrib import admin
from django.urls import include, path

from checkout import accounts

urlpatterns = [
    path("", include("checkout.urls")),
    # Under the limits of every sign-in; Django's own would answer them with 200.
    path("admin/login/", accounts.limited(admin.site.login)),
    path("admin/", admin.site.urls),
]

handler500 = "checkout.views.server_error"
