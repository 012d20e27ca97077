"""The data map's file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from mailbot.core.data_map import DataMap
from mailbot.core.data_map_reading import MapFault, MapFaults, read_data_map


def load_data_map(path: Path) -> DataMap | MapFaults:
    """The data map in the file `path`, or everything that is wrong with it. Never raises."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return _fault(path, f"cannot be read ({error.strerror})", "Correct [platform] map")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return _fault(path, f"is no TOML: {error}", "Correct the line it names")
    return read_data_map(document)


def _fault(path: Path, problem: str, mend: str) -> MapFaults:
    return MapFaults((MapFault(str(path), problem, mend),))
