"""Confirming, a host's decision, an export, one's own case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailbot.core.plan import Refusal, RefusalReason
from tests.web.conftest import World
from tests.web.fakes import BAD, CORRECTION, DELETION, GOOD, confirmation

PAGES = ("c", "h", "x", "case")


def test_the_confirm_page_shows_each_field_as_it_is_and_as_asked(world: World) -> None:
    page = world.client.get(f"/c/{GOOD}").text
    for shown in ("Alice Smiht", 'value="Alice Smith"', "nothing on file", 'value="+33 6 12 34 56 78"'):
        assert shown in page


def test_the_confirm_page_says_what_goes_what_stays_and_that_it_is_for_ever(world: World) -> None:
    page = world.client.get(f"/c/{GOOD}").text
    for shown in ("12 entries", "1 entry", "1 March 2036", "accounting records", "cannot be undone"):
        assert shown in page
    assert "Hugo Hostettler" in page


def test_confirming_hands_over_the_edited_fields_and_says_what_happens_now(world: World) -> None:
    form = {
        "action": "confirm",
        f"field.{CORRECTION}.name": " Alice Schmidt ",
        f"field.{CORRECTION}.phone": "",
        "field.": "x",
        "other": "y",
    }
    answer = world.client.post(f"/c/{GOOD}", data=form)
    assert answer.status_code == 200
    assert "This is what happens now" in answer.text
    assert "waits for your confirmation" not in answer.text
    assert world.deeds.done == [("confirm", {str(CORRECTION): {"name": "Alice Schmidt", "phone": ""}})]


@pytest.mark.parametrize("action", ["cancel", "deny"])
def test_no_and_not_me_stop_everything(world: World, action: str) -> None:
    answer = world.client.post(f"/c/{GOOD}", data={"action": action})
    assert answer.status_code == 200
    assert "Nothing was changed" in answer.text
    assert world.deeds.done == [(action,)]


@pytest.mark.parametrize("action", ["", "yes", "Confirm"])
def test_a_post_without_one_of_the_buttons_changes_nothing(world: World, action: str) -> None:
    assert world.client.post(f"/c/{GOOD}", data={"action": action}).status_code == 400
    assert world.deeds.done == []


def test_enter_in_a_field_presses_no_button(world: World) -> None:
    """The first button of a form is what Enter presses: it is a disabled one."""
    form = world.client.get(f"/c/{GOOD}").text.partition("<form")[2]
    assert "disabled" in form.partition("<button")[2].partition(">")[0]


def test_a_refused_value_is_shown_beside_its_field(world: World) -> None:
    asked = confirmation()
    refused = replace(asked.requests[0], refusals=(Refusal("email", RefusalReason.TAKEN),))
    world.proof.waiting = replace(asked, requests=(refused,))
    page = world.client.get(f"/c/{GOOD}").text
    assert 'aria-invalid="true"' in page
    assert "This value cannot be used" in page


def test_two_subjects_of_one_request_have_one_set_of_fields(world: World) -> None:
    asked = confirmation()
    twice = replace(asked, requests=(asked.requests[0], asked.requests[0]))
    world.proof.waiting = twice
    page = world.client.get(f"/c/{GOOD}").text
    assert page.count(f'name="field.{CORRECTION}.name"') == 1
    ids = [part.partition('"')[0] for part in page.split(' id="')[1:]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("kind", PAGES)
def test_unknown_used_and_malformed_tokens_look_the_same(world: World, kind: str) -> None:
    world.proof.cancel(GOOD, world.clock[0])
    spent = [GOOD] if kind == "c" else []
    pages = [world.client.get(f"/{kind}/{token}") for token in (BAD, "x", "../../etc", *spent)]
    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages if "/" not in page.url.path.removeprefix(f"/{kind}/")}) == 1


@pytest.mark.parametrize("kind", ["c", "h", "x"])
def test_buttons_of_a_bad_token_are_404(world: World, kind: str) -> None:
    for action in ("confirm", "cancel", "deny", "agree", "download"):
        assert world.client.post(f"/{kind}/{BAD}", data={"action": action}).status_code in (400, 404)
    assert world.deeds.done == []


def test_guessing_tokens_has_to_wait(world: World) -> None:
    answers = [world.client.get(f"/c/{number}").status_code for number in range(31)]
    assert answers[-1] == 429
    assert world.client.get(f"/c/{GOOD}").status_code == 429


def test_strangers_text_is_escaped(world: World) -> None:
    asked = confirmation()
    evil = replace(asked.requests[0].fields[0], asked='"><script>alert(1)</script>', present="<img src=x>")
    world.proof.waiting = replace(asked, requests=(replace(asked.requests[0], fields=(evil,)),))
    page = world.client.get(f"/c/{GOOD}").text
    assert "<script>alert" not in page
    assert "<img" not in page


def test_pages_speak_the_language_of_the_case(world: World) -> None:
    assert 'lang="fr"' in world.client.get(f"/h/{GOOD}").text
    german = world.client.get(f"/case/{GOOD}", headers={"Accept-Language": "fr"}).text
    assert 'lang="de"' in german
    assert "21. Dezember 2026" in german


def test_a_language_without_catalogue_is_marked_as_what_it_is(world: World) -> None:
    """A page in English must not claim to be Lithuanian: screen readers would read it so."""
    world.proof.waiting = confirmation("xx")
    assert 'lang="en"' in world.client.get(f"/c/{GOOD}").text


def test_a_host_agrees_or_refuses_with_a_reason(world: World) -> None:
    assert world.client.post(f"/h/{GOOD}", data={"action": "agree"}).status_code == 200
    assert world.client.post(f"/h/{GOOD}", data={"action": "refuse", "reason": " "}).status_code == 422
    assert world.client.post(f"/h/{GOOD}", data={"action": "refuse", "reason": "they owe"}).status_code == 200
    assert world.deeds.done == [("agree",), ("refuse", "they owe")]


def test_an_export_is_a_file_to_be_saved_and_only_by_the_button(world: World) -> None:
    assert world.client.get(f"/x/{GOOD}").headers["content-type"].startswith("text/html")
    assert world.deeds.done == []
    file = world.client.post(f"/x/{GOOD}", data={"action": "download"})
    assert file.content == b"PK\x03\x04"
    assert file.headers["content-disposition"] == 'attachment; filename="K7Q2-9MXF.zip"'
    assert file.headers["cache-control"] == "no-store"


def test_deletion_alone_has_no_fields(world: World) -> None:
    asked = confirmation()
    world.proof.waiting = replace(asked, requests=asked.requests[1:2])
    page = world.client.get(f"/c/{GOOD}").text
    assert f"field.{DELETION}" not in page
