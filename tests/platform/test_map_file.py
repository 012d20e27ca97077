"""A data map's file is read, or said what is wrong with it."""

from __future__ import annotations

from pathlib import Path

from mailbot.core.data_map import DataMap
from mailbot.core.data_map_reading import MapFaults
from mailbot.platform.map_file import load_data_map
from tests.platform.worlds import EXAMPLE_MAP


def told(path: Path) -> str:
    result = load_data_map(path)
    assert isinstance(result, MapFaults)
    return str(result.faults[0])


def test_the_example_is_read() -> None:
    assert isinstance(load_data_map(EXAMPLE_MAP), DataMap)


def test_the_place_in_the_documentation_is_read(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "data-map.md").read_text()
    place = guide.partition("```toml\n")[2].partition("```")[0]
    path = tmp_path / "platform.toml"
    text = EXAMPLE_MAP.read_text().replace('key = "id"', 'key = ["tenant_id", "no"]', 1)
    text = text.replace(
        'link = ["account_id = accounts.id"]', 'link = ["t = accounts.tenant_id and n = accounts.no"]'
    )
    path.write_text(f"{text}\n{place}")
    found = load_data_map(path)
    assert isinstance(found, DataMap), found
    rules = {rule.name: rule for rule in found.places[-1].columns}
    assert rules["details.guests.*.email"].inside == ("guests", "*", "email")
    assert found.places[-1].path[0].only == (("owner_type", "Account"),)


def test_a_missing_file_broken_toml_and_broken_text_are_faults(tmp_path: Path) -> None:
    path = tmp_path / "platform.toml"
    assert "cannot be read" in told(path)
    path.write_text("a = 1\nb = ]")
    assert "line 2" in told(path)
    path.write_bytes(b"a = '\xff'")
    assert "is no TOML" in told(path)
    path.write_text("version = 1")
    assert "subjects.user.table: is missing" in told(path)


def test_a_fault_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "platform.toml"
    text = EXAMPLE_MAP.read_text()
    path.write_text(text.replace("provider = {}", 'provider = { access = "perhaps" }'))
    line = next(n for n, one in enumerate(text.splitlines(), start=1) if one.startswith("provider = "))
    assert told(path).startswith(f"line {line}: places[11] (payments).columns.provider.access: ")
    path.write_text(text.replace('match = ["email"]', 'matches = ["email"]'))
    line = next(n for n, one in enumerate(text.splitlines(), start=1) if one.startswith("match = "))
    assert told(path).startswith(f"line {line}: places[10]")
    path.write_text(text.replace("keep = { ground", "kept = { ground"))
    found = load_data_map(path)
    assert isinstance(found, MapFaults)
    head = [n for n, one in enumerate(text.splitlines(), start=1) if one == "[[places]]"][10]
    assert f"line {head}: places (payments, user): keeps rows without a legal ground" in str(found)
