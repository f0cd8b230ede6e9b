# The shop and nothing else: no sandbox, no tests, no compiler, no root.
FROM python:3.11-slim-bookworm AS packages
COPY requirements.lock .
RUN pip install --no-cache-dir --no-compile --prefix=/packages \
    --require-hashes -r requirements.lock

FROM python:3.11-slim-bookworm AS shop
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=packages /packages /usr/local
WORKDIR /shop
COPY manage.py ./
COPY config config
COPY checkout checkout
COPY templates templates
COPY locale locale

FROM shop AS files
COPY static static
# Collecting needs settings, not secrets: this one is no key, and stays in this stage.
RUN DJANGO_SECRET_KEY=build python manage.py collectstatic --noinput --verbosity 0

FROM shop
COPY --from=files /shop/staticfiles staticfiles
# All of it belongs to root: the shop cannot rewrite itself.
RUN useradd --no-create-home --uid 1000 shop
USER 1000:1000
EXPOSE 8000
CMD ["gunicorn", "--config", "config/gunicorn.conf.py", "config.wsgi"]
