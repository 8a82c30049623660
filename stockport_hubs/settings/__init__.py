"""Settings: base.py holds nearly everything; local, test and production differ by a few lines."""
