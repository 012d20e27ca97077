"""What an attached file is, what it is called, and what of it counts beside the letter."""

from __future__ import annotations

import base64
import quopri
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.attached import (
    SERVED,
    AttachedFile,
    AttachedText,
    FileKind,
    Reason,
    ReferringWords,
    content_of,
    doubts_of_letter,
    kind_of,
    safe_name,
    size_of,
    with_attached,
)
from mailbot.core.message import Attachment
from mailbot.core.request import Asked, Capacity, Evidence, Kind, Understanding

LANGUAGES = Path(__file__).parents[2] / "rules" / "languages"
FILES = [tomllib.loads(file.read_text(encoding="utf-8")) for file in sorted(LANGUAGES.glob("*.toml"))]
REFERRING = ReferringWords(word for file in FILES for word in file.get("attached", ()))
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("head", "content_type", "name", "kind"),
    [
        (b"%PDF-1.7", "image/png", "x.png", FileKind.PDF),
        (b"\r\n\r\n%PDF-1.7", "application/octet-stream", "", FileKind.PDF),
        (b"PK\x03\x04", WORD, "", FileKind.DOCX),
        (b"PK\x03\x04", "application/octet-stream", "a.DOCX", FileKind.DOCX),
        (b"PK\x03\x04", "application/zip", "a.zip", FileKind.OTHER),
        (b"\xd0\xcf\x11\xe0", "application/msword", "a.doc", FileKind.OTHER),
        (b"From: x", "message/rfc822", "", FileKind.MAIL),
        (b"From: x", "application/octet-stream", "a.eml", FileKind.MAIL),
        (b"hello", "text/plain", "", FileKind.TEXT),
        (b"", "text/plain", "", FileKind.TEXT),
        (b"\xff\xfeh\x00i\x00", "text/plain", "a.txt", FileKind.TEXT),
        (b"BEGIN:VCARD", "text/plain", "a.vcf", FileKind.SILENT),
        (b"-----BEGIN PGP", "application/pgp-signature", "", FileKind.SILENT),
        (b"0\x80", "application/pkcs7-mime", "smime.p7m", FileKind.SILENT),
        (b"\x78\x9f\x3e\x22", "application/octet-stream", "", FileKind.TNEF),
        (b"\x89PNG", "image/png", "a.png", FileKind.PICTURE),
        (b"\x89PNG", "application/pdf", "a.pdf", Reason.MISLABELLED),
        (b"\x89PNG\x00", "text/plain", "a.txt", Reason.MISLABELLED),
    ],
)
def test_content_says_what_a_file_is_and_names_only_help(
    head: bytes, content_type: str, name: str, kind: FileKind | Reason
) -> None:
    assert kind_of(head, content_type, name) is kind


@given(st.binary(max_size=200), st.text(max_size=30), st.text(max_size=30))
def test_every_file_is_of_some_kind(head: bytes, content_type: str, name: str) -> None:
    assert isinstance(kind_of(head, content_type, name), FileKind | Reason)


SENTENCES = {
    "en": ("Please find my letter attached.", "The request is enclosed."),
    "fr": ("Vous trouverez ma demande ci-jointe.", "Voir la pièce jointe.", "voir piece jointe"),
    "de": ("Anbei mein Schreiben.", "Mein Antrag steht im Anhang.", "siehe Anlage"),
    "es": ("Adjunto mi solicitud.", "Véase el documento adjunto."),
    "it": ("In allegato la mia richiesta.", "Allego la lettera."),
    "pt": ("Segue em anexo o meu pedido.", "Anexei a carta."),
    "nl": ("Zie bijlage.", "Bijgevoegd vindt u mijn verzoek."),
    "pl": ("W załączniku przesyłam wniosek.", "Proszę zobaczyć załączone pismo."),
    "lt": ("Prašymas pridedamas.", "Žr. priedą."),
    "uk": ("Моя заява у вкладенні.", "Лист прикріплено до листа.", "Заява в додатку."),
    "ru": ("Моё заявление во вложении.", "Прилагаю письмо."),
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file["language"])
def test_every_language_can_speak_of_attachments(file: dict[str, Any]) -> None:
    words = ReferringWords(file["attached"])
    for sentence in SENTENCES.get(file["language"], ()):
        assert words.in_text(sentence), sentence


@pytest.mark.parametrize(
    "text", ["", "Please delete my account.", "Bitte löschen Sie mein Konto.", "Удалите мой аккаунт."]
)
def test_other_letters_do_not_speak_of_attachments(text: str) -> None:
    assert not REFERRING.in_text(text)


def test_without_words_nothing_speaks_of_attachments() -> None:
    assert not ReferringWords(()).in_text("see attached")


def _asked(kind: Kind, confidence: float) -> Asked:
    return Asked(kind, Capacity.USER, confidence, (Evidence("r", "words", 0, 5),))


_UNDERSTANDINGS = st.builds(
    Understanding,
    st.lists(st.builds(_asked, st.sampled_from(Kind), st.floats(0, 1)), min_size=1, max_size=3).map(tuple),
    st.lists(st.just("a guard word"), max_size=1).map(tuple),
    formal=st.booleans(),
)
_FILES = st.lists(
    st.builds(
        AttachedFile,
        st.sampled_from(["a.pdf", "b.pdf"]),
        st.just("application/pdf"),
        st.just(1),
        st.sampled_from([FileKind.PDF, FileKind.MAIL]),
        st.just(AttachedText("words")),
        _UNDERSTANDINGS,
    ),
    max_size=3,
)


@given(_UNDERSTANDINGS, _FILES, st.booleans(), st.sampled_from(["", "one two three four five six"]))
def test_attachments_never_take_a_doubt_or_a_clear_request_away_and_mark_all_they_add(
    letter: Understanding, files: list[AttachedFile], refers: bool, text: str
) -> None:
    joined = with_attached(letter, files, text, refers=refers, certainty=0.9)
    assert set(letter.doubts) <= set(joined.doubts)
    assert joined.formal or not letter.formal
    clear = {one.kind for one in letter.asked if one.kind in SERVED and one.confidence >= 0.5}
    assert clear <= {one.kind for one in joined.asked}
    for one in joined.asked:
        if one not in letter.asked:
            assert one.attachment in ("a.pdf", "b.pdf")
            assert all(evidence.attachment == one.attachment for evidence in one.evidence)


def test_why_a_letter_was_not_read_is_a_doubt_of_its_own() -> None:
    assert doubts_of_letter(("from: missing",)) == ()
    assert "encrypted" in doubts_of_letter(("encrypted",))[0]
    assert "it is broken" in doubts_of_letter(("signed and packed: it is broken",))[0]
    assert len(doubts_of_letter(("signed and packed",))) == 1


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
        ("base64", base64.encodebytes(b"hello w\xf6rld")),
        ("base64", base64.b64encode(b"hello w\xf6rld").rstrip(b"=")),
        ("quoted-printable", quopri.encodestring(b"hello w\xf6rld")),
        ("8bit", b"hello w\xf6rld"),
        ("", b"hello w\xf6rld"),
    ],
)
def test_attachments_are_decoded_as_their_own_part_says(encoding: str, body: bytes) -> None:
    raw = b"before" + body + b"behind"
    attachment = Attachment("f", "x/y", 6, 6 + len(body), encoding)
    assert content_of(raw, attachment) == b"hello w\xf6rld"
    assert abs(size_of(attachment) - 11) < 8
    assert content_of(raw, attachment, 4)[:4] == b"hell"
