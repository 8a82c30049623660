#!/usr/bin/env python3
"""Django's command line, with the local settings unless the environment names others."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stockport_hubs.settings.local")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
