"""Who does not want the weekly e-mail about their young people."""

from django.db import models

from stockport_hubs.accounts.models import User


class DigestOff(models.Model):
    """This person has switched it off; without a row it comes."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+", primary_key=True)
    off_at = models.DateTimeField()

    def __str__(self):
        return f"No digest since {self.off_at:%Y-%m-%d}"
