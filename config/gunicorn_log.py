"""gunicorn's own lines, its access log among them, formatted and masked as the shop's.

Chosen by `gunicorn.conf.py`.
"""

from typing import Any

from django.conf import settings
from gunicorn.glogging import Logger

from config import logs

FORMATTERS = {
    "json": logs.JsonFormatter(),
    "text": logs.TextFormatter("{levelname} {name}: {message}", style="{"),
}


class MaskedLogger(Logger):
    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(FORMATTERS[settings.LOG_FORMAT])
