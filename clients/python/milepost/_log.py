"""The logger `milepost`: what the worker is not told by exceptions."""

import logging
import time

logger = logging.getLogger("milepost")
_SPACING = 60.0


class Throttled:
    """Logs each kind of trouble once a minute, and says how often it occurred meanwhile."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}
        self._skipped: dict[str, int] = {}

    def warn(self, kind: str, text: str) -> None:
        now = time.monotonic()
        if now < self._next.get(kind, 0.0):
            self._skipped[kind] = self._skipped.get(kind, 0) + 1
            return
        self._next[kind] = now + _SPACING
        skipped = self._skipped.pop(kind, 0)
        logger.warning("%s%s", text, f" ({skipped} more like this)" if skipped else "")
