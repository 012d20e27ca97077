"""A file becomes a configuration, or an error for each of its mistakes."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mailbot.config.trouble import ConfigTrouble
from mailbot.config.whole import Config

DEFAULT_PATH = Path("config.toml")


def load_config(path: Path | None) -> Config:
    """The configuration at `path` (default: $MAILBOT_CONFIG, else ./config.toml).

    Raises ConfigTrouble, naming file, key and mend, for a file that is missing or wrong in any key.
    """
    file = path or Path(os.environ.get("MAILBOT_CONFIG", DEFAULT_PATH))
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigTrouble(f"{file}: cannot be read ({error.strerror}); name it with --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigTrouble(f"{file}: not TOML: {error}") from None
    return parse_config(data, file)


def parse_config(data: Mapping[str, Any], file: Path) -> Config:
    """The configuration in `data`; `file` is where it came from. Raises ConfigTrouble."""
    if "base" in data:
        raise ConfigTrouble(f"{file}: base: unknown key; remove it")
    try:
        config = Config.model_validate({**data, "base": file.absolute().parent})
    except ValidationError as error:
        raise ConfigTrouble("\n".join(f"{file}: {_said(problem)}" for problem in error.errors())) from None
    names = [box.name for box in config.mailbox]
    if len(set(names)) < len(names):
        raise ConfigTrouble(f"{file}: mailbox.name: two mailboxes have the same name; rename one")
    return config


def _said(problem: Any) -> str:
    key = ".".join(str(step) for step in problem["loc"])
    match problem["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key; remove it or look for a misspelling"
        case "missing":
            return f"{key}: missing; add it"
        case _:
            return f"{key}: {problem['msg'][0].lower()}{problem['msg'][1:]}"
