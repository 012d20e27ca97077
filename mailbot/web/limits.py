"""Failures counted by client, in memory: whoever guesses passwords or tokens is made to wait."""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime, timedelta

from starlette.requests import Request

_CLIENTS_KEPT = 10_000


class Attempts:
    """At most `most` failures of one client within `window`. Only failures count: one address may be the
    mail provider of many people. Safe to share between threads; each process counts for itself."""

    def __init__(self, most: int, window: timedelta, clock: Callable[[], datetime]) -> None:
        self._most, self._window, self._clock = most, window, clock
        self._failures: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def retry_after_seconds(self) -> int:
        """What `Retry-After` says to a client that has to wait."""
        return int(self._window.total_seconds())

    def exhausted(self, request: Request) -> bool:
        """Whether this client has to wait."""
        with self._lock:
            return len(self._recent(client_of(request))) >= self._most

    def failed(self, request: Request) -> None:
        """One more failure of this client is counted."""
        with self._lock:
            client = client_of(request)
            failures = self._failures.setdefault(client, deque(maxlen=self._most))
            failures.append(self._clock())
            self._failures.move_to_end(client)
            if len(self._failures) > _CLIENTS_KEPT:
                self._failures.popitem(last=False)

    def _recent(self, client: str) -> deque[datetime]:
        failures = self._failures.get(client, deque())
        since = self._clock() - self._window
        while failures and failures[0] <= since:
            failures.popleft()
        return failures


def client_of(request: Request) -> str:
    """The client's address; of IPv6 the /64 that one household or server has. Never logged."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return host
