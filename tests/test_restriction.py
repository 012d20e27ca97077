"""Restriction (GDPR Art. 18) and objection (Art. 21(1)): a flag where the data map has one, else staff."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import create_engine, text

from mailbot.core.request import Kind
from mailbot.desk import DeskTrouble
from mailbot.store.tables import Request
from tests.world import CAMILLE, HUGO, Builder, World, plain

RESTRICT = "Hello,\n\nPlease restrict the processing of my personal data.\n\nKind regards\nCamille\n"
FLAG = 'restriction = { column = "restricted", value = true, lifted = false }\n'


@pytest.fixture
def flagged(builder: Builder, tmp_path: Path) -> Iterator[World]:
    """A platform whose accounts have a column for it, and a map that names it."""
    with with_flag(builder, tmp_path, {}) as world:
        yield world


@contextmanager
def with_flag(builder: Builder, tmp_path: Path, more: dict[str, Any], flag: str = FLAG) -> Iterator[World]:
    builder.smtp.clear()
    rules = tmp_path / "map"
    rules.mkdir()
    shipped = (Path(__file__).parents[1] / "rules" / "platform.toml").read_text(encoding="utf-8")
    mapped = shipped.replace('created_at = "created_at"', flag + 'created_at = "created_at"', 1)
    (rules / "platform.toml").write_text(mapped, encoding="utf-8")
    with builder.world(
        tmp_path / "world", more={"platform": {"map": str(rules / "platform.toml")}, **more}
    ) as world:
        engine = create_engine(world.app.config.platform_url())
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE accounts ADD COLUMN restricted BOOLEAN NOT NULL DEFAULT 0"))
        engine.dispose()
        yield world


def is_restricted(world: World, address: str) -> bool:
    return world.platform("SELECT restricted FROM accounts WHERE email = :a", a=address) == [(1,)]


def restrict(world: World) -> Request:
    """Camille asks, staff approve."""
    world.write(CAMILLE, "Restriction of processing", RESTRICT)
    assert world.states(CAMILLE) == [("restriction", "awaiting_staff")]
    world.staff(CAMILLE, "approve")
    world.work()
    return world.the_request(CAMILLE)


def test_approved_it_is_set_read_back_and_answered_with_a_letter_of_its_own(flagged: World) -> None:
    request = restrict(flagged)
    assert request.state == "done"
    assert is_restricted(flagged, CAMILLE)
    assert not is_restricted(flagged, HUGO)
    told = plain(flagged.letters(CAMILLE)[-1])
    assert "we have restricted the use of your data" in told
    assert "We will tell you before the restriction ends." in told


def test_the_person_confirms_it_alone_where_policy_says_so(builder: Builder, tmp_path: Path) -> None:
    shipped = (Path(__file__).parents[1] / "rules" / "policy.toml").read_text(encoding="utf-8")
    head, mark, tail = shipped.partition("[kinds.restriction]")
    own = tmp_path / "own"
    own.mkdir()
    changed = tail.replace('handling = "staff"', 'handling = "confirm"', 1)
    (own / "policy.toml").write_text(head + mark + changed, encoding="utf-8")
    unread = replace(builder, knowledge=None)
    with with_flag(unread, tmp_path, {"folders": {"rules": str(own)}}) as world:
        world.write(CAMILLE, "Restriction of processing", RESTRICT)
        assert world.states(CAMILLE) == [("restriction", "awaiting_proof")]
        assert not is_restricted(world, CAMILLE)
        world.confirm(CAMILLE)
        assert world.states(CAMILLE) == [("restriction", "done")]
        assert is_restricted(world, CAMILLE)


def test_lifted_it_ends_only_three_days_after_the_person_was_told_why(flagged: World) -> None:
    request = restrict(flagged)
    now = flagged.clock.now
    flagged.app.desk.lift(request.id, "We have checked and corrected the data.", "stan", now)
    flagged.work()
    assert "We have checked and corrected the data." in plain(flagged.letters(CAMILLE)[-1])
    flagged.clock.forward(days=2)
    flagged.work()
    assert is_restricted(flagged, CAMILLE)
    flagged.clock.forward(days=1, minutes=1)
    flagged.work()
    assert not is_restricted(flagged, CAMILLE)
    assert flagged.the_request(CAMILLE).state == "lifted"


def test_lifting_needs_a_reason_and_a_restriction(flagged: World) -> None:
    request = restrict(flagged)
    with pytest.raises(DeskTrouble, match="reason"):
        flagged.app.desk.lift(request.id, " ", "stan", flagged.clock.now)
    flagged.write(HUGO, "Newsletter", "Please unsubscribe me from your newsletter.\n")
    other = flagged.the_request(HUGO)
    assert other.kind == Kind.UNSUBSCRIBE
    with pytest.raises(DeskTrouble, match="cannot be lifted"):
        flagged.app.desk.lift(other.id, "why", "stan", flagged.clock.now)


def test_without_a_column_in_the_map_it_stays_with_staff_and_nothing_is_promised(world: World) -> None:
    world.smtp.clear()
    world.write(CAMILLE, "Restriction of processing", RESTRICT)
    world.staff(CAMILLE, "approve")
    world.work()
    request = world.the_request(CAMILLE)
    assert request.state == "awaiting_staff"
    assert "restriction" in request.reason
    assert not any("we have restricted" in plain(one) for one in world.letters(CAMILLE))


def test_staff_lift_it_on_the_page_of_the_case_with_the_reason_the_person_reads(flagged: World) -> None:
    request = restrict(flagged)
    case = flagged.requests(CAMILLE)[0][0]
    page = flagged.client.get(f"/staff/case/{case.reference}").text
    path = f"/staff/case/{case.reference}/{request.id}/lift"
    form = next(one for one in LexborHTMLParser(page).css("form") if one.attributes.get("action") == path)
    csrf = form.css_first("input[name=csrf]").attributes["value"]

    assert flagged.client.post(path, data={"csrf": csrf, "reason": " "}).status_code == 422
    assert flagged.the_request(CAMILLE).state == "done"
    flagged.client.post(path, data={"csrf": csrf, "reason": "We have corrected the data."})
    flagged.work()
    assert "We have corrected the data." in plain(flagged.letters(CAMILLE)[-1])
    flagged.clock.forward(days=3, minutes=1)
    flagged.work()
    assert not is_restricted(flagged, CAMILLE)


OBJECT = "Hello,\n\nI object to the processing of my personal data.\n\nKind regards\nCamille\n"
OBJECTED = 'objection = { column = "restricted", value = true, lifted = false }\n'


def test_an_objection_is_set_read_back_answered_and_lifted_by_its_own_flag(
    builder: Builder, tmp_path: Path
) -> None:
    with with_flag(builder, tmp_path, {}, OBJECTED) as world:
        world.write(CAMILLE, "Objection", OBJECT)
        assert world.states(CAMILLE) == [("objection", "awaiting_staff")]
        assert not is_restricted(world, CAMILLE)
        world.staff(CAMILLE, "approve")
        world.work()
        request = world.the_request(CAMILLE)
        assert request.state == "done"
        assert is_restricted(world, CAMILLE)
        assert not is_restricted(world, HUGO)
        told = plain(world.letters(CAMILLE)[-1])
        assert "object" in told
        assert "we have restricted" not in told, "that is another right"

        world.app.desk.lift(request.id, "Our reasons outweigh yours.", "stan", world.clock.now)
        world.clock.forward(days=3, minutes=1)
        world.work()
        assert "Our reasons outweigh yours." in plain(world.letters(CAMILLE)[-1])
        assert not is_restricted(world, CAMILLE)


def test_an_objection_that_the_platform_takes_back_is_not_called_done(
    builder: Builder, tmp_path: Path
) -> None:
    with with_flag(builder, tmp_path, {}, OBJECTED) as world:
        world.platform(
            "CREATE TRIGGER stubborn AFTER UPDATE OF restricted ON accounts BEGIN"
            " UPDATE accounts SET restricted = 0 WHERE id = new.id; END"
        )
        world.write(CAMILLE, "Objection", OBJECT)
        world.staff(CAMILLE, "approve")
        world.work()
        request = world.the_request(CAMILLE)
        assert request.state == "awaiting_staff"
        assert "accounts.restricted" in request.reason
