"""`manage.py doctor`: is this shop set up to be paid?"""

import logging
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from checkout import doctor


class Command(BaseCommand):
    help = "Examine keys, Stripe, webhooks, database, mail; exit non-zero on a problem."
    # It says by itself what is wrong with the settings.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--url",
            metavar="URL",
            help="this shop's webhook address, such as "
            "https://shop.example/stripe/webhook/ (default: by ALLOWED_HOSTS)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Every call that fails becomes a finding; its log line would only repeat it.
        logging.disable(logging.WARNING)
        try:
            problems = self._report(options["url"] or doctor.own_webhook_url())
        finally:
            logging.disable(logging.NOTSET)
        if problems:
            raise CommandError(f"{problems} problems.")
        self.stdout.write("All is well.")

    def _report(self, url: str) -> int:
        problems = 0
        for finding in doctor.examine(url):
            problems += finding.state == "problem"
            self.stdout.write(f"{finding.state:8} {finding.point}: {finding.text}")
            if finding.advice:
                self.stdout.write(f"{'':8} → {finding.advice}")
        return problems
