"""Every address of the shop."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("checkout.urls")),
    path("admin/", admin.site.urls),
]

handler500 = "checkout.views.server_error"
