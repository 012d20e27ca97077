"""aiosmtpd's controller, able to listen on a free port, and quick to say that it cannot listen."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable

from aiosmtpd.controller import Controller


class AnyPort(Controller):
    """`port=0` works: after `start`, `port` is the one that was free."""

    def start(self) -> None:
        """It listens. Raises: OSError at once when it cannot; aiosmtpd would wait some seconds first."""
        family = socket.AF_INET6 if ":" in self.hostname else socket.AF_INET
        self._listener = socket.create_server((self.hostname, self.port), family=family)
        self.port = self._listener.getsockname()[1]
        super().start()

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._listener, ssl=self.ssl_context)
