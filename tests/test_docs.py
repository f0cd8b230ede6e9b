"""The documents say what is: links lead somewhere, names and lists are the code's."""

import re
import runpy
from pathlib import Path

import pytest

from checkout.inbox import EVENT_TYPES
from tests.test_env import names_read_by_settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)|src=\"([^\"]+)", document.read_text())
    links = ["".join(link) for link in links]
    paths = [link for link in links if not link.startswith("https:")]
    assert [path for path in paths if not (document.parent / path).exists()] == []


def test_every_variable_is_in_the_readme_and_no_other() -> None:
    table = README.partition("## Settings")[2].partition("\n## ")[0]
    named = {
        name
        for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
        for name in re.findall(r"`([A-Z_]+)`", row)
    }
    assert named == names_read_by_settings()


def test_listen_line_names_the_events_of_the_shop() -> None:
    [events] = re.findall(r"stripe listen .*--events (\S+)", README)
    assert set(events.split(",")) == set(EVENT_TYPES)


def test_named_tests_exist() -> None:
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    charges = (ROOT / "docs" / "double-charges.md").read_text()
    names = re.findall(r"`((?:test_\w+|\w+Tests))`", charges)
    assert names
    for name in names:
        known = rf"(def|class) {name}\b"
        assert re.search(known, tests) or (ROOT / "tests" / f"{name}.py").exists()


def test_rules_to_be_removed_stand_where_the_list_says() -> None:
    listed = runpy.run_path(str(ROOT / "tools" / "mutations.py"))["MUTATIONS"]
    missing = [
        rule.rule
        for rule in listed
        if (ROOT / "checkout" / rule.file).read_text().count(rule.line) != 1
    ]

    assert missing == []


def test_release_of_stripes_script_is_the_listed_one() -> None:
    page = (ROOT / "docs" / "payment-page.md").read_text()
    [release] = re.findall(r"`js\.stripe\.com`, pinned release `(\w+)`", page)
    settings = (ROOT / "config" / "settings.py").read_text()
    assert f'"https://js.stripe.com/{release}/stripe.js"' in settings


def test_readme_fits_on_a_few_screens() -> None:
    assert len(README.splitlines()) <= 150
