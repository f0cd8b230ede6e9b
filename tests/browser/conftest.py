"""What every page of these tests reports of itself, beyond its console."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

AXE = Path(__file__).resolve().parents[2] / "node_modules/axe-core/axe.min.js"
# Above this the page jumps under the shopper's eyes: https://web.dev/articles/cls
MOST_SHIFT = 0.1
# Told by the console, where it becomes one of the test's faults.
WATCH_SHIFTS = """
window.layoutShift = 0;
if (window === top) new PerformanceObserver((list) => {
  const before = layoutShift;
  for (const entry of list.getEntries()) {
    if (!entry.hadRecentInput) layoutShift += entry.value;
  }
  if (before <= MOST && layoutShift > MOST) {
    console.error(`layout shift of ${layoutShift.toFixed(3)}`);
  }
}).observe({ type: "layout-shift", buffered: true });
""".replace("MOST", str(MOST_SHIFT))


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm ci)")
    return AXE.read_text()


@pytest.fixture
def new_context(
    new_context: Callable[..., BrowserContext],
) -> Callable[..., BrowserContext]:
    """Return a function that opens a browser whose pages must not jump."""

    def new(**options: Any) -> BrowserContext:
        context = new_context(**options)
        context.add_init_script(WATCH_SHIFTS)
        return context

    return new
