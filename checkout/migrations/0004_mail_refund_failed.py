from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('checkout', '0003_operator_desk'),
    ]

    operations = [
        migrations.AlterField(
            model_name='mail',
            name='kind',
            field=models.CharField(choices=[('confirmation', 'confirmation'), ('pay_again', 'payment failed, pay again'), ('refund', 'refund'), ('refund_failed', 'refund failed')], max_length=20),
        ),
    ]
