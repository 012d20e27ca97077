"""A correction writes what was asked, where it was asked, and is read back; what cannot be is refused."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from mailbot.core.plan import (
    Action,
    Correction,
    NothingChanged,
    Plan,
    PlanGrew,
    ReadBack,
    Refusal,
    RefusalReason,
    Subject,
)
from mailbot.core.request import FieldChange
from mailbot.demo.platform import PERSONAS
from tests.platform.worlds import NOW, ON_EVERY_SERVER, World


def asked(subject: Subject, **fields: str) -> Correction:
    return Correction(subject, tuple(FieldChange(name, None, value) for name, value in fields.items()))


def do(world: World, change: Correction) -> tuple[Plan, ReadBack]:
    plan = world.platform.plan(change)
    world.platform.apply(plan, "case-1")
    return plan, world.platform.read_back(change, plan)


def test_a_misspelled_name_is_corrected_and_nothing_else(world: World) -> None:
    before = world.dump()
    plan, result = do(world, asked(world.user("correct_name"), name="Jürgen Müller"))
    step = plan.steps[0]
    assert (step.place, step.action, step.rows) == ("accounts", Action.UPDATE, 1)
    assert (step.fields[0].old, step.fields[0].new) == ("Jürgen Müler", "Jürgen Müller")
    before["accounts"][4]["name"] = "Jürgen Müller"
    assert world.dump() == before and result.ok


def test_a_missing_field_is_added(world: World) -> None:
    plan, result = do(world, asked(world.visitor("visitor", "host"), skype="vera.novak"))
    assert plan.steps[0].fields[0].old is None and result.ok
    assert {row["skype"] for key, row in world.dump()["registrations"].items() if key in (1, 2)} == {
        "vera.novak"
    }


def test_a_visitor_is_corrected_at_one_host_only(world: World) -> None:
    before = world.dump()
    _, result = do(world, asked(world.visitor("visitor", "host"), name="Věra Nováková"))
    for key in (1, 2):
        before["registrations"][key]["name"] = "Věra Nováková"
    before["chat_messages"][1]["author_name"] = "Věra Nováková"
    assert world.dump() == before and result.ok


@ON_EVERY_SERVER
def test_a_users_new_address_goes_everywhere_their_own_is_and_is_dated(world: World) -> None:
    subject = world.user("one_click")
    _, result = do(world, asked(subject, email="Oliver@Bennett.example"))
    after = world.dump()
    assert result.ok
    assert (
        after["accounts"][5]["email"]
        == after["newsletter_subscribers"][2]["email"]
        == "Oliver@bennett.example"
    )
    found = world.platform.find("oliver@bennett.example")
    assert [one.address_changed_at for one in found] == [NOW]
    assert world.platform.find(subject.address) == found, "what they had before still leads to them"
    assert [row["email"] for row in after["former_emails"].values() if row["account_id"] == 5] == [
        subject.address
    ]


def test_a_visitors_new_address_is_read_back_under_the_new_one(world: World) -> None:
    plan, result = do(world, asked(world.visitor("visitor", "host"), email="vera@home.example"))
    assert result.ok and plan.rows == 3
    world.change("registrations", 1, email=PERSONAS["visitor"].address)
    assert not world.platform.read_back(plan.change, plan).ok


def test_an_address_that_is_anothers_is_refused_as_a_value(world: World) -> None:
    before = world.dump()
    taken = PERSONAS["host"].address.upper()
    plan = world.platform.plan(asked(world.user("one_click"), email=taken, name="Ollie Bennett"))
    assert plan.refusals == (Refusal("email", RefusalReason.TAKEN),)
    world.platform.apply(plan, "case-1")
    before["accounts"][5]["name"] = before["newsletter_subscribers"][2]["name"] = "Ollie Bennett"
    assert world.dump() == before
    assert world.platform.read_back(plan.change, plan).ok


def test_an_address_taken_since_the_plan_was_shown_is_refused_and_nothing_changed(world: World) -> None:
    plan = world.platform.plan(asked(world.user("one_click"), email="new@bennett.example", name="Ollie"))
    world.change("accounts", 9, email="NEW@bennett.example")
    before = world.dump()
    applied = world.platform.apply(plan, "case-1")
    assert applied.refusals == (Refusal("email", RefusalReason.TAKEN),) and applied.rows == 0
    assert world.dump() == before
    assert not world.platform.read_back(plan.change, plan).ok


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"email": "not an address"}, RefusalReason.INVALID),
        ({"name": "win money at https://x.example"}, RefusalReason.INVALID),
        ({"name": "a" * 201}, RefusalReason.INVALID),
        ({"phone": "call me"}, RefusalReason.INVALID),
        ({"vat_number": "?"}, RefusalReason.INVALID),
        ({"name": " \n "}, RefusalReason.INVALID),
        ({"password_hash": "x"}, RefusalReason.UNKNOWN_FIELD),
        ({"last_ip": "192.0.2.1"}, RefusalReason.UNKNOWN_FIELD),
        ({"language": "de"}, RefusalReason.NOT_CHANGEABLE),
    ],
)
def test_what_may_not_be_written_is_refused(
    sqlite_world: World, fields: dict[str, str], reason: RefusalReason
) -> None:
    plan = sqlite_world.platform.plan(asked(sqlite_world.user("one_click"), **fields))
    assert [refusal.reason for refusal in plan.refusals] == [reason] and plan.rows == 0


def test_a_field_of_a_record_that_is_not_there_is_refused(world: World) -> None:
    plan = world.platform.plan(asked(world.user("forged"), company="Vogel KG"))
    assert plan.refusals == (Refusal("company", RefusalReason.NOTHING_ON_FILE),)


def test_a_value_longer_than_its_column_is_refused_before_it_is_written(sqlite_world: World) -> None:
    with sqlite_world.engine.begin() as connection:
        connection.execute(text("ALTER TABLE accounts DROP COLUMN job_title"))
        connection.execute(text("ALTER TABLE accounts ADD COLUMN job_title VARCHAR(5)"))
    plan = sqlite_world.platform.plan(asked(sqlite_world.user("one_click"), job_title="Teacher"))
    assert plan.refusals == (Refusal("job_title", RefusalReason.INVALID),)


def test_a_countrys_name_is_written_as_the_platform_keeps_it(world: World) -> None:
    _, result = do(world, asked(world.user("two_things"), country="Suisse"))
    assert result.ok and world.dump()["accounts"][6]["country"] == "CH"


def test_a_company_that_others_use_is_for_staff_to_look_at(world: World) -> None:
    shared = world.platform.plan(asked(world.user("correct_name"), company="Schäfer GmbH"))
    assert [veto.partition(":")[0] for veto in shared.vetoes] == ["shared_record"]
    own = world.platform.plan(asked(world.user("host"), company="Atelier B"))
    assert own.vetoes == () and own.rows == 1


def test_a_value_edited_meanwhile_stops_the_correction(world: World) -> None:
    plan = world.platform.plan(asked(world.user("correct_name"), name="Jürgen Müller"))
    world.change("accounts", 4, name="J. M.")
    with pytest.raises(PlanGrew):
        world.platform.apply(plan, "case-1")
    assert world.dump()["accounts"][4]["name"] == "J. M."


def test_a_value_already_right_by_anothers_hand_is_to_be_explained(world: World) -> None:
    plan = world.platform.plan(asked(world.user("correct_name"), name="Jürgen Müller"))
    world.change("accounts", 4, name="Jürgen Müller")
    with pytest.raises(NothingChanged):
        world.platform.apply(plan, "case-1")
    assert world.platform.plan(plan.change).rows == 0


def test_read_back_sees_a_value_that_is_not_the_one_asked_for(world: World) -> None:
    change = asked(world.user("correct_name"), name="Jürgen Müller")
    plan, result = do(world, change)
    assert result.ok
    world.change("accounts", 4, name="Jürgen Müler")
    found = world.platform.read_back(change, plan)
    assert [(one.place, one.column, one.count) for one in found.findings] == [("accounts", "name", 1)]


def test_quotes_and_sql_in_values_are_only_text(world: World) -> None:
    name = 'Robert\'); DROP TABLE accounts;-- "x" %s :y'
    _, result = do(world, asked(world.user("correct_name"), name=name))
    assert result.ok and world.dump()["accounts"][4]["name"] == name
