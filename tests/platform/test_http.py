"""A platform reached by its API: each change once, whatever happens on the way, and nothing believed unseen."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from zipfile import ZipFile

import pytest

from mailbot.core.data_map import DataMap
from mailbot.core.data_map_reading import read_data_map
from mailbot.core.plan import (
    Correction,
    Deletion,
    Flagging,
    PlanGrew,
    PlatformTrouble,
    RefusalReason,
    Resubscribe,
    Unsubscribe,
)
from mailbot.core.request import FieldChange, Kind
from mailbot.core.wording import Wording
from mailbot.demo.platform import PERSONAS
from mailbot.platform.http import HttpPlatform
from mailbot.platform.http_client import HttpClient, HttpSettings
from mailbot.platform.http_models import OfAddress, Promotion
from mailbot.platform.interface import CheckStatus
from mailbot.platform.sql import open_platform
from tests.platform.worlds import EXAMPLE_MAP, World
from tests.servers.platform_api import SECRET, PlatformApi

ALICE = PERSONAS["delete_account"].address


def http_map(text: str = EXAMPLE_MAP.read_text()) -> DataMap:
    found = read_data_map(tomllib.loads(text), linked=False)
    assert isinstance(found, DataMap), found
    return found


def settings_for(api: PlatformApi) -> HttpSettings:
    return HttpSettings(api.url, "mailbot", SECRET, timeout_seconds=20, attempts=4, longest_wait_seconds=5)


@pytest.fixture
def api(sqlite_world: World) -> Iterator[PlatformApi]:
    with PlatformApi(sqlite_world.platform) as one:
        yield one


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def platform(api: PlatformApi, pauses: list[float]) -> Iterator[HttpPlatform]:
    one = HttpPlatform(HttpClient(settings_for(api), sleep=pauses.append), http_map())
    yield one
    one.close()


def test_people_fields_and_events_are_the_same_as_in_the_database(
    platform: HttpPlatform, sqlite_world: World
) -> None:
    for role in ("delete_account", "visitor", "user_and_visitor"):
        found = platform.find(PERSONAS[role].address)
        assert found == sqlite_world.platform.find(PERSONAS[role].address)
        for subject in found:
            assert platform.events(subject) == sqlite_world.platform.events(subject)
            assert platform.fields(subject) == sqlite_world.platform.fields(subject)
    assert platform.find("nobody@example.org") == ()


def test_a_deletion_is_planned_made_and_read_back(platform: HttpPlatform, sqlite_world: World) -> None:
    change = Deletion(platform.find(ALICE)[0])
    plan = platform.plan(change)
    assert plan.rows == sqlite_world.platform.plan(change).rows > 0
    assert any(one.why.startswith("accounting records") for one in plan.kept) and not plan.vetoes
    assert not platform.read_back(change, plan).ok
    assert platform.apply(plan, "case-1").rows == plan.rows
    assert platform.read_back(change, plan).ok
    assert platform.find(ALICE) == ()


def test_a_correction_is_judged_by_the_map_and_read_back(platform: HttpPlatform) -> None:
    alice = platform.find(ALICE)[0]
    fields = (FieldChange("name", None, "Alice Martin"), FieldChange("country", None, "Atlantis"))
    change = Correction(alice, fields)
    plan = platform.plan(change)
    assert [(one.field, one.reason) for one in plan.refusals] == [("country", RefusalReason.INVALID)]
    assert not platform.read_back(change, plan).ok
    assert platform.apply(plan, "case-1").rows == plan.rows
    assert platform.read_back(change, plan).ok
    assert {view.name: view.value for view in platform.fields(alice)}["name"] == "Alice Martin"


def test_an_unsubscription_is_made_read_back_and_taken_back(platform: HttpPlatform) -> None:
    for number, change in enumerate((Unsubscribe(ALICE), Resubscribe(ALICE), Unsubscribe(ALICE))):
        plan = platform.plan(change)
        platform.apply(plan, f"case-{number}")
        assert platform.read_back(change, plan).ok


def test_a_flag_is_set_read_back_and_lifted(sqlite_world: World) -> None:
    flag = 'restriction = { column = "job_title", value = "restricted", lifted = "free" }'
    text = EXAMPLE_MAP.read_text().replace("[subjects.user]", f"[subjects.user]\n{flag}")
    database = open_platform(sqlite_world.url, http_map(text), sqlite_world.files)
    with PlatformApi(database) as api:
        platform = HttpPlatform(HttpClient(settings_for(api)), http_map(text))
        alice = platform.find(ALICE)[0]
        for number, on in enumerate((True, False)):
            change = Flagging(alice, Kind.RESTRICTION, on)
            plan = platform.plan(change)
            assert not platform.read_back(change, plan).ok
            assert platform.apply(plan, f"case-{number}").rows == 1
            assert platform.read_back(change, plan).ok
        platform.close()
    database.close()


def test_a_flag_that_the_map_does_not_name_is_for_staff(platform: HttpPlatform) -> None:
    plan = platform.plan(Flagging(platform.find(ALICE)[0], Kind.OBJECTION))
    assert plan.vetoes[0].startswith("no_flag") and not platform.read_back(plan.change, plan).ok


@pytest.mark.parametrize("fault", ["lost", 500, 503, 429, (409, "in_progress"), (503, {"Retry-After": "2"})])
def test_a_change_is_made_once_whatever_happens_to_the_answer(
    platform: HttpPlatform, api: PlatformApi, pauses: list[float], fault: object
) -> None:
    plan = platform.plan(Deletion(platform.find(ALICE)[0]))
    api.faults["apply"] += [fault, fault]
    assert platform.apply(plan, "case-1").rows == plan.rows
    assert api.applied == ["case-1"]
    assert [key for what, key in api.asked if what == "apply"] == ["case-1"] * 3
    assert len(pauses) == 2 and (fault != (503, {"Retry-After": "2"}) or pauses == [2, 2])


def test_a_change_of_which_every_answer_was_lost_is_ended_by_doing_it_again(
    platform: HttpPlatform, api: PlatformApi
) -> None:
    change = Deletion(platform.find(ALICE)[0])
    plan = platform.plan(change)
    api.faults["apply"] += ["lost"] * 4
    with pytest.raises(PlatformTrouble) as trouble:
        platform.apply(plan, "case-1")
    assert trouble.value.later
    assert platform.apply(plan, "case-1").again
    assert api.applied == ["case-1"]
    assert platform.read_back(change, plan).ok


def test_a_change_is_made_once_when_mailbot_is_killed_before_it_hears_of_it(
    platform: HttpPlatform, api: PlatformApi
) -> None:
    change = Deletion(platform.find(ALICE)[0])
    plan = platform.plan(change)
    command = [sys.executable, "-m", "tests.platform.crash_while_asking", api.url]
    assert subprocess.run(command, check=False).returncode == -9
    assert platform.apply(plan, "case-1").again
    assert api.applied == ["case-1"]
    assert platform.read_back(change, plan).ok


def test_done_already_is_left_to_the_read_back(platform: HttpPlatform, api: PlatformApi) -> None:
    change = Deletion(platform.find(ALICE)[0])
    plan = platform.plan(change)
    api.faults["apply"].append((409, "done"))
    assert platform.apply(plan, "case-1").again
    assert not platform.read_back(change, plan).ok


def test_a_conflict_goes_to_staff(platform: HttpPlatform, api: PlatformApi) -> None:
    plan = platform.plan(Deletion(platform.find(ALICE)[0]))
    for fault, said in (((409, "key_reused"), "key_reused at apply"), (409, "conflict at apply")):
        api.faults["apply"].append(fault)
        with pytest.raises(PlatformTrouble, match=said) as trouble:
            platform.apply(plan, "case-1")
        assert not trouble.value.later
    assert api.applied == []


def test_what_grew_since_it_was_shown_is_not_done(
    platform: HttpPlatform, api: PlatformApi, sqlite_world: World
) -> None:
    plan = platform.plan(Deletion(platform.find(ALICE)[0]))
    sqlite_world.add("uploads", id=900, account_id=3, title="New", path="accounts/3/new.pdf")
    with pytest.raises(PlanGrew, match="uploads"):
        platform.apply(plan, "case-1")
    assert not [what for what, _ in api.asked if what == "apply"]


def test_a_platform_that_wants_to_be_left_alone_is(
    platform: HttpPlatform, api: PlatformApi, pauses: list[float]
) -> None:
    api.faults["find"].append((429, {"Retry-After": "600"}))
    with pytest.raises(PlatformTrouble) as trouble:
        platform.find(ALICE)
    assert (trouble.value.later, trouble.value.after_seconds, pauses) == (True, 600, [])


@pytest.mark.parametrize(
    ("fault", "later", "said"),
    [
        ("wrong", True, "not as described"),
        ("huge", False, "more than"),
        ((302, {"Location": "http://127.0.0.1:1/"}), False, "redirect"),
        (404, False, "status 404"),
        (401, True, "key_id, secret and both clocks"),
    ],
)
def test_an_answer_that_cannot_be_used_is_said_without_anything_personal(
    api: PlatformApi, fault: object, later: bool, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = replace(settings_for(api), max_answer_bytes=1_000_000)
    platform = HttpPlatform(HttpClient(settings, sleep=lambda _: None), http_map())
    api.faults["find"].append(fault)
    with pytest.raises(PlatformTrouble, match=said) as trouble:
        platform.find(ALICE)
    assert trouble.value.later == later
    assert ALICE not in str(trouble.value) + caplog.text + " ".join(api.urls)
    platform.close()


def test_a_slow_answer_is_not_waited_for(api: PlatformApi) -> None:
    api.faults["promotion"].append("slow")
    client = HttpClient(replace(settings_for(api), timeout_seconds=1), sleep=lambda _: None)
    assert isinstance(client.ask("promotion", OfAddress(address=ALICE), Promotion), Promotion)
    assert [what for what, _ in api.asked] == ["promotion"] * 2
    client.close()


@pytest.mark.parametrize("wrong", [{"secret": b"another"}, {"key_id": "mallory"}])
def test_who_does_not_know_the_secret_is_refused(api: PlatformApi, wrong: dict[str, bytes]) -> None:
    platform = HttpPlatform(HttpClient(replace(settings_for(api), **wrong)), http_map())  # type: ignore[arg-type]
    with pytest.raises(PlatformTrouble, match="refused the signature"):
        platform.find(ALICE)
    late = HttpPlatform(HttpClient(settings_for(api), now=lambda: 1_000_000.0), http_map())
    with pytest.raises(PlatformTrouble, match="refused the signature"):
        late.find(ALICE)


def test_what_the_map_does_not_say_is_for_staff(platform: HttpPlatform, api: PlatformApi) -> None:
    text = EXAMPLE_MAP.read_text()
    one = HttpPlatform(platform._client, http_map(text.replace('table = "visits"', 'table = "others"')))
    plan = one.plan(Deletion(platform.find(ALICE)[0]))
    assert any(veto.startswith("unmapped_place") for veto in plan.vetoes)


def test_the_copy_is_made_page_by_page_as_the_map_lets_it_be_seen(
    platform: HttpPlatform, api: PlatformApi, sqlite_world: World
) -> None:
    host = platform.find(PERSONAS["many_visitors"].address)
    ours, theirs = io.BytesIO(), io.BytesIO()
    platform.export(host, ours, Wording())
    sqlite_world.platform.export(host, theirs, Wording())
    with ZipFile(ours) as mine, ZipFile(theirs) as database:
        sections = json.loads(mine.read("data.json"))["sections"]
        expected = json.loads(database.read("data.json"))["sections"]
    assert [(one["table"], len(one["rows"])) for one in sections] == [
        (one["table"], len(one["rows"])) for one in expected
    ]
    assert "password_hash" not in json.dumps(sections)


def test_the_copy_holds_the_files_and_a_file_that_breaks_off_is_no_copy(
    platform: HttpPlatform, api: PlatformApi, sqlite_world: World
) -> None:
    alice = platform.find(ALICE)
    sqlite_world.add("uploads", id=900, account_id=3, title="Gone", path="accounts/3/gone.pdf")
    sqlite_world.add("uploads", id=901, account_id=3, title="Odd", path="../secret")
    out = io.BytesIO()
    platform.export(alice, out, Wording())
    with ZipFile(out) as archive:
        files = {
            name.removeprefix("files/"): archive.read(name) for name in archive.namelist() if "files/" in name
        }
    uploads = sqlite_world.uploads()
    assert files and files == {name: uploads[name] for name in files}
    api.faults["file"].append("lost")
    with pytest.raises(PlatformTrouble, match="in the middle of file") as trouble:
        platform.export(alice, io.BytesIO(), Wording())
    assert trouble.value.later


def test_check_holds_the_api_against_the_map(platform: HttpPlatform, api: PlatformApi) -> None:
    lines = platform.check()
    assert lines[0].status is CheckStatus.OK
    assert all(line.status is CheckStatus.WARNING and "has no effect" in line.what for line in lines[1:])
    assert any("[[sweeps]]" in line.what for line in lines)
    text = (
        EXAMPLE_MAP.read_text()
        .replace("last_visit = ", "last_seen = ")
        .replace('table = "visits"', 'table = "others"')
    )
    said = [line.what for line in HttpPlatform(platform._client, http_map(text)).check()]
    assert 'column "last_seen" of "accounts" is not in the API' in said
    assert 'column "last_visit" of "accounts" is not in the data map' in said
    assert 'place "others" is not in the API' in said
    assert 'the API keeps "visits", which is not in the data map' in said


def test_a_map_for_an_api_needs_no_links() -> None:
    text = "\n".join(
        line
        for line in EXAMPLE_MAP.read_text().splitlines()
        if not line.startswith(("path = [", "host = [", "match", "scope"))
    )
    assert http_map(text).places
    assert not isinstance(read_data_map(tomllib.loads(text)), DataMap)
