"""No field of the shop asks for a card: browsers and people fill in what looks so."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.test import Client

from tests.factories import make_order, make_product

ROOT = Path(__file__).resolve().parent.parent
FIELDS = {"input", "select", "textarea"}
LIKE_A_CARD = re.compile(
    r"\bcc-|card|\bccn|\bcv[cv2]|\bcsc\b|expir|security.?code|\bpan\b|iban|routing",
    re.IGNORECASE,
)
PAGES = [
    "/", "/orders/", "/accounts/login/", "/accounts/signup/",
    "/accounts/password_reset/", "/admin/login/",
]  # fmt: skip


class Fields(HTMLParser):
    """Collects the fields of a page with all they say of themselves."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in FIELDS:
            said = [f"{name}={value}" for name, value in attrs if name != "value"]
            self.found.append(" ".join([tag, *said]))


def markup() -> Iterator[str]:
    """Yield every template, script and form of the shop."""
    for folder, kind in (("templates", "*.html"), ("static/js", "*.js")):
        for path in sorted((ROOT / folder).rglob(kind)):
            yield path.read_text()


@pytest.mark.django_db
def test_no_page_has_a_field_like_a_cards() -> None:
    make_product()
    pages = [*PAGES, make_order().get_absolute_url()]
    fields = [
        field
        for page in pages
        for field in Fields(Client().get(page).content.decode()).found
    ]

    assert [field for field in fields if LIKE_A_CARD.search(field)] == []
    # What was looked at is there.
    assert any("name=email" in field for field in fields)
    assert any("type=password" in field for field in fields)


def test_no_template_or_script_has_one_either() -> None:
    made = re.compile(r"<(?:input|select|textarea)\b[^>]*>|createElement\(\"input\"\)")
    found = [tag for text in markup() for tag in made.findall(text)]

    assert [tag for tag in found if LIKE_A_CARD.search(tag)] == []
    assert 'createElement("input")' not in found
    assert found


def test_what_looks_like_a_cards_field_is_known() -> None:
    for field in (
        '<input name="cardnumber">', '<input autocomplete="cc-number">',
        '<input id=cvc>', '<input name="card[expiry]">', '<select id="expiry-month">',
    ):  # fmt: skip
        assert LIKE_A_CARD.search(Fields(field).found[0])
