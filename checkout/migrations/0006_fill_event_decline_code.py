from django.db import migrations


def fill(apps, schema_editor):
    """Copy the code from the payloads that were recorded before it had a column."""
    events = apps.get_model("checkout", "StripeEvent").objects
    declined = events.filter(type="payment_intent.payment_failed", decline_code="")
    for event in declined.iterator():
        error = event.payload["data"]["object"].get("last_payment_error") or {}
        code = error.get("decline_code") or error.get("code") or ""
        events.filter(pk=event.pk).update(decline_code=code[:60])


class Migration(migrations.Migration):

    dependencies = [
        ("checkout", "0005_event_decline_code"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
