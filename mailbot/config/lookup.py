"""What the configuration only points at: paths, secrets in the environment or in files, URLs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from mailbot.config.trouble import ConfigTrouble


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds what is written in a file of the folder `base`. `key` is the key that trouble is named by, without `_env`
    or `_file`."""

    base: Path

    def path(self, written: str) -> Path:
        """A path as written in the file, from the folder of the file."""
        return (self.base / Path(written).expanduser()).absolute()

    def path_if_named(self, written: str) -> Path | None:
        """The same; None when nothing is written."""
        return self.path(written) if written else None

    def secret(self, key: str, variable: str, file: str) -> str:
        """What `file` holds, else the environment variable. Raises ConfigTrouble when it is missing."""
        if file:
            return _read(key, self.path(file))
        if not variable:
            raise ConfigTrouble(
                f"{key}_env is not set: name the environment variable or the file ({key}_file)"
            )
        if variable not in os.environ:
            raise ConfigTrouble(f"{key}_env: the environment variable {variable} is not set")
        return os.environ[variable]

    def secret_if_named(self, key: str, variable: str, file: str) -> str:
        """The same; empty when neither a variable nor a file is named."""
        return self.secret(key, variable, file) if variable or file else ""

    def url(self, key: str, written: str, variable: str) -> str:
        """The URL of a database; SQLite files stand relative to the configuration. Raises ConfigTrouble."""
        url = self.secret(key, variable, "") if variable else written
        plain, relative = "sqlite:///", url.removeprefix("sqlite:///")
        is_relative = url.startswith(plain) and relative and not relative.startswith(("/", ":"))
        return plain + str(self.path(relative)) if is_relative else url


def _read(key: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigTrouble(f"{key}_file: {file} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigTrouble(
            f"{key}_file: {file} is no text; write the secret as text, keys in base64"
        ) from None
