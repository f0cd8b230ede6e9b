"""The npm packages that checks and tests use: types, TypeScript, axe, Stripe's CLI."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def is_here() -> bool:
    """Return whether this machine has Node.js with npm."""
    return shutil.which("npm") is not None


def packages_are_current() -> bool:
    """Return whether `npm ci` has run since the pinned packages last changed."""
    installed = ROOT / "node_modules/.package-lock.json"
    pinned = ROOT / "package-lock.json"
    return installed.exists() and installed.stat().st_mtime > pinned.stat().st_mtime


def install() -> bool:
    """Install the pinned packages unless they are there; False if that failed."""
    if packages_are_current():
        return True
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--silent"], cwd=ROOT, stdin=subprocess.DEVNULL
    )
    return done.returncode == 0
