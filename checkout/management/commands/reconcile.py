"""`manage.py reconcile`: heal what webhooks left undone, once or again and again."""

import logging
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import OperationalError, close_old_connections

from checkout import reconcile

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Look up unfinished orders at Stripe and settle them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--watch",
            type=float,
            metavar="SECONDS",
            help="run for ever, waiting this long between two rounds",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._run()
        while options["watch"]:
            time.sleep(options["watch"])
            close_old_connections()
            self._run()

    def _run(self) -> None:
        try:
            for change in reconcile.run():
                logger.info("Reconciled: %s", change)
        except OperationalError as error:
            logger.error("DATABASE_URL: the database does not answer: %s", error)
