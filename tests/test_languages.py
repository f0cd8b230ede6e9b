"""Every text is translated, and the compiled catalogue is the one of its source."""

from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "locale" / "de" / "LC_MESSAGES"
KEYWORDS: Any = {
    "gettext": None, "gettext_lazy": None, "gettext_noop": None, "_": None,
    "ngettext": (1, 2),
}  # fmt: skip


def texts_of_the_shop() -> set[str]:
    """Return every text in Python code and templates that asks to be translated."""
    sources = [
        path.read_text()
        for folder in ("checkout", "config")
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" not in path.parts
    ]
    sources += [
        # Python to the eye, but indented like HTML.
        "\n".join(map(str.strip, templatize(path.read_text()).splitlines()))
        for path in (ROOT / "templates").rglob("*.*")
        if path.suffix in (".html", ".txt")
    ]
    found = set()
    for source in sources:
        code = BytesIO(source.encode())
        for _, message, _, _ in extract("python", code, keywords=KEYWORDS):
            found |= {message} if isinstance(message, str) else set(message)
    return found


def test_every_text_has_a_german_one() -> None:
    with (CATALOGUE / "django.po").open("rb") as file:
        translated = {
            text
            for message in read_po(file)
            if message.string and not message.fuzzy
            for text in ([message.id] if isinstance(message.id, str) else message.id)
        }
    assert texts_of_the_shop() - translated == set()


def test_translations_keep_their_placeholders() -> None:
    with (CATALOGUE / "django.po").open("rb") as file:
        wrong = [
            message.id
            for message in read_po(file)
            if message.id and list(message.check())
        ]
    assert wrong == []


def test_compiled_catalogue_is_up_to_date() -> None:
    with (CATALOGUE / "django.po").open("rb") as file:
        written = texts(read_po(file))
    with (CATALOGUE / "django.mo").open("rb") as file:
        compiled = texts(read_mo(file))
    assert compiled == written


def texts(catalogue: Any) -> set[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return originals with their translations; a plural has two of each."""
    return {
        (as_tuple(message.id), as_tuple(message.string))
        for message in catalogue
        if message.id
    }


def as_tuple(text: Any) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)
