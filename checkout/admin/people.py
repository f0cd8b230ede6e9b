"""Who may sign in, and what they may do; only a superuser says what."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from checkout import accounts
from checkout.models import User

# With these, somebody could give themselves the right to refund.
POWERS = ["is_staff", "is_superuser", "groups"]

admin.site.unregister(Group)


@admin.register(User)
class ShopUserAdmin(UserAdmin):
    ordering = ["email"]
    list_display = ["email", "is_staff"]
    list_filter = ["is_staff", "is_superuser", "is_active"]
    search_fields = ["email", "first_name", "last_name"]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        (_("Personal info"), {"fields": ["first_name", "last_name"]}),
        (_("Permissions"), {"fields": ["is_active", *POWERS]}),
    ]
    add_fieldsets = [
        (None, {"classes": ["wide"], "fields": ["email", "password1", "password2"]})
    ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response: HttpResponse = super().changelist_view(
            request, {"title": _("People"), **(extra_context or {})}
        )
        return response

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Django's own, and the account's address is told."""
        before = self.get_object(request, unquote(id))
        response: HttpResponse = super().user_change_password(request, id, form_url)
        if before is not None:
            now = User.objects.get(pk=before.pk)
            if now.password != before.password:
                accounts.mail_password_changed(request, now)
        return response

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> list[str]:
        return [] if request.user.is_superuser else POWERS

    def has_change_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        """Who may change people may not become one with more rights."""
        if obj is not None and obj.is_staff and not request.user.is_superuser:
            return bool(obj == request.user)
        allowed: bool = super().has_change_permission(request, obj)
        return allowed

    def has_delete_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        if obj is not None and obj.is_staff and not request.user.is_superuser:
            return False
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed


@admin.register(Group)
class ShopGroupAdmin(GroupAdmin):
    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser
