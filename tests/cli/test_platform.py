"""`mailbot platform draft` and `plan`: a first map to a new file, and what a deletion would do, without any value."""

from __future__ import annotations

from datetime import UTC, datetime

from mailbot.demo.platform import PERSONAS, create_demo_platform
from tests.cli.conftest import CONFIG, Here

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
