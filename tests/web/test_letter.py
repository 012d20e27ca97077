"""A stranger's mail made safe to look at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailbot.web.staff.letter import MAX_HTML, marked, safe_html
from mailbot.web.staff.reading import EvidenceRead


def _evidence(*spans: tuple[int, int]) -> list[EvidenceRead]:
    return [
        EvidenceRead(rule=f"r{number}", start=start, end=end) for number, (start, end) in enumerate(spans)
    ]


def test_overlapping_evidence_is_marked_with_every_rule() -> None:
    pieces = marked("abcdef", _evidence((1, 4), (3, 5)))
    assert [(piece.text, piece.rules) for piece in pieces] == [
        ("a", ()),
        ("bc", ("r0",)),
        ("d", ("r0", "r1")),
        ("e", ("r1",)),
        ("f", ()),
    ]


@given(st.text(max_size=50), st.lists(st.tuples(st.integers(-9, 60), st.integers(-9, 60)), max_size=8))
def test_marking_never_adds_or_loses_a_character(text: str, spans: list[tuple[int, int]]) -> None:
    assert "".join(piece.text for piece in marked(text, _evidence(*spans))) == text


@given(st.text(alphabet="<>/ab=\"' scriptonlj:&;-!", max_size=200))
def test_no_html_leaves_an_attribute_or_a_tag_that_acts(html: str) -> None:
    safe = safe_html(html).lower()
    for bad in ("<script", "<a", "<img", "<form", "<iframe", "<svg", "<style", "<object", "<input"):
        assert bad not in safe.replace("<abbr", "")
    assert "=" not in "".join(part.partition(">")[0] for part in safe.split("<")[1:])


def test_an_endless_html_mail_is_cut() -> None:
    assert len(safe_html("<b>x</b>" * MAX_HTML)) <= MAX_HTML + 10
