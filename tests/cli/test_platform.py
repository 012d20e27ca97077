"""`mailbot platform draft` and `plan`: a first map to a new file, and what a deletion would do, without any value."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from mailbot.demo.platform import PERSONAS, create_demo_platform
from mailbot.platform.sql import open_platform
from tests.cli.conftest import CONFIG, Here
from tests.platform.worlds import example_map
from tests.servers.platform_api import SECRET, PlatformApi

CAMILLE = PERSONAS["delete_account"].address


def with_platform(here: Here) -> str:
    url = f"sqlite:///{here.folder}/platform.db"
    create_demo_platform(url, here.folder / "files", datetime(2026, 11, 20, 12, tzinfo=UTC))
    here.configure(f'{CONFIG}\n[platform]\nurl = "{url}"\nfiles_root = "files"\n')
    return url


def test_a_draft_goes_to_a_new_file_and_never_over_an_old_one(here: Here) -> None:
    url = with_platform(here)
    (here.folder / "config.toml").unlink()
    first = here.call("platform", "draft", "--url", url, "-o", "map.toml")
    assert first.code == 0 and "places drafted" in first.err
    written = (here.folder / "map.toml").read_text()
    assert 'table = "accounts"' in written and CAMILLE not in written
    again = here.call("platform", "draft", "--url", url, "-o", "map.toml")
    assert again.code != 0 and (here.folder / "map.toml").read_text() == written


def test_a_plan_tells_places_and_counts_and_changes_nothing(here: Here) -> None:
    with_platform(here)
    before = (here.folder / "platform.db").read_bytes()
    told = here.call("platform", "plan", CAMILLE)
    assert told.code == 0 and "payments (account_id, payer_email)" in told.out and CAMILLE not in told.out
    found = here.call("--json", "platform", "plan", CAMILLE).json()["found"]
    assert {step["place"]: step["rows"] for step in found[0]["steps"]}["visits"] == 5
    assert here.call("platform", "plan", "nobody@example.org").code == 1
    assert (here.folder / "platform.db").read_bytes() == before


def test_a_platform_reached_by_its_api_is_checked_and_planned(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = with_platform(here)
    database = open_platform(url, example_map(), here.folder / "files")
    with PlatformApi(database) as api:
        here.configure(f'{CONFIG}\n[platform]\nkind = "http"\nurl = "{api.url}"\n')
        assert "MAILBOT_PLATFORM_SECRET" in here.call("platform", "check").err
        monkeypatch.setenv("MAILBOT_PLATFORM_SECRET", SECRET.decode())
        told = here.call("platform", "check")
        assert told.code == 0 and "fits the data map" in told.out
        planned = here.call("platform", "plan", CAMILLE)
        assert planned.code == 0 and "payments" in planned.out
        monkeypatch.setenv("MAILBOT_PLATFORM_SECRET", "x" * 32)
        refused = here.call("platform", "check")
        assert refused.code == 1 and "refused the signature" in refused.out + refused.err
    database.close()


def test_what_is_expected_of_a_platform_is_printed_as_openapi(here: Here) -> None:
    printed = here.call("platform", "openapi")
    assert printed.code == 0 and "/leftovers" in json.loads(printed.out)["paths"]
