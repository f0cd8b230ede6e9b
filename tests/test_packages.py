"""The lock holds what the lists want, whole and by hash; silence is no clean bill."""

import json
import re
from pathlib import Path

import pytest

from tools.packages import verdict

ROOT = Path(__file__).resolve().parent.parent
PINNED = re.compile(r"^([-\w.]+)(?:\[[\w,]+\])?==([^\s;]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    """Return the version of each package a file names."""
    found = PINNED.findall((ROOT / name).read_text())
    return {package.lower().replace("_", "-"): version for package, version in found}


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_lock_holds_what_is_wanted(name: str) -> None:
    wanted, locked = pins(f"{name}.txt"), pins(f"{name}.lock")

    assert wanted
    assert {package: locked.get(package) for package in wanted} == wanted


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_package_has_its_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    packages = re.split(r"^(?=[-\w.]+==)", text, flags=re.MULTILINE)[1:]

    assert len(packages) == len(pins(name))
    assert [text for text in packages if "--hash=sha256:" not in text] == []
    assert not re.search(r"://|--index|--find-links|@ ", text)


def test_shop_is_locked_as_it_is_developed() -> None:
    shop, development = pins("requirements.lock"), pins("requirements-dev.lock")

    assert shop.items() < development.items()
    assert not {"pytest", "playwright", "starlette"} & set(shop)


def test_nothing_is_installed_but_by_hash() -> None:
    for name in ("Dockerfile", "tools/install.py"):
        text = (ROOT / name).read_text()
        assert "--require-hashes" in text
        assert "requirements.txt" not in text


GOOD = {"name": "django", "version": "1", "vulns": []}
BAD = {**GOOD, "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
SKIPPED = {"name": "django", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "code", "told"),
    [
        ([GOOD], 0, "No known weakness in 1 packages."),
        ([GOOD, BAD], 1, "django 1: PYSEC-1, fixed in 2"),
        ([GOOD, SKIPPED], 2, "Nothing is known of 1 packages"),
        ([SKIPPED, BAD], 1, "PYSEC-1"),
        ([], 2, "could not be reached"),
    ],
)
def test_audit_says_what_is_known(packages: list, code: int, told: str) -> None:
    answered, text = verdict(json.dumps({"dependencies": packages}))

    assert answered == code
    assert told in text


def test_audit_without_an_answer_fails() -> None:
    code, text = verdict("")

    assert code == 2
    assert "could not be reached" in text
