"""`manage.py reconcile`: heal what webhooks left undone, once or again and again.

Once, it ends non-zero if anything could not be done.
"""

import logging
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, close_old_connections

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
        is_done = self._run()
        if not (options["watch"] or is_done):
            raise CommandError("Not everything was reconciled: run it again.")
        while options["watch"]:
            time.sleep(options["watch"])
            close_old_connections()
            self._run()

    def _run(self) -> bool:
        """Do one round to its end; False if anything could not be done."""
        is_done = True
        try:
            for line in reconcile.run():
                if isinstance(line, reconcile.NotDone):
                    is_done = False
                    logger.warning("Not reconciled: %s", line)
                else:
                    logger.info("Reconciled: %s", line)
        except (OperationalError, InterfaceError) as error:
            is_done = False
            logger.error("DATABASE_URL: the database does not answer: %s", error)
        return is_done
