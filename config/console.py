"""Mail on the console: who would get it, and what they would read, once."""

from django.core.mail.backends.console import EmailBackend as ConsoleBackend
from django.core.mail.message import EmailMessage


class EmailBackend(ConsoleBackend):
    """Print a message's text instead of its source, which says everything twice."""

    def write_message(self, message: EmailMessage) -> None:
        recipients = ", ".join(message.recipients())
        self.stream.write(f"Mail to {recipients}: {message.subject}\n")
        self.stream.write("".join(f"  {line}\n" for line in message.body.splitlines()))
