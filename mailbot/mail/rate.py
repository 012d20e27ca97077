"""How fast mail may go out, or come in by the door."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class RateLimit:
    """A token bucket: at most `per_minute` in any 60 seconds, at once at most a tenth of that.

    `clock` is monotonic seconds. May be shared by several connections and threads.
    """

    def __init__(
        self,
        per_minute: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._most = max(1.0, per_minute // 10)
        # What is there at the start and what comes in a minute are the limit together.
        self._per_second = max(per_minute - self._most, 1.0) / 60
        self._tokens = self._most
        self._clock = clock
        self._sleep = sleep
        self._filled_at = clock()
        self._lock = threading.Lock()

    def take(self) -> None:
        """One more may be sent; sleeps until then."""
        pause = self._reserve()
        if pause > 0:
            self._sleep(pause)

    def try_take(self) -> bool:
        """Whether one more may be taken now; never sleeps."""
        with self._lock:
            self._fill()
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True

    def _reserve(self) -> float:
        """Seconds until the token that was just taken is earned."""
        with self._lock:
            self._fill()
            self._tokens -= 1
            return max(0.0, -self._tokens / self._per_second)

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self._most, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
