"""A stranger's mail made safe to look at."""

from __future__ import annotations

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.message import Attachment
from mailbot.web.staff.letter import MAX_HTML, attachment_bytes, marked, safe_html, safe_name
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


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "etc_passwd"),
        ("a\r\nSet-Cookie: x", "a_Set-Cookie_ x"),
        ("photo\u202egpj.exe", "photo_gpj.exe"),
        ("", "attachment-3"),
        ("...", "attachment-3"),
        ("räksmörgås.pdf", "räksmörgås.pdf"),
        ("x" * 500 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_file_names_cannot_escape_hide_or_break_headers(name: str, safe: str) -> None:
    assert safe_name(name, 3) == safe


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"base64", base64.encodebytes(b"hello w\xf6rld")),
        (b"BASE64", base64.b64encode(b"hello w\xf6rld").rstrip(b"=")),
        (b"quoted-printable", quopri.encodestring(b"hello w\xf6rld")),
        (b"8bit", b"hello w\xf6rld"),
    ],
)
def test_attachments_are_decoded_as_their_own_part_says(encoding: bytes, body: bytes) -> None:
    before = (
        b"Content-Transfer-Encoding: 7bit\r\n\r\n--b\r\nContent-Type: x/y\r\nContent-Transfer-Encoding: "
        + encoding
        + b"\r\n\r\n"
    )
    raw = before + body + b"\r\n--b--"
    assert (
        attachment_bytes(raw, Attachment("f", "x/y", len(before), len(before) + len(body)))
        == b"hello w\xf6rld"
    )
