"""Every address on the platform is met, a bounded batch at a time; since when somebody is there."""

from __future__ import annotations

from datetime import UTC

from sqlalchemy import insert, select

from mailbot.demo.platform import PERSONAS
from tests.platform.worlds import NOW, ON_EVERY_SERVER, World

MANY = 2_345


@ON_EVERY_SERVER
def test_every_address_is_met_once_a_place_in_batches_of_a_thousand(world: World) -> None:
    table = world.table("newsletter_subscribers")
    rows = [
        {"id": 10_000 + number, "email": f"reader{number}@news.example", "subscribed_at": NOW}
        for number in range(MANY)
    ]
    with world.engine.begin() as connection:
        connection.execute(insert(table), rows)
        expected = sorted(connection.execute(select(table.c.email)).scalars())
        expected += sorted(connection.execute(select(world.table("accounts").c.email)).scalars())
    batches = list(world.platform.promoted())
    assert max(map(len, batches)) <= 1_000
    assert sorted(address for batch in batches for address in batch) == sorted(expected)


def test_people_are_met_by_present_and_former_addresses_and_as_visitors(world: World) -> None:
    met = {address for batch in world.platform.people() for address in batch}
    for table in ("accounts", "former_emails", "registrations"):
        with world.engine.connect() as connection:
            held = set(connection.execute(select(world.table(table).c.email)).scalars())
        assert {one.strip() for one in held} <= met, table


def test_since_when_somebody_is_there_is_read_from_their_own_rows(world: World) -> None:
    alice = world.user("user_and_visitor")
    found = world.platform.created(alice)
    table = world.table("accounts")
    with world.engine.connect() as connection:
        query = select(table.c.created_at).where(table.c.email == PERSONAS["user_and_visitor"].address)
        (at,) = connection.execute(query).scalars()
    assert found is not None
    assert found.first == found.last == (at if at.tzinfo else at.replace(tzinfo=UTC))
