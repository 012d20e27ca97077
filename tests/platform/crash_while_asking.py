"""Deletes Camille's account at the API named and is killed once the platform has done it: URL."""

from __future__ import annotations

import os
import signal
import sys

from mailbot.core.plan import Deletion
from mailbot.demo.platform import PERSONAS
from mailbot.platform.http import HttpPlatform
from mailbot.platform.http_client import HttpClient, HttpSettings
from tests.platform.test_http import http_map
from tests.servers.platform_api import SECRET


def main(url: str) -> None:
    client = HttpClient(HttpSettings(url, "mailbot", SECRET))
    platform = HttpPlatform(client, http_map())
    plan = platform.plan(Deletion(platform.find(PERSONAS["delete_account"].address)[0]))
    client._parsed = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign,assignment,return-value]
    platform._order(plan, "case-1")


if __name__ == "__main__":
    main(*sys.argv[1:])
