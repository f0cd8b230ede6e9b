"""The application's configuration."""

from django.apps import AppConfig


class CheckoutConfig(AppConfig):
    """Register the system checks when Django is ready."""

    name = "checkout"
    verbose_name = "Shop"

    def ready(self) -> None:
        from checkout import checks  # noqa: F401
