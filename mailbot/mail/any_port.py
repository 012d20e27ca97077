"""aiosmtpd's controller, able to listen on a free port."""

from __future__ import annotations

from aiosmtpd.controller import Controller


class AnyPort(Controller):
    """`port=0` works: afterwards `port` is the one that was free."""

    def _trigger_server(self) -> None:
        # aiosmtpd connects to the port it was given, to see itself alive.
        if self.server is not None and hasattr(self.server, "sockets"):
            self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd leaves it untyped
