"""Check the code without running the shop; no finding hides another.

What cannot be checked on this machine is skipped by name with its reason.
"""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import node

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = (
    "tsconfig.json",
    "sandbox/browser/tsconfig.json",
    "sandbox/inspector/tsconfig.json",
)


def main() -> int:
    """Return 0 if every check passed, else 1."""
    with tempfile.TemporaryDirectory(prefix="shop-") as scratch:
        os.environ["TMPDIR"] = scratch
        checks = python_checks()
        failed = False
        if not node.is_here():
            print("skipped: JavaScript (this machine has no Node.js)")
        elif node.install():
            checks += javascript_checks()
        else:
            print("FAILED: npm ci")
            failed = True
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for (name, _), done in zip(checks, pool.map(run, checks), strict=True):
                failed |= done.returncode != 0
                tell(name, done)
    return 1 if failed else 0


def python_checks() -> list[tuple[str, list[str]]]:
    """Return the checks that need nothing but `.venv`, by name."""
    module = [sys.executable, "-m"]
    manage = [sys.executable, "manage.py"]
    # These settings read no `.env` and collect static files into a scratch folder.
    settings = "--settings=tests.settings"
    return [
        ("ruff check", [*module, "ruff", "check", "--quiet", "."]),
        ("ruff format", [*module, "ruff", "format", "--check", "."]),
        ("mypy --strict", [*module, "mypy"]),
        ("migrations", [*manage, "makemigrations", settings, "--check", "--dry-run"]),
        ("manage.py check", [*manage, "check", settings]),
        ("collectstatic", [*manage, "collectstatic", settings, "--no-input"]),
    ]


def javascript_checks() -> list[tuple[str, list[str]]]:
    """Return the checks that need what `npm ci` installs, by name."""
    checks = [
        (f"tsc {project}", ["node_modules/.bin/tsc", "--project", project])
        for project in PROJECTS
        if (ROOT / project).exists()
    ]
    if tests := sorted(str(path) for path in (ROOT / "tests/js").glob("*.test.*js")):
        checks.append(("node --test", ["node", "--test", *tests]))
    return checks


def run(check: tuple[str, list[str]]) -> subprocess.CompletedProcess[str]:
    """Run the command of a check to its end."""
    return subprocess.run(
        check[1],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def tell(name: str, done: subprocess.CompletedProcess[str]) -> None:
    """Print one line, and what a check had to say if it failed."""
    print(f"{'FAILED' if done.returncode else 'ok'}: {name}", flush=True)
    if done.returncode:
        print(done.stdout.rstrip() + "\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
