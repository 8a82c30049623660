from django.db import migrations, models

FILL = """UPDATE careleavers_careleaver SET is_in_cohort = TRUE
    WHERE id IN (SELECT care_leaver_id FROM careleavers_cohortplace)"""


class Migration(migrations.Migration):
    dependencies = [("careleavers", "0010_desk")]

    operations = [
        migrations.AddField(
            "careleaver",
            "is_in_cohort",
            models.BooleanField(default=False, help_text="Has a place; written with it (services/cohort.py)."),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            "careleaver",
            models.Index(fields=["council"], condition=models.Q(is_in_cohort=False), name="careleaver_outside_cohort"),
        ),
    ]
