"""Create `.venv` and install what the lock names, by the hashes of its files.

Runs under the Python of the machine, so it uses the standard library alone.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"


def main() -> None:
    """Install into `.venv`, or stop with a sentence that says what is missing."""
    if sys.version_info < (3, 11):
        sys.exit("Python 3.11 or newer is needed: make PYTHON=/path/to/python3.12 …")
    print("Installing what the shop and its tests need into .venv …", flush=True)
    create = [sys.executable, "-m", "venv", str(VENV)]
    if subprocess.run(create).returncode:
        sys.exit("Python could not create .venv (on Debian: apt install python3-venv).")
    pip = [str(VENV / "bin/python"), "-m", "pip", "--disable-pip-version-check"]
    wanted = ["--require-hashes", "--requirement", str(ROOT / "requirements-dev.lock")]
    if subprocess.run([*pip, "install", "-qq", "--no-compile", *wanted]).returncode:
        sys.exit("pip could not install requirements-dev.lock; its message is above.")


if __name__ == "__main__":
    main()
