"""`manage.py verify_payments`: does every order agree with Stripe?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from checkout import audit, gateway


class Command(BaseCommand):
    help = "Compare every order with Stripe; exit non-zero on any disagreement."

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        try:
            for disagreement in audit.disagreements():
                self.stdout.write(disagreement)
                count += 1
        except gateway.StripeError as error:
            raise CommandError(f"Stripe does not answer: {error}") from error
        if count:
            raise CommandError(f"{count} disagreements.")
        self.stdout.write("Every order agrees with Stripe.")
