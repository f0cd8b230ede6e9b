"""Lock the packages by their hashes, or ask whether a weakness of theirs is known.

    python tools/packages.py lock
    python tools/packages.py audit

`requirements*.txt` say what is wanted, `requirements*.lock` every package that brings
along and the hashes of its files. The two programs that do this are needed seldom, so
they are installed for one run.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# The second takes the versions of the first.
LOCKS = {
    "requirements-dev.txt": "requirements-dev.lock",
    "requirements.txt": "requirements.lock",
}
UV = "uv==0.13.9"
PIP_AUDIT = "pip-audit==2.10.1"
OLDEST_PYTHON = "3.11"
NOT_KNOWN = 2


def main(arguments: list[str]) -> int:
    """Return 0 if it was done and nothing is wrong."""
    match arguments:
        case ["lock"]:
            return lock()
        case ["audit"]:
            return audit()
    print(__doc__)
    return NOT_KNOWN


def lock() -> int:
    """Write the locks: for every Python from the oldest, for every platform."""
    with tempfile.TemporaryDirectory(prefix="shop-") as folder:
        install(UV, folder)
        command = [f"{folder}/bin/uv", "pip", "compile", "--quiet", "--universal"]
        command += ["--python-version", OLDEST_PYTHON, "--generate-hashes"]
        command += ["--system-certs", "--custom-compile-command", "make lock"]
        for wanted, locked in LOCKS.items():
            # A fresh look, not the versions of the lock that is there.
            written = [wanted, "--upgrade", "--output-file", locked]
            subprocess.run([*command, *written], cwd=ROOT, check=True)
            command += ["--constraint", locked]
            print(f"Wrote {locked}.")
    return 0


def audit() -> int:
    """Ask PyPI about every locked package, and ruff about the code."""
    command = ["ruff", "check", "--select", "S", "config", "checkout", "sandbox"]
    unsafe = subprocess.run([sys.executable, "-m", *command], cwd=ROOT).returncode
    with tempfile.TemporaryDirectory(prefix="shop-") as folder:
        install(PIP_AUDIT, folder)
        asked = subprocess.run(
            [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip",
             "--requirement", LOCKS["requirements-dev.txt"], "--format", "json",
             "--progress-spinner", "off", "--timeout", "20"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip
    code, told = verdict(asked.stdout)
    print(told)
    return code or unsafe


def verdict(answer: str) -> tuple[int, str]:
    """Return an exit code and what to say of pip-audit's JSON: silence is no answer."""
    try:
        packages: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    except (ValueError, LookupError, TypeError):
        packages = []
    known = [package for package in packages if "vulns" in package]
    weak = [
        f"{package['name']} {package['version']}: {weakness['id']}, fixed in "
        f"{', '.join(weakness['fix_versions']) or 'no version yet'}"
        for package in known
        for weakness in package["vulns"]
    ]
    if weak:
        return 1, "\n".join(weak)
    if not known or len(known) < len(packages):
        left = len(packages) - len(known) if packages else "all"
        return NOT_KNOWN, (
            f"Nothing is known of {left} packages: the vulnerability service "
            "could not be reached, or does not know them. Try again elsewhere."
        )
    return 0, f"No known weakness in {len(known)} packages."


def install(package: str, folder: str) -> None:
    """Install a package, with what it needs, into `folder` alone."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "-qq", "--target", folder, package], check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
