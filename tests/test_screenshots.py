"""Taking pictures works; the ways to them are gone by the tests of accessibility."""

from pathlib import Path

import pytest

from tests import screenshots
from tests.browsers import PHONE
from tests.screenshots import Camera, camera  # noqa: F401


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(screenshots, "FOLDER", tmp_path)
    monkeypatch.setattr(screenshots, "SIZES", {"1280": PHONE})
    return tmp_path


def test_a_state_is_photographed_in_both_schemes(camera: Camera, folder: Path) -> None:  # noqa: F811
    screenshots.test_nothing_on_sale(camera)

    assert {it.name for it in folder.iterdir()} == {
        "nothing-on-sale-1280-light.png",
        "nothing-on-sale-1280-dark.png",
    }
