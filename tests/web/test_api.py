"""The API of the platform's mailer, account settings and Profile page."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from mailbot.core.request import FieldChange, Kind
from mailbot.store import suppressions
from mailbot.store.database import StoreTrouble
from mailbot.web.api import MAX_ADDRESSES
from mailbot.web.site import create_site
from tests.web.conftest import NOW, World, add_case


def _post(world: World, path: str, body: Any, **headers: str) -> Any:
    return world.client.post(f"/api/v1/{path}", json=body, headers={**world.bearer(), **headers})


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", "Basic a2V5", "Bearer key-of-the-platform2", "Bearer ß"]
)
def test_without_the_key_there_is_nothing(world: World, header: str) -> None:
    answer = world.client.post(
        "/api/v1/suppressions",
        json={"address": "a@b.c", "suppressed": True},
        headers={"Authorization": header.encode("latin-1")},
    )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["status"] == 401
    assert world.deeds.done == []


def test_without_a_configured_key_the_api_answers_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAILBOT_API_KEY")
    client = TestClient(create_site(world.parts), base_url="https://privacy.example")
    answer = client.post("/api/v1/suppressions/check", json={"addresses": ["a@b.c"]}, headers=world.bearer())
    assert answer.status_code == 403
    assert "api_key_env" in answer.json()["error"]["message"]


def test_links_come_in_the_order_asked_with_both_headers(world: World) -> None:
    links = _post(
        world, "unsubscribe-links", {"addresses": ["alice@example.org", "vera@example.org"]}
    ).json()["links"]
    assert [link["address"] for link in links] == ["alice@example.org", "vera@example.org"]
    assert links[0]["list_unsubscribe_post"] == "List-Unsubscribe=One-Click"
    assert links[0]["url"].endswith(world.link())
    assert set(links[0]) == {"address", "url", "mailto", "list_unsubscribe", "list_unsubscribe_post"}


def test_ten_thousand_links_are_one_call_and_one_more_is_refused(world: World) -> None:
    addresses = [f"{'x' * 200}{number}@example.org" for number in range(MAX_ADDRESSES)]
    assert len(_post(world, "unsubscribe-links", {"addresses": addresses}).json()["links"]) == MAX_ADDRESSES
    assert _post(world, "unsubscribe-links", {"addresses": [*addresses, "a@b.c"]}).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"addresses": []},
        {"addresses": ["no address"]},
        {"addresses": "a@b.c"},
        {"addresses": ["a@b.c"], "x": 1},
        [],
    ],
)
def test_what_is_not_understood_is_422_with_its_place_and_no_value(world: World, body: Any) -> None:
    answer = _post(world, "unsubscribe-links", body)
    assert answer.status_code == 422
    assert answer.json()["error"]["where"]
    assert "no address" not in answer.text


def test_a_body_that_is_too_large_is_413_in_json(world: World) -> None:
    answer = world.client.post("/api/v1/suppressions/check", content=b"x" * 5_000_000, headers=world.bearer())
    assert answer.status_code == 413
    assert answer.json()["error"]["status"] == 413


def test_the_switch_of_the_account_settings_goes_both_ways(world: World) -> None:
    on = _post(world, "suppressions", {"address": "alice@example.org", "suppressed": True, "language": "fr"})
    assert on.json() == {"suppressed": True, "changed": True}
    assert _post(
        world, "suppressions/check", {"addresses": ["Alice@Example.org", "v@example.org"]}
    ).json() == {"suppressed": [True, False]}
    off = _post(world, "suppressions", {"address": "alice@example.org", "suppressed": False})
    assert off.json() == {"suppressed": False, "changed": True}
    assert world.deeds.done == [
        ("unsubscribe", "alice@example.org", "api", "fr"),
        ("undo", "alice@example.org", "api"),
    ]


def _suppress(world: World, count: int, at: datetime) -> None:
    with world.store.begin() as tx:
        for number in range(count):
            suppressions.suppress(
                tx, f"{at.timestamp()}-{number}@example.org", how="import", by="import", now=at
            )


def test_the_list_is_read_in_steps_and_nothing_is_skipped(world: World) -> None:
    """An import gives one time to many rows: a step never ends between two of them."""
    _suppress(world, 3, NOW)
    _suppress(world, 7, NOW + timedelta(seconds=1))
    _suppress(world, 1, NOW + timedelta(seconds=2))
    since, seen, steps = (NOW - timedelta(days=1)).isoformat(), [], 0
    while True:
        query = {"since": since, "limit": 4}
        answer = world.client.get("/api/v1/suppressions", params=query, headers=world.bearer()).json()
        if not answer["suppressions"]:
            break
        seen += [entry["address_hash"] for entry in answer["suppressions"]]
        since, steps = answer["next_since"], steps + 1
    assert len(seen) == len(set(seen)) == 11
    assert steps < 6


@pytest.mark.parametrize("since", ["", "yesterday", "2026-11-22T10:00:00"])
def test_since_needs_a_time_with_its_zone(world: World, since: str) -> None:
    answer = world.client.get("/api/v1/suppressions", params={"since": since}, headers=world.bearer())
    assert answer.status_code == 422


def test_a_request_of_the_profile_page_is_opened_where_it_is_connected(world: World) -> None:
    body = {"kind": "correction", "address": "alice@example.org", "fields": [{"field": "name", "new": "Al"}]}
    assert _post(world, "requests", body).status_code == 404
    opened: list[Any] = []

    def open_request(*arguments: Any) -> str:
        opened.append(arguments)
        return "K7Q2-9MXF"

    world.client = TestClient(
        create_site(replace(world.parts, open_request=open_request)), base_url="https://privacy.example"
    )
    assert _post(world, "requests", {**body, "fields": []}).status_code == 422
    answer = _post(world, "requests", body)
    assert (answer.status_code, answer.json()) == (201, {"reference": "K7Q2-9MXF"})
    assert opened == [(Kind.CORRECTION, "alice@example.org", (FieldChange("name", None, "Al"),), None, NOW)]


def test_a_case_is_told_without_personal_data(world: World) -> None:
    reference = add_case(world.store)
    answer = world.client.get(f"/api/v1/requests/{reference.lower()}", headers=world.bearer())
    assert answer.json()["reference"] == reference
    assert answer.json()["open"] is True
    assert answer.json()["requests"][0]["state"] == "awaiting_staff"
    assert "alice" not in answer.text.lower()
    missing = world.client.get("/api/v1/requests/XXXX-XXXX", headers=world.bearer())
    assert (missing.status_code, missing.json()["error"]["status"]) == (404, 404)


def test_a_store_that_is_down_is_503_in_json(world: World) -> None:
    world.unsubscribing.trouble = StoreTrouble("gone")
    answer = _post(world, "suppressions", {"address": "a@b.c", "suppressed": True})
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "Traceback" not in answer.text


def test_what_breaks_is_500_in_json_without_a_word_about_it(world: World) -> None:
    world.unsubscribing.trouble = RuntimeError("alice@example.org")
    answer = _post(world, "suppressions", {"address": "a@b.c", "suppressed": True})
    assert (answer.status_code, answer.json()["error"]["status"]) == (500, 500)
    assert "alice" not in answer.text


def test_the_description_names_every_path_of_the_contract(world: World) -> None:
    paths = world.client.get("/api/v1/openapi.json").json()["paths"]
    assert {
        "/unsubscribe-links",
        "/suppressions",
        "/suppressions/check",
        "/requests",
        "/requests/{reference}",
    } == set(paths)
