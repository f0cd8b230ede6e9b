"""Signing in with a password, tried only so often, whichever page asks."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from checkout import limits
from checkout.users import User

# In `request.META`: after how many seconds another password may be tried.
RETRY_AFTER = "checkout.retry_after"


class LimitedBackend(ModelBackend):
    """Django's own, which tries no password over the limit, right or wrong."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """Return the user as Django does; refuse everything over the limit.

        The form then says what it says of a wrong password.
        """
        if request is None or username is None:
            return super().authenticate(request, username, password, **kwargs)
        try:
            spent = limits.sign_in(
                account=username.strip().lower(), address=limits.address_of(request)
            )
        except limits.TooMany as refusal:
            request.META[RETRY_AFTER] = refusal.retry_after
            raise PermissionDenied from refusal
        user = super().authenticate(request, username, password, **kwargs)
        if user is not None:
            limits.give_back(spent)
        return user
