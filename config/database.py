"""What to say when the database cannot be opened: the setting, never its value."""

from django.db import OperationalError, connection

NOT_OPENED = (
    "DATABASE_URL: the database cannot be opened. Does its server run, are host, name, "
    "user and password right? For SQLite: does the folder exist, and is it writable?"
)


def can_be_opened() -> bool:
    """Try it, and leave no connection behind."""
    try:
        connection.ensure_connection()
    except OperationalError:
        return False
    connection.close()
    return True
