from django.db import migrations, models

CURRENT = "FROM careleavers_wellbeing AS w WHERE w.care_leaver_id = careleavers_careleaver.id AND w.replaced_at IS NULL"
POINTS = ("start", "three_months", "six_months")
ASKED = " || ".join(
    f"CASE WHEN EXISTS (SELECT 1 {CURRENT} AND w.point = '{point}') THEN '{point} ' ELSE '' END" for point in POINTS
)
FILL = f"""UPDATE careleavers_careleaver SET wellbeing_asked = TRIM({ASKED}), wellbeing_from = COALESCE(
    (SELECT w.asked_on {CURRENT} AND w.point = 'start'),
    (SELECT MIN(given_on) FROM careleavers_sharingagreement WHERE care_leaver_id = careleavers_careleaver.id))"""
VALID = [
    "",
    "start",
    "three_months",
    "six_months",
    "start three_months",
    "start six_months",
    "three_months six_months",
    "start three_months six_months",
]


class Migration(migrations.Migration):
    dependencies = [("careleavers", "0011_outside_cohort")]

    operations = [
        migrations.AddField(
            "careleaver",
            "wellbeing_asked",
            models.CharField(
                blank=True, default="", help_text="Points in order, a space between.", max_length=40
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "careleaver",
            "wellbeing_from",
            models.DateField(blank=True, help_text="Start asked, or else first agreement.", null=True),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            "careleaver",
            models.Index(fields=["wellbeing_asked", "wellbeing_from"], name="careleaver_by_wellbeing"),
        ),
        migrations.AddConstraint(
            "careleaver",
            models.CheckConstraint(
                condition=models.Q(wellbeing_asked__in=VALID), name="careleaver_wellbeing_asked_valid"
            ),
        ),
    ]
