"""A drafted map loads, names who and what the schema shows, says what to decide, and holds no value of anybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from mailbot.core.data_map import DataMap, OnDeletion, Place
from mailbot.core.plan import Deletion
from mailbot.platform.draft_text import draft_text
from mailbot.platform.interface import CheckStatus
from mailbot.platform.map_file import parse_data_map
from mailbot.platform.sql import drafted, open_platform
from tests.platform.worlds import ON_EVERY_SERVER, World

HELP_DESK = """
CREATE TABLE staff_user (id integer PRIMARY KEY, username varchar(99), mail varchar(254) UNIQUE NOT NULL,
  first_name varchar(99), last_name varchar(99), passwd varchar(99), is_active boolean, closed_at datetime,
  date_joined datetime);
CREATE TABLE staff_user_groups (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES staff_user(id));
CREATE TABLE login_session (token varchar(40) PRIMARY KEY, user_id integer NOT NULL REFERENCES staff_user(id));
CREATE TABLE ticket (id integer PRIMARY KEY, title varchar(99), from_email varchar(254), body text, resolution text,
  assigned_to_id integer REFERENCES staff_user(id));
CREATE TABLE reply (id integer PRIMARY KEY, ticket_id integer NOT NULL REFERENCES ticket(id),
  author_id integer NOT NULL REFERENCES staff_user(id), parent_id integer REFERENCES reply(id), body text);
CREATE TABLE attachment (id integer PRIMARY KEY, reply_id integer NOT NULL REFERENCES reply(id), file varchar(99));
CREATE TABLE note (id integer PRIMARY KEY, target_type varchar(40), target_id integer, wording text);
CREATE TABLE colour (id integer PRIMARY KEY, name varchar(20));
CREATE TABLE newsletter_reader (id integer PRIMARY KEY, email varchar(254), subscribed boolean);
CREATE TABLE ticket_upload (id integer PRIMARY KEY, ticket_id integer NOT NULL REFERENCES ticket(id), file varchar(99));
INSERT INTO staff_user VALUES (1, 'alice', 'alice@example.org', 'Alice', 'Martin', 'x', 1, NULL, NULL),
  (2, 'stan', 'stan@example.org', 'Stan', 'Novak', 'y', 1, NULL, NULL);
INSERT INTO staff_user_groups VALUES (1, 1), (2, 2);
INSERT INTO ticket VALUES (1, 'Broken', 'vera@example.net', 'Please write to alice@example.org', NULL, 1);
INSERT INTO reply VALUES (1, 1, 1, NULL, 'Hello'), (2, 1, 2, 1, 'Indeed'), (3, 1, 1, 2, 'Bye');
INSERT INTO attachment VALUES (1, 3, 'a.pdf');
"""


@pytest.fixture
def help_desk(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/desk.db"
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in HELP_DESK.split(";\n"):
            connection.execute(text(statement)) if statement.strip() else None
    engine.dispose()
    return url


def loaded(draft: str) -> DataMap:
    data_map = parse_data_map(draft)
    assert isinstance(data_map, DataMap), data_map
    return data_map


def place(data_map: DataMap, name: str) -> Place:
    return next(one for one in data_map.places if one.name == name)


def test_who_an_account_is_is_found_and_how_it_is_closed(help_desk: str) -> None:
    user = loaded(draft_text(drafted(help_desk))).user
    assert (user.table, user.key, user.address) == ("staff_user", ("id",), "mail")
    assert dict(user.deactivate) == {"is_active": False, "closed_at": "now"}
    assert (user.name, user.created_at) == ("first_name", "date_joined")


def test_both_parts_of_a_name_can_be_corrected(help_desk: str) -> None:
    assert {"first_name", "last_name"} <= set(loaded(draft_text(drafted(help_desk))).correctable_fields())


def test_what_hangs_on_rows_that_stay_and_what_was_written_there_is_asked_about(help_desk: str) -> None:
    draft = draft_text(drafted(help_desk))
    way = 'path = ["ticket_id = ticket.id", "assigned_to_id = staff_user.id"]'
    assert (
        f"ticket_upload (file) hangs on these rows and stays with them. If it is theirs, add a place with {way}"
        in draft
    )
    assert "# resolution = {}   # looks like free text" in draft


def test_rows_that_need_the_person_go_and_rows_that_may_be_without_stay(help_desk: str) -> None:
    data_map = loaded(draft_text(drafted(help_desk)))
    assert place(data_map, "staff_user_groups").on_deletion is OnDeletion.DELETE
    assert place(data_map, "login_session").logs_out
    ticket = place(data_map, "ticket")
    assert ticket.on_deletion is OnDeletion.ANONYMISE
    assert [rule.name for rule in ticket.columns] == ["assigned_to_id"], (
        "the customer's address is not Alice's"
    )
    assert [hop.table for hop in place(data_map, "attachment").path] == ["reply", "staff_user"]
    assert place(data_map, "ticket by from_email").match == ("from_email",)


def test_what_is_to_be_decided_is_said_and_no_value_is_in_it(help_desk: str) -> None:
    draft = draft_text(drafted(help_desk))
    assert 'note: path = ["target_id = staff_user.id and target_type = ' in draft
    assert "# body = {}   # looks like free text: theirs, or somebody else's?" in draft
    assert (
        'table = "newsletter_reader"\naddress = "email"\nswitch = "boolean"\ncolumn = "subscribed"' in draft
    )
    assert not any(value in draft for value in ("alice", "Martin", "vera", "Broken"))


def test_a_draft_fits_its_own_schema_and_deletes_what_it_says(help_desk: str) -> None:
    platform = open_platform(help_desk, loaded(draft_text(drafted(help_desk))))
    found = platform.check()
    assert not [line for line in found if line.status is CheckStatus.FAILED]
    assert any('is still "?"' in line.what for line in found)
    plan = platform.plan(Deletion(platform.find("alice@example.org")[0]))
    platform.apply(plan, "case-1")
    result = platform.read_back(plan.change, plan)
    assert not result.ok and not result.findings
    assert [(one.place, one.column) for one in result.unmapped] == [("ticket", "body")], (
        "what nobody decided on"
    )
    assert platform.find("stan@example.org") and not platform.find("alice@example.org")
    platform.close()


def test_a_schema_without_people_says_so(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/things.db"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE colour (id integer PRIMARY KEY, name varchar(20))"))
    engine.dispose()
    assert "# Undecided: none of the 1 tables holds anything that looks like e-mail" in draft_text(
        drafted(url)
    )


@ON_EVERY_SERVER
def test_a_draft_of_the_demo_platform_loads_and_has_its_tables(world: World) -> None:
    data_map = loaded(draft_text(drafted(world.url)))
    assert data_map.user.table == "accounts"
    assert {former.table for former in data_map.user.former} == {"former_emails"}
    ours = {"accounts", "former_emails", "webinars", "registrations", "chat_messages", "uploads", "sessions",
            "visits", "newsletter_subscribers", "payments"}  # fmt: skip
    assert ours <= data_map.tables()
