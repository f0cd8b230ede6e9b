#!/usr/bin/env python
"""Django's command line for the shop."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

from config import database

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as refusal:
        sys.exit(f"Refused to start: {refusal}")
    except OperationalError:
        if database.can_be_opened():
            raise
        sys.exit(database.NOT_OPENED)
