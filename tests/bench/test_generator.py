"""The generator's mails are the same for the same seed, and of the mix that the figures are told for."""

from __future__ import annotations

from collections import Counter
from email import message_from_bytes, policy
from itertools import islice

import dkim

from bench.generator import KINDS, LARGEST_BYTES, PRIVACY, SHAPES, SMALLEST_BYTES, Signer, letters
from mailbot.core.message import ParsedMail
from mailbot.core.parse import parse

_SOME = 200


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert list(letters(30, 7)) == list(letters(30, 7))


def test_another_seed_gives_other_mails() -> None:
    assert [one.raw for one in letters(5, 7)] != [one.raw for one in letters(5, 8)]


def test_more_mails_begin_with_the_same_ones() -> None:
    assert list(letters(5, 7)) == list(islice(letters(50, 7), 5))


def test_half_want_a_signature_and_one_in_a_hundred_has_an_attachment() -> None:
    made = list(letters(_SOME, 1))
    assert sum(one.wants_signature for one in made) == _SOME / 2
    assert sum(one.has_attachment for one in made) == _SOME / 100


def test_languages_and_shapes_are_evenly_spread() -> None:
    made = list(letters(_SOME, 1))
    for counted in (Counter(one.language for one in made), Counter(one.shape for one in made)):
        assert len(counted) == 3
        assert max(counted.values()) - min(counted.values()) <= 4
    assert {one.shape for one in made} == set(SHAPES)


def test_every_kind_is_there_about_as_often_as_stated() -> None:
    counted = Counter(one.kind for one in letters(_SOME, 1))
    assert set(counted) == set(KINDS)
    assert all(abs(counted[kind] - share * _SOME / 100) < 0.08 * _SOME for kind, share in KINDS.items())


def test_no_two_mails_have_one_sender() -> None:
    assert len({one.sender for one in letters(_SOME, 1)}) == _SOME


def test_mails_are_of_the_stated_size_and_large_ones_of_some_mebibytes() -> None:
    for one in letters(_SOME, 1):
        if one.has_attachment:
            assert 1 << 20 < len(one.raw) < 6 << 20
        else:
            assert SMALLEST_BYTES * 0.8 < len(one.raw) < LARGEST_BYTES * 1.5


def test_every_mail_parses_without_a_defect_and_is_to_the_mailbox() -> None:
    for one in letters(_SOME, 1):
        mail = parse(one.raw)
        assert isinstance(mail, ParsedMail)
        assert not mail.defects
        assert mail.from_[0].address == one.sender
        assert mail.recipients[0].address == PRIVACY
        assert not message_from_bytes(one.raw, policy=policy.default).defects


def test_signatures_verify_against_the_zone() -> None:
    signer = Signer()
    zone = signer.zone()

    def ask(name: bytes, timeout: float = 5) -> bytes:
        return zone[name.decode().removesuffix(".")]["TXT"][0].encode()

    for one in islice(letters(_SOME, 1), 20):
        finished = signer.finished(one)
        assert finished.endswith(one.raw)
        assert (finished != one.raw) is one.wants_signature
        if one.wants_signature:
            assert dkim.verify(finished, dnsfunc=ask)
