"""What the data map says must not be deleted yet is shown with its reason, and nothing else is."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from mailbot.core.data_map import DataMap
from mailbot.core.data_map_reading import MapFaults, read_data_map
from mailbot.core.plan import Deletion
from mailbot.demo.people import PERSONAS
from mailbot.platform.sql import open_platform
from tests.platform.worlds import NOW, copy_of

EXAMPLE = (Path(__file__).parents[2] / "rules" / "platform.toml").read_text()
SOLE = """
[[vetoes]]
id = "sole_owner"
table = "accounts"
where = { job_title = "Coach" }
sole_in = "company_id"
reason = "others would be left alone"
"""
CAMILLE = PERSONAS["delete_account"]


def vetoes(folder: Path, template: Path, change: str, more: str = "") -> list[str]:
    """The vetoes on Camille's deletion once the platform was changed by a statement."""
    url, files = copy_of(template, folder)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text(change), {"soon": NOW + timedelta(hours=20), "far": NOW + timedelta(hours=30)}
        )
    engine.dispose()
    data_map = read_data_map(tomllib.loads(EXAMPLE + more))
    assert isinstance(data_map, DataMap), data_map
    platform = open_platform(url, data_map, files, now=lambda: NOW)
    (user,) = (one for one in platform.find(CAMILLE.address) if one.host is None)
    found = platform.plan(Deletion(user)).vetoes
    platform.close()
    return [veto.partition(":")[0] for veto in found]


@pytest.mark.parametrize(
    ("change", "held"),
    [
        ("UPDATE payments SET paid_at = NULL WHERE id = 30", ["open_invoice"]),
        ("UPDATE payments SET paid_at = NULL WHERE account_id <> 3", []),
        ("UPDATE webinars SET starts_at = :soon WHERE id = 7", ["future_events", "live_event"]),
        ("UPDATE webinars SET starts_at = :far WHERE id = 7", ["future_events"]),
        ("UPDATE webinars SET starts_at = :soon WHERE id = 1", []),
    ],
)
def test_a_veto_holds_for_the_rows_of_this_account_only(
    template: Path, tmp_path: Path, change: str, held: list[str]
) -> None:
    assert vetoes(tmp_path, template, change) == held


@pytest.mark.parametrize(
    ("change", "held"),
    [
        ("UPDATE accounts SET job_title = 'Helper' WHERE company_id = 3 AND id <> 3", ["sole_owner"]),
        ("UPDATE accounts SET job_title = 'Coach' WHERE company_id = 3", []),
        ("UPDATE accounts SET company_id = NULL WHERE company_id = 3 AND id <> 3", []),
        ("UPDATE accounts SET company_id = NULL WHERE id = 3", []),
    ],
)
def test_the_only_owner_of_a_company_that_others_use_is_not_deleted_unseen(
    template: Path, tmp_path: Path, change: str, held: list[str]
) -> None:
    assert vetoes(tmp_path, template, change, SOLE) == held


def test_faults_of_vetoes_and_sweeps_name_key_and_mend() -> None:
    wrong = SOLE.replace('where = { job_title = "Coach" }', "") + (
        '[[sweeps]]\nid = "x"\ndeletes = "accounts"\ntable = "visits"\nafter_days = 0\nlast_used = []\n'
    )
    found = read_data_map(tomllib.loads(EXAMPLE + wrong))
    assert isinstance(found, MapFaults)
    said = str(found)
    for part in ("sole_in", "no path, and where", "after_days", "last_used", '"visits" holds no accounts'):
        assert part in said
