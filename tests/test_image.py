"""What the image would hold, and that it runs: built by hand, for want of an engine.

The lines of Dockerfile and .dockerignore are read and followed, nothing is assumed.
"""

import re
import shutil
import subprocess
import sys
import textwrap
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.test_env import LIVE

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
COMPOSE = (ROOT / "compose.yaml").read_text()


def is_sent(path: Path) -> bool:
    """Whether .dockerignore lets a file into the build; its last word counts."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if not line or line.startswith("#"):
            continue
        parts = path.parts if pattern.startswith("**/") else path.parts[:1]
        if any(fnmatch(part, pattern.removeprefix("**/")) for part in parts):
            sent = line.startswith("!")
    return sent


def copies() -> list[tuple[str, str]]:
    """Return what each COPY takes from the build, and where it puts it."""
    return re.findall(r"^COPY (?!--from)(\S+) (\S+)$", DOCKERFILE, re.MULTILINE)


STREWN = [
    "config/.env", "config/.env.bak", "checkout/db.sqlite3-wal", "static/.DS_Store",
    "checkout/__pycache__/x.pyc",
]  # fmt: skip


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder the shop lives in, from a tree in which things lie about."""
    tree = tmp_path_factory.mktemp("tree")
    folder = tmp_path_factory.mktemp("image")
    for source, _target in copies():
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, tree / source)
    for name in STREWN:
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text("STRIPE_SECRET_KEY=strewn")
    for source, target in copies():
        assert target in (source, ".", "./")
        for path in [tree / source, *(tree / source).rglob("*")]:
            inside = path.relative_to(tree)
            if path.is_file() and is_sent(inside):
                (folder / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, folder / inside)
    return folder


def run(image: Path, *arguments: str, **environment: str) -> str:
    """Run Python in the image's folder, with nothing but this environment."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=image,
        env={"PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_image_holds_the_shop_and_nothing_else(image: Path) -> None:
    held = {path.name for path in image.iterdir()}
    everything = [str(path.relative_to(image)) for path in image.rglob("*")]

    assert held == {
        "requirements.lock", "manage.py", "config", "checkout", "templates", "static",
        "locale",
    }  # fmt: skip
    for strange in (".env", "sqlite", "pycache", ".pyc", ".git", "sandbox", "DS_Store"):
        assert [name for name in everything if strange in name] == []
    # Nothing of the shop is left out.
    for folder in ("config", "checkout", "templates", "static", "locale"):
        wanted = [p for p in (ROOT / folder).rglob("*") if is_code(p)]
        assert [p for p in wanted if str(p.relative_to(ROOT)) not in everything] == []


def test_nothing_else_is_even_sent_to_the_build() -> None:
    for name in (
        ".env", ".git/config", ".sandbox/secrets.json", "db.sqlite3", "sandbox/api.py",
        "tests/settings.py", "tools/run.py", "node_modules/x/y.js", ".venv/x",
        "requirements-dev.lock", *STREWN,
    ):  # fmt: skip
        assert not is_sent(Path(name)), name


def is_code(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def test_static_files_are_collected_without_a_secret(image: Path) -> None:
    [line] = re.findall(r"^RUN (.*collectstatic.*)$", DOCKERFILE, re.MULTILINE)
    before, command = line.split(" python ")
    environment = dict(pair.split("=") for pair in before.split())

    run(image, *command.split(), **environment)

    assert environment == {"DJANGO_SECRET_KEY": "build"}
    collected = image / "staticfiles"
    [style] = collected.glob("css/shop.????????????.css")
    assert Path(f"{style}.gz").stat().st_size < style.stat().st_size
    shutil.rmtree(collected)


def test_shop_starts_from_the_image_alone(image: Path, tmp_path: Path) -> None:
    # The sources of static files stay behind in an earlier stage.
    sources = shutil.ignore_patterns("static")
    last = shutil.copytree(image, tmp_path / "last", ignore=sources)

    said = run(last, "-W", "ignore", "-c", "import config.wsgi", **LIVE)

    assert "nothing is wrong" in said


def test_last_stage_has_no_secret_no_root_and_no_sources_of_static_files() -> None:
    *_, last = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)

    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last, re.MULTILINE)
    assert not re.search(r"SECRET|PASSWORD|KEY|^COPY static", last, re.MULTILINE)
    assert "ARG " not in DOCKERFILE
    assert "ADD " not in DOCKERFILE
    assert ":latest" not in DOCKERFILE + COMPOSE


def test_health_is_asked_by_a_name_of_the_shop(shop: str) -> None:
    [asked] = re.findall(r"- python\n +- -c\n +- \|\n((?: {10}.*\n)+)", COMPOSE)
    code = textwrap.dedent(asked).replace("http://127.0.0.1:8000", shop)

    for names, healthy in (("testserver,shop.example", True), ("evil.example", False)):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"ALLOWED_HOSTS": names},
            capture_output=True,
        )
        assert (done.returncode == 0) is healthy, done.stderr


def test_services_are_shut_in() -> None:
    shared, services = COMPOSE.split("\nservices:\n")
    for line in (
        "read_only: true", "tmpfs: [/tmp]", "cap_drop: [ALL]", 'DEBUG: "false"',
        'security_opt: ["no-new-privileges:true"]', "restart: unless-stopped",
    ):  # fmt: skip
        assert line in shared
    blocks = dict(re.findall(r"^  (\w+):\n((?:    .*\n|\n)+)", services, re.MULTILINE))
    assert set(blocks) == {"database", "migrate", "web", "reconcile"}
    for name in ("migrate", "web", "reconcile"):
        assert "<<: *shop" in blocks[name]
    for name in ("web", "reconcile"):
        assert "migrate: { condition: service_completed_successfully }" in blocks[name]
    assert "database: { condition: service_healthy }" in blocks["migrate"]
    assert "healthcheck:" in blocks["database"]
    # Nobody reaches the shop but by the proxy, and the database not at all.
    assert re.findall(r'- "(\S+)"', services) == ["127.0.0.1:8000:8000"]
