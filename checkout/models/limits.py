"""Counters of what may be done only so often; `limits` has the rules."""

from django.db import models


class Limit(models.Model):
    """What somebody has left of one limit in the window that began at `began_at`."""

    scope = models.CharField(max_length=30)
    # A keyed hash of a visitor, an address or an account.
    subject = models.CharField(max_length=32)
    began_at = models.DateTimeField()
    remaining = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            # The time first: old rows are found by it.
            models.UniqueConstraint(
                fields=["began_at", "scope", "subject"], name="one_counter_per_window"
            )
        ]

    def __str__(self) -> str:
        return f"{self.scope}: {self.remaining} left"
