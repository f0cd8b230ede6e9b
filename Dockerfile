# The shop and nothing else: no sandbox, no tests, no compiler, no root.
FROM python:3.11-slim AS packages
COPY requirements.lock .
RUN pip install --no-cache-dir --no-compile --prefix=/packages \
    --require-hashes -r requirements.lock

FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --create-home --uid 1000 shop
COPY --from=packages /packages /usr/local
WORKDIR /shop
COPY manage.py ./
COPY config config
COPY checkout checkout
COPY templates templates
COPY static static
COPY locale locale
# Collecting needs settings, not secrets: these never leave this step.
RUN DJANGO_SECRET_KEY=build STRIPE_SECRET_KEY=sk_test_build \
    STRIPE_PUBLISHABLE_KEY=pk_test_build STRIPE_WEBHOOK_SECRET=whsec_build \
    python manage.py collectstatic --noinput --verbosity 0
USER shop
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["gunicorn", "--config", "config/gunicorn.conf.py", "config.wsgi"]
