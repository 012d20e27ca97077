"""The data map's file."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

from mailbot.core.data_map import DataMap
from mailbot.core.data_map_reading import MapFaults, read_data_map
from mailbot.core.data_map_table import MapFault
from mailbot.core.toml_lines import line_of


def load_data_map(path: Path, *, linked: bool = True) -> DataMap | MapFaults:
    """The data map in the file `path`, or everything that is wrong with it, with its line. Never raises."""
    try:
        return parse_data_map(path.read_text(encoding="utf-8"), linked=linked)
    except OSError as error:
        return _fault(f"cannot be read ({error.strerror})", "Correct [platform] map")
    except UnicodeDecodeError as error:
        return _fault(f"is no TOML: {error}", "Save it as UTF-8")


def parse_data_map(text: str, *, linked: bool = True) -> DataMap | MapFaults:
    """The data map that `text` writes, or everything that is wrong with it, with its line. Never raises."""
    try:
        found = read_data_map(tomllib.loads(text), linked=linked)
    except tomllib.TOMLDecodeError as error:
        return _fault(f"is no TOML: {error}", "Correct the line it names")
    if isinstance(found, DataMap):
        return found
    return MapFaults(tuple(replace(fault, line=line_of(text, fault.path)) for fault in found.faults))


def _fault(problem: str, mend: str) -> MapFaults:
    return MapFaults((MapFault("data map", problem, mend),))
