"""Answers to FETCH are read strictly, in every shape that servers give them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mailbot.mail.fetch_answer import Item, compact, expand, read_bodies, read_date, read_sizes

DATE = b'INTERNALDATE "17-Jul-2026 02:44:25 +0200"'


@pytest.mark.parametrize(
    "items",
    [
        [(b"1 (UID 7 " + DATE + b" BODY[] {3}", b"abc"), b")"],
        [(b"1 (BODY[] {3}", b"abc"), b" UID 7 " + DATE + b")"],
        [(b"1 (UID 7 " + DATE + b" BODY[]<0> {3}", b"abc"), b")"],
        [(b"1 (uid 7 " + DATE + b" body[] ~{3}", b"abc"), b" FLAGS (UID 9 Seen))"],
        [
            b"4 (FLAGS (UID 8))",
            (b"1 (FLAGS (UID 9) UID 7 " + DATE + b" BODY[] {3}", b"abc"),
            b")",
            b"2 (FLAGS ())",
        ],
    ],
)
def test_attributes_may_stand_before_and_after_the_body(items: list[Item]) -> None:
    assert list(read_bodies(items)) == [7]
    assert read_bodies(items)[7].octets == b"abc"
    assert read_bodies(items)[7].internal_date == datetime(2026, 7, 17, 0, 44, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    "items",
    [
        [None],
        [b""],
        [b'1 (UID 7 BODY[] "abc")'],
        [b"1 (UID 7 BODY[] NIL)"],
        [(b"1 (UID 7 BODY[] {4}", b"abc"), b")"],
        [(b"1 (UID 7 BODY[TEXT] {3}", b"abc"), b")"],
        [(b"1 (BODY[] {3}", b"abc"), b")"],
        [b")"],
    ],
)
def test_what_is_odd_is_left_out(items: list[Item]) -> None:
    assert read_bodies(items) == {}


def test_a_body_that_reads_like_an_answer_is_only_a_body() -> None:
    body = b"* 2 FETCH (UID 8 BODY[] {1}\r\nx)"
    items: list[Item] = [
        (b"1 (UID 7 BODY[] {%d}" % len(body), body),
        b")",
        (b"2 (UID 9 BODY[] {1}", b"y"),
        b")",
    ]
    assert {uid: each.octets for uid, each in read_bodies(items).items()} == {7: body, 9: b"y"}


def test_sizes_are_read_by_uid() -> None:
    assert read_sizes([b"1 (UID 5 RFC822.SIZE 44)", b"2 (RFC822.SIZE 45 UID 6)", b"3 (FLAGS (UID 3))"]) == {
        5: 44,
        6: 45,
    }


@pytest.mark.parametrize(
    "date", [b"", b'"31-Feb-2026 00:00:00 +0000"', b'"17-Xyz-2026 02:44:25 +0200"', b"NIL"]
)
def test_a_date_that_is_none_is_none(date: bytes) -> None:
    assert read_date(b"UID 7 INTERNALDATE " + date) is None


@given(some.sets(some.integers(min_value=1, max_value=300)))
def test_a_sequence_set_names_exactly_the_uids_it_was_made_of(uids: set[int]) -> None:
    assert set(expand(compact(sorted(uids)).encode())) == uids if uids else compact([]) == ""
