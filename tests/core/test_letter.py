"""A letter is cut where people end sentences, and nowhere else."""

from __future__ import annotations

import pytest

from mailbot.core.letter import read_letter


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Write to alice@example.org please", 1),
        ("See www.example.org for more", 1),
        ("Thanks.Please go on", 2),
        ("Thanks. please go on", 2),
        ("Art. 17 says so", 1),
    ],
)
def test_a_dot_within_an_address_ends_no_sentence(text: str, sentences: int) -> None:
    assert len(read_letter(text, ("art",), ()).sizes) == sentences
