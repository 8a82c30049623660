"""The WSGI application that gunicorn serves."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stockport_hubs.settings.local")
application = get_wsgi_application()
import_module("stockport_hubs.urls")  # with every view, so that the first request of a worker does not wait for them
