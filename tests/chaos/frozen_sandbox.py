"""`python -m tests.chaos.frozen_sandbox`: the sandbox with its clock standing still.

Its time passes only when a test moves it, so a history replays from its seed however
busy the machine is.
"""

import os
import time

from sandbox import clock
from sandbox.__main__ import main


class StoppedTime:
    """What the sandbox's clock needs of `time`."""

    gmtime = staticmethod(time.gmtime)

    @staticmethod
    def time() -> float:
        return float(os.environ["SANDBOX_TIME"])


if __name__ == "__main__":
    clock.time = StoppedTime()  # type: ignore[attr-defined]
    main()
