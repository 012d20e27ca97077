"""The site on a socket."""

from __future__ import annotations

import uvicorn
from starlette.types import ASGIApp

from mailbot.config import Config, listen_address


def create_server(site: ASGIApp, config: Config) -> uvicorn.Server:
    """A server that is ready to run where `[web] listen` says. Raises ConfigTrouble when that is no address.

    There is no access log: paths hold tokens. A proxy on this machine may say who the client is.
    """
    host, port = listen_address(config.web.listen)
    return uvicorn.Server(
        uvicorn.Config(
            site,
            host=host,
            port=port,
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=True,
            proxy_headers=True,
            forwarded_allow_ips="127.0.0.1,::1",
            timeout_keep_alive=20,
            timeout_graceful_shutdown=10,
            limit_concurrency=1_000,
            h11_max_incomplete_event_size=16_384,
            lifespan="off",
        )
    )
