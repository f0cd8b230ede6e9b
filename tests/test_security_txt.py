"""Whom to tell of a weakness: named by the operator, or nobody."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from pytest_django.fixtures import Settings

ADDRESS = "/.well-known/security.txt"


def test_contact_is_told_and_expires(settings: Settings) -> None:
    settings.SECURITY_CONTACT = "mailto:security@shop.example"

    answer = Client().get(ADDRESS, secure=True)

    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.content.decode().splitlines())
    assert fields["Contact"] == "mailto:security@shop.example"
    assert fields["Canonical"] == f"https://testserver{ADDRESS}"
    assert fields["Preferred-Languages"] == "en, de"
    expires = parse_datetime(fields["Expires"])
    assert expires is not None
    assert timedelta(days=30) < expires - timezone.now() < timedelta(days=365)


def test_without_a_contact_there_is_no_such_file(db: None) -> None:
    assert Client().get(ADDRESS).status_code == 404
