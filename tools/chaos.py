"""`make chaos`: every reliability figure in full, as far as `MINUTES` (60) reach.

What was done is kept in `.cache/chaos`, so that the next call goes on where this one
stopped; `CHAOS=new` starts over. Each part gets a share of the time and says what it
has done of what is planned. The parts run one after the other, as processes of this
one, on loopback; a summary is printed at the end and kept beside the figures.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from test import SHARED, leave, on_stop, postgresql

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".cache" / "chaos"
RESULTS = FOLDER / "figures.json"
SUMMARY = FOLDER / "summary.md"
SCENES = 13


@dataclass
class Part:
    """One row of the summary: what is planned, and how a next piece of it is run."""

    name: str
    unit: str
    planned: int
    share: float
    database: str
    piece: int
    passes: str
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.name} on {self.database}"

    @property
    def done(self) -> int:
        return int(self.figures.get("done", 0))

    @property
    def failures(self) -> list[str]:
        found: list[str] = self.figures.setdefault("failures", [])
        return found


PARTS = [
    Part("histories of 100 steps", "histories", 1000, 0.36, "SQLite", 40,
         "0 violations; a failure replays from its seed"),
    Part("histories of 100 steps", "histories", 200, 0.14, "PostgreSQL", 20,
         "0 violations; a failure replays from its seed"),
    Part("crashes", "acts killed at every place", SCENES, 0.07, "SQLite", 4,
         "0 violations, healed within 120 s"),
    Part("crashes", "acts killed at every place", SCENES, 0.07, "PostgreSQL", 4,
         "0 violations, healed within 120 s"),
    Part("races", "rounds of thirteen races", 100, 0.07, "SQLite", 10,
         "1 order, 1 effect, sum of refunds within what was paid, 0 lost"),
    Part("races", "rounds of thirteen races", 100, 0.07, "PostgreSQL", 10,
         "1 order, 1 effect, sum of refunds within what was paid, 0 lost"),
    Part("kills under 20 requests/s", "kills", 100, 0.05, "SQLite", 100,
         "0 lost, 0 doubled"),
    Part("kills under 20 requests/s", "kills", 100, 0.05, "PostgreSQL", 100,
         "0 lost, 0 doubled"),
    Part("soak, 5 % faults", "orders", 10_000, 0.10, "PostgreSQL", 10_000,
         "conservation exact, 0 in limbo"),
    Part("burst of 1,000 in 10 s", "events", 1000, 0.01, "SQLite", 1000, "all 2xx"),
    Part("burst of 1,000 in 10 s", "events", 1000, 0.01, "PostgreSQL", 1000,
         "all 2xx"),
]  # fmt: skip


def main() -> int:
    """Return 0 if nothing that was run has failed."""
    on_stop(leave)
    minutes = float(os.environ.get("MINUTES", "60"))
    FOLDER.mkdir(parents=True, exist_ok=True)
    remember = os.environ.get("CHAOS") != "new" and RESULTS.exists()
    known = json.loads(RESULTS.read_text()) if remember else {}
    for part in PARTS:
        part.figures = known.get(part.key, {})
    began = time.monotonic()
    try:
        with postgresql() as url:
            for part, seconds in shares(minutes * 60):
                run(part, seconds, url)
    finally:
        print(summary(minutes, time.monotonic() - began), flush=True)
    return 1 if any(part.failures for part in PARTS) else 0


def shares(seconds: float) -> Iterator[tuple[Part, float]]:
    """Divide the time that is left among the parts that are not done."""
    end = time.monotonic() + seconds
    waiting = [part for part in PARTS if part.done < part.planned]
    while waiting:
        part = waiting[0]
        left = max(0, end - time.monotonic())
        yield part, left * part.share / sum(other.share for other in waiting)
        waiting.pop(0)


def run(part: Part, seconds: float, postgres: str) -> None:
    """Do pieces of a part until its time is over; each piece is kept at once."""
    end = time.monotonic() + seconds
    database = postgres if part.database == "PostgreSQL" else ""
    environment = os.environ | {"DATABASE_URL": database}
    taken = 0.0
    # The first piece is always run, another only if it is likely to fit.
    while part.done < part.planned and (not taken or time.monotonic() + taken < end):
        print(f"{part.key}: {part.done} of {part.planned} {part.unit}", flush=True)
        started = time.monotonic()
        if part.name in ("crashes", "races") or part.name.startswith("histories"):
            run_tests(part, environment)
        else:
            run_load(part, environment, max(15.0, end - time.monotonic()))
        taken = time.monotonic() - started
        part.figures["seconds"] = round(part.figures.get("seconds", 0) + taken)
        keep()
        if not part.name.startswith(("histories", "crashes", "races")):
            return


def run_tests(part: Part, environment: dict[str, str]) -> None:
    """Run one piece of a part that is made of tests."""
    first, count = part.done, min(part.piece, part.planned - part.done)
    if part.name.startswith("histories"):
        seeds = f"{first}-{first + count - 1}"
        asked = {"HISTORY_SEEDS": seeds, "HISTORY_STEPS": "100"}
        selected = ["tests/test_histories.py"]
    elif part.name == "crashes":
        scenes = " or ".join(f"scene{each}-" for each in range(first, first + count))
        asked = {"CRASHES": "all"}
        selected = ["tests/test_crashes.py", "-rP", "-k", scenes]
    else:
        asked, selected = {"RACE_ROUNDS": str(count)}, ["tests/test_races.py"]
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", *SHARED, *selected]
    code, output = ended(command, environment | asked)
    if code:
        failed = re.findall(r"^(?:FAILED|ERROR) tests/(\S+::\S+)", output, re.MULTILINE)
        part.failures.extend(failed or [f"pytest ended with {code}"])
        log = FOLDER / f"failure-{int(time.time())}.txt"
        log.write_text(output)
        print(f"  failed: {failed}; see {log.relative_to(ROOT)}", flush=True)
    places = sum(map(int, re.findall(r"killed at (\d+) places", output)))
    part.figures["places"] = part.figures.get("places", 0) + places
    part.figures["done"] = first + count


def run_load(part: Part, environment: dict[str, str], seconds: float) -> None:
    """Run a part that needs servers, for as long as it may."""
    what = part.name.split()[0].rstrip(",")
    limit = str(part.planned - part.done)
    command = [sys.executable, "-m", "tests.chaos.load", what]
    command += ["--limit", limit, "--seconds", str(int(seconds))]
    code, output = ended(command, environment)
    if code:
        part.failures.append(f"load ended with {code}")
        return
    told: dict[str, Any] = json.loads(output.splitlines()[-1])
    part.failures.extend(told.pop("problems"))
    counted = {"kills": "kills", "soak": "bought", "burst": "events"}[what]
    part.figures["done"] = part.done + int(told.get(counted, 0))
    for name, value in told.items():
        if isinstance(value, int) and name in part.figures:
            value += part.figures[name]
        part.figures[name] = value


def ended(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Return exit code and output; whoever stops this stops it too, in order."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            # As Ctrl-C: its fixtures end the servers that they have started.
            process.send_signal(signal.SIGINT)
            process.communicate()
            raise
    return process.returncode, output


def keep() -> None:
    RESULTS.write_text(json.dumps({part.key: part.figures for part in PARTS}, indent=1))


def summary(minutes: float, seconds: float) -> str:
    """Return the table of all figures so far, and keep it."""
    rows = [
        "| What | Planned | Done | Failures | Figures | To pass |",
        "|---|---|---|---|---|---|",
    ]
    for part in PARTS:
        shown = {
            name: value
            for name, value in part.figures.items()
            if name not in ("done", "failures") and value != 0
        }
        figures = ", ".join(f"{name} {value}" for name, value in shown.items())
        done = f"{part.done:,}" if part.done >= part.planned else f"**{part.done:,}**"
        rows.append(
            f"| {part.key} | {part.planned:,} {part.unit} | {done} |"
            f" {len(part.failures)} | {figures} | {part.passes} |"
        )
    partial = [part for part in PARTS if part.done < part.planned]
    closing = f"This call: {seconds / 60:.0f} of {minutes:.0f} minutes."
    if partial:
        closing += " Bold figures are partial: call again to go on."
    text = "\n".join([*rows, "", closing])
    SUMMARY.write_text(text + "\n")
    return text


if __name__ == "__main__":
    sys.exit(main())
