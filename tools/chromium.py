"""Chromium for the browser tests: the one on this machine, else a fresh one."""

import os
import shutil
import subprocess
import sys

from playwright.sync_api import sync_playwright

# First the shell without windows: the same engine takes half the time.
NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
# A download that hangs must not hold up the tests that need no browser.
DOWNLOAD_SECONDS = 300


def find() -> str | None:
    """Return the path of `CHROMIUM`, of a browser on PATH or of Playwright's own."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    for name in NAMES:
        if path := shutil.which(name):
            return path
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None


def find_or_install() -> str | None:
    """Return the path of Chromium, installed if need be; None where that fails."""
    path = find()
    if path is None and (_from_playwright() or _from_debian()):
        path = find()
    return path


def _from_playwright() -> bool:
    print("Installing Chromium by Playwright …", flush=True)
    return _succeeds([sys.executable, "-m", "playwright", "install", "chromium"])


def _from_debian() -> bool:
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    print("Installing Chromium by Debian's package manager …", flush=True)
    apt = ["apt-get", "-qq", "--yes"]
    packages = ["chromium-headless-shell", "fonts-liberation"]
    return _succeeds([*apt, "update"]) and _succeeds(
        [*apt, "install", "--no-install-recommends", *packages]
    )


def _succeeds(command: list[str]) -> bool:
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(
            command, stdin=quiet, stdout=quiet, stderr=quiet, timeout=DOWNLOAD_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
