"""The application's configuration."""

from django.apps import AppConfig


class CheckoutConfig(AppConfig):
    """Register the system checks, and what hears of sign-ins, when Django is ready."""

    name = "checkout"
    verbose_name = "Shop"

    def ready(self) -> None:
        from checkout import checks, sign_ins  # noqa: F401
