from django.db import migrations, models

NUMBERS = "UPDATE {0} SET member_number = (SELECT number FROM pantry_membership m WHERE m.id = {0}.membership_id)"


class Migration(migrations.Migration):
    dependencies = [("pantry", "0014_opening_blocks")]

    operations = [
        migrations.AddField("prepaidblock", "member_number", models.PositiveIntegerField(default=0), False),
        migrations.AddField("renewaldecision", "member_number", models.PositiveIntegerField(default=0), False),
        migrations.RunSQL(NUMBERS.format("pantry_prepaidblock"), migrations.RunSQL.noop),
        migrations.RunSQL(NUMBERS.format("pantry_renewaldecision"), migrations.RunSQL.noop),
        migrations.RemoveIndex("prepaidblock", "block_by_agreement"),
        migrations.RemoveIndex("renewaldecision", "decision_by_outcome"),
        migrations.RemoveIndex("renewaldecision", "decision_by_due_day"),
        migrations.AlterModelOptions("renewaldecision", {"ordering": ["due_on", "member_number", "id"]}),
        migrations.AddIndex(
            "prepaidblock",
            models.Index(fields=["agreement", "-bought_on", "member_number"], name="block_by_agreement"),
        ),
        migrations.AddIndex(
            "renewaldecision",
            models.Index(fields=["outcome", "due_on", "member_number"], name="decision_by_outcome"),
        ),
        migrations.AddIndex(
            "renewaldecision", models.Index(fields=["-due_on", "member_number"], name="decision_by_due_day")
        ),
    ]
