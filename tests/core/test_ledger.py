"""The ledger's chain: nothing can be changed, moved or left out unseen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.ledger import GENESIS, Broken, Entry, chain, verify

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def entry(number: int) -> Entry:
    """The `number`th of a series."""
    return Entry(
        NOON + timedelta(minutes=number), "applied", "mailbot", "K7Q2-9MXF", f"r{number}", "g", {"n": number}
    )


def chained(entries: list[Entry]) -> list[tuple[Entry, bytes]]:
    """The entries with their hashes."""
    previous, rows = GENESIS, []
    for one in entries:
        previous = chain(previous, one)
        rows.append((one, previous))
    return rows


ROWS = chained([entry(number) for number in range(1, 8)])


def test_an_untouched_chain_has_all_its_entries() -> None:
    assert verify(ROWS) == 7
    assert verify([]) == 0


@given(st.integers(0, 6), st.sampled_from(["at", "action", "actor", "case", "request", "grounds", "details"]))
def test_an_entry_changed_in_any_field_is_found_where_it_stands(place: int, name: str) -> None:
    changed = {"at": NOON, "details": {"n": -1}}.get(name, "x")
    rows = list(ROWS)
    rows[place] = (replace(rows[place][0], **{name: changed}), rows[place][1])
    assert verify(rows) == Broken(place + 1)


@given(st.integers(0, 5))
def test_an_entry_left_out_is_found(place: int) -> None:
    assert verify(ROWS[:place] + ROWS[place + 1 :]) == Broken(place + 1)


@given(st.integers(0, 5))
def test_two_entries_that_changed_places_are_found(place: int) -> None:
    rows = list(ROWS)
    rows[place], rows[place + 1] = rows[place + 1], rows[place]
    assert verify(rows) == Broken(place + 1)


def test_the_order_of_details_does_not_matter() -> None:
    one, two = replace(entry(1), details={"a": 1, "b": 2}), replace(entry(1), details={"b": 2, "a": 1})
    assert chain(GENESIS, one) == chain(GENESIS, two)


def test_the_end_cut_off_is_seen_by_who_knows_how_many_there_were() -> None:
    """The chain alone cannot tell; an exported count or last hash does."""
    assert verify(ROWS[:-1]) == 6


@pytest.mark.parametrize("word", ["é", "\u2028", '"', "\\"])
def test_odd_letters_hash_the_same_everywhere(word: str) -> None:
    assert chain(GENESIS, replace(entry(1), grounds=word)) == chain(GENESIS, replace(entry(1), grounds=word))
    assert chain(GENESIS, replace(entry(1), grounds=word)) != chain(GENESIS, entry(1))


def test_times_are_kept_in_utc() -> None:
    """Another zone is another text, so it must not get here; the store gives UTC back."""
    vilnius = entry(1).at.astimezone(timezone(timedelta(hours=2)))
    assert chain(GENESIS, replace(entry(1), at=vilnius.astimezone(UTC))) == chain(GENESIS, entry(1))
