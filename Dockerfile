# The production image: packages and front-end files by the same script as on any machine, served without root.
FROM python:3.11-slim AS packages
WORKDIR /app
COPY requirements.txt ./
COPY tools/prepare.py tools/requirements-uv.txt tools/
RUN python tools/prepare.py packages

FROM packages AS frontend
COPY tools/frontend tools/frontend
RUN python tools/prepare.py frontend

FROM python:3.11-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home hubs
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY --from=frontend /app/build/frontend build/frontend
COPY manage.py ./
COPY stockport_hubs stockport_hubs
COPY careleavers careleavers
COPY pantry pantry
COPY referrals referrals
COPY reviews reviews
COPY templates templates
COPY static static
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=stockport_hubs.settings.production
# The values are for this one command only; the running site gets its own from the environment.
RUN SECRET_KEY=collecting ALLOWED_HOSTS=collecting DATABASE_URL=sqlite:////tmp/none.sqlite3 \
    python manage.py collectstatic --noinput \
    && mkdir var && chown hubs:hubs var
USER hubs
EXPOSE 8000
CMD ["sh", "-c", "python manage.py check_production && exec gunicorn -c python:stockport_hubs.gunicorn_config stockport_hubs.wsgi --bind 0.0.0.0:8000 --workers 3 --logger-class stockport_hubs.core.gunicorn_logs.JsonLogger"]
