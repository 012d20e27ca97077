"""Unsubscribing by a link, a button or a mail program."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from mailbot.store import suppressions
from mailbot.store.database import StoreTrouble
from tests.web.conftest import World

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def _is_off(world: World) -> bool:
    with world.store.read() as tx:
        return suppressions.is_suppressed(tx, "alice@example.org")


def test_the_page_has_one_button_and_changes_nothing(world: World) -> None:
    page = world.client.get(world.link())
    assert page.status_code == 200
    assert page.text.count("<button") == 1
    assert not _is_off(world)
    assert world.deeds.done == []


def test_the_page_names_the_address_only_enough_for_its_owner(world: World) -> None:
    page = world.client.get(world.link()).text
    assert "al…@example.org" in page
    assert "alice@" not in page


def test_the_button_unsubscribes_and_offers_to_undo(world: World) -> None:
    answer = world.client.post(world.link(), data={"action": "unsubscribe"})
    assert answer.status_code == 200
    assert _is_off(world)
    assert f'action="{world.link()}/undo"' in answer.text
    assert world.client.post(world.link() + "/undo", data={"action": "undo"}).status_code == 200
    assert not _is_off(world)


@pytest.mark.parametrize("form", [{"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}])
def test_one_click_counts_urlencoded_and_multipart_without_cookie_or_csrf(world: World, form: dict) -> None:
    """RFC 8058 §3.1."""
    answer = world.client.post(world.link(), **form)
    assert answer.status_code == 200
    assert _is_off(world)
    assert world.deeds.done == [("unsubscribe", "alice@example.org", "one_click", None)]


def test_repeats_are_200(world: World) -> None:
    answers = [world.client.post(world.link(), data=ONE_CLICK).status_code for _ in range(3)]
    assert answers == [200, 200, 200]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", ""),
        (b"", "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=Yes", "application/x-www-form-urlencoded"),
        (b"list-unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (b"action=probe", "application/x-www-form-urlencoded"),
        (b'{"List-Unsubscribe":"One-Click"}', "application/json"),
        (b"\xff\xfe=%ff", "application/x-www-form-urlencoded"),
        (b"garbage", "multipart/form-data; boundary=x"),
        (b"garbage", "multipart/form-data"),
    ],
)
def test_any_other_post_is_400_and_changes_nothing(world: World, body: bytes, kind: str) -> None:
    """What prefetches and probes links must not unsubscribe anybody."""
    answer = world.client.post(world.link(), content=body, headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == 400
    assert not _is_off(world)


@pytest.mark.parametrize("token", ["x", "a" * 32, "%2e%2e", "AAAA" * 400, "ß"])
def test_a_bad_token_is_404_whatever_is_sent(world: World, token: str) -> None:
    assert world.client.get(f"/u/{token}").status_code == 404
    assert world.client.post(f"/u/{token}", data=ONE_CLICK).status_code == 404
    assert world.client.post(f"/u/{token}/undo", data={"action": "undo"}).status_code == 404


@pytest.mark.parametrize(
    "trouble", [StoreTrouble("gone"), OperationalError("SELECT", {}, Exception("alice@example.org"))]
)
def test_a_store_that_is_down_is_503_with_retry_after(world: World, trouble: Exception) -> None:
    world.unsubscribing.trouble = trouble
    answer = world.client.post(world.link(), data=ONE_CLICK)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "alice" not in answer.text


def test_what_breaks_tells_nothing_to_people_or_logs(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    world.unsubscribing.trouble = RuntimeError("alice@example.org")
    answer = world.client.post(world.link(), data=ONE_CLICK)
    assert answer.status_code == 500
    said = answer.text + "".join(capfd.readouterr())
    assert "alice" not in said
    assert world.link().removeprefix("/u/") not in said
    assert "RuntimeError" in said


def test_a_body_that_is_too_large_is_413(world: World) -> None:
    answer = world.client.post(world.link(), data={**ONE_CLICK, "x": "y" * 100_000})
    assert answer.status_code == 413
    assert not _is_off(world)


def test_a_body_without_length_is_measured_as_it_comes(world: World) -> None:
    chunks = (b"x" * 10_000 for _ in range(20))
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert world.client.post(world.link(), content=chunks, headers=kind).status_code == 413


@pytest.mark.parametrize(
    ("wanted", "lang"),
    [
        ("de-AT,de;q=0.9", "de"),
        ("xx, fr;q=0.2, de;q=0.1", "fr"),
        ("", "en"),
        ("zh", "en"),
        (";;;q=x,,", "en"),
    ],
)
def test_the_page_is_in_a_language_that_the_browser_asks_for(world: World, wanted: str, lang: str) -> None:
    page = world.client.get(world.link(), headers={"Accept-Language": wanted})
    assert f'<html lang="{lang}" dir="ltr">' in page.text


def test_many_wrong_tokens_have_to_wait_and_good_ones_never(world: World) -> None:
    answers = [world.client.post(f"/u/wrong{number}", data=ONE_CLICK) for number in range(31)]
    assert [answers[0].status_code, answers[-1].status_code] == [404, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert world.client.post(world.link(), data=ONE_CLICK).status_code == 200
