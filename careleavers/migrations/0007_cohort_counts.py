"""What is counted of the cohort is repeated in its places: whose council, and the day of the first step."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Min, OuterRef, Subquery
from django.db.models.functions import Coalesce


def fill(apps, schema_editor):
    place, move = apps.get_model("careleavers", "CohortPlace"), apps.get_model("careleavers", "CohortMove")
    person = apps.get_model("careleavers", "CareLeaver").objects.filter(pk=OuterRef("care_leaver"))
    first = move.objects.filter(place=OuterRef("pk")).order_by().values("place").annotate(day=Min("on"))
    place.objects.update(
        council=Subquery(person.values("council")), ticked_on=Coalesce(Subquery(first.values("day")), F("state_on"))
    )
    if schema_editor.connection.vendor == "postgresql":  # a table with checks still to make cannot be altered
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_sign_in'),
        ('careleavers', '0006_died'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='cohortplace',
            name='council',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation'),
        ),
        migrations.AddField(
            model_name='cohortplace',
            name='ticked_on',
            field=models.DateField(help_text='The day of the first step; it never changes.', null=True),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='cohortplace',
            name='council',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation'),
        ),
        migrations.AlterField(
            model_name='cohortplace',
            name='ticked_on',
            field=models.DateField(help_text='The day of the first step; it never changes.'),
        ),
        migrations.AddIndex(
            model_name='cohortplace',
            index=models.Index(fields=['council', 'state'], name='cohort_by_council_and_state'),
        ),
        migrations.AddIndex(
            model_name='cohortplace',
            index=models.Index(fields=['council', 'care_leaver', 'ticked_on'], name='cohort_by_council_and_person'),
        ),
    ]
