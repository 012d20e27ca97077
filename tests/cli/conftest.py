"""The real program in a folder of its own, with a key in the environment and no server anywhere."""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from mailbot.cli.program import app

PROGRAM = Path(sys.executable).parent / "mailbot"
CONFIG = """
[controller]
languages = ["en", "fr"]
[smtp]
host = "127.0.0.1"
port = 1
security = "none"
timeout_seconds = 1
[web]
listen = "127.0.0.1:0"
public_url = "https://privacy.example"
[dns]
nameservers = ["127.0.0.1:1"]
timeout_seconds = 0.2
[logging]
level = "error"
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output, which must be one JSON object."""
        return json.loads(self.out)


@dataclass
class Here:
    """A folder with a configuration; `run` is the program as a process, `call` the same in this process."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def configure(self, text: str = CONFIG) -> None:
        (self.folder / "config.toml").write_text(text, encoding="utf-8")

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, *words: str, stdin: bytes = b"", **environment: str) -> Ended:
        given = {**self._bare(), **self.environment, **environment}
        done = subprocess.run(
            [PROGRAM, *words], cwd=self.folder, env=given, input=stdin, capture_output=True, timeout=60
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def call(self, *words: str) -> Ended:
        done = CliRunner().invoke(app, ["--config", str(self.folder / "config.toml"), *words])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Ended(done.exit_code, done.stdout, done.stderr)

    def _bare(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Here]:
    """A configured folder of its own; logging is afterwards as it was."""
    handlers, level = logging.root.handlers, logging.root.level
    key = base64.b64encode(os.urandom(32)).decode()
    monkeypatch.setenv("MAILBOT_KEY", key)
    monkeypatch.chdir(tmp_path)
    place = Here(tmp_path, {"MAILBOT_KEY": key})
    place.configure()
    yield place
    logging.root.handlers, logging.root.level = handlers, level
    structlog.reset_defaults()
