"""A mail becomes an example: without the person in it, as staff leave it, and only for who opened the case."""

from __future__ import annotations

import json

from mailbot.examples import load_examples
from mailbot.store import ledger
from tests.web.conftest import World, add_case

LETTER = "Hello, delete my account alice@example.org.\nThanks\nAlice"


def opened(world: World) -> tuple[str, str]:
    """The path of a case's example and the CSRF token of Stan, who opened the case."""
    reference = add_case(world.store, text=LETTER)
    csrf = world.log_in()
    world.client.post(f"/staff/case/{reference}/open", data={"csrf": csrf})
    return f"/staff/case/{reference}/example", csrf


def test_the_example_is_shown_without_the_person_and_nothing_is_kept_yet(world: World) -> None:
    path, _ = opened(world)
    page = world.client.get(path).text
    assert "delete my account person@example.org" in page
    assert "alice@example.org" not in page
    assert "Alice" not in page
    assert not world.parts.keeper.folder.exists()


def test_what_staff_left_is_kept_and_the_ledger_names_no_person(world: World) -> None:
    path, csrf = opened(world)
    edited = {
        "subject": "",
        "text": "Close my account.",
        "kind-deletion": "1",
        "capacity": "user",
        "review": "1",
    }
    page = world.client.post(path, data={"csrf": csrf, **edited}).text
    assert "en-kept-0001" in page
    (kept,) = load_examples(world.parts.keeper.folder)
    assert (kept.example.text, kept.example.kinds, kept.example.review) == (
        "Close my account.",
        {"deletion"},
        True,
    )
    with world.store.read() as tx:
        entry = next(one for one in ledger.entries(tx) if one.action == "example_kept")
        assert dict(entry.details) == {"example": "en-kept-0001", "kinds": "deletion"}


def test_an_example_that_says_nothing_is_refused(world: World) -> None:
    path, csrf = opened(world)
    answer = world.client.post(path, data={"csrf": csrf, "text": "Hello", "capacity": "user"})
    assert answer.status_code == 422
    assert "choose one kind" in answer.text
    assert not world.parts.keeper.folder.exists()


def test_nobody_keeps_a_mail_of_a_case_they_have_not_opened(world: World) -> None:
    reference = add_case(world.store, text=LETTER)
    path, csrf = f"/staff/case/{reference}/example", world.log_in()
    for answer in (world.client.get(path), world.client.post(path, data={"csrf": csrf, "text": "x"})):
        assert answer.url.path == f"/staff/case/{reference}"
    assert not world.parts.keeper.folder.exists()


def test_examples_kept_one_after_the_other_have_their_own_ids(world: World) -> None:
    path, csrf = opened(world)
    for number in (1, 2):
        data = {"csrf": csrf, "text": f"No {number}", "kind-other": "1", "capacity": "unknown"}
        world.client.post(path, data=data)
    lines = (world.parts.keeper.folder / "en.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["en-kept-0001", "en-kept-0002"]
