"""Pantries, tariffs, agreements and renewals; included by pantry/urls.py in the same namespace."""

urlpatterns: list = []
