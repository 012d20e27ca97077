"""What stands in an attached file is read, marked, and counts less than the letter."""

from __future__ import annotations

import pytest

from mailbot.core.attached import ASKS_MORE, FOREIGN, LETTER_ENCRYPTED, AttachedText, FileKind, Reason
from mailbot.core.decide import Decision
from mailbot.core.request import Kind
from mailbot.reading import Reading, as_json
from tests.attachments.builders import (
    ALICE,
    DELETION,
    LOESCHUNG,
    UNSUBSCRIBE,
    docx,
    enveloped,
    letter,
    packed,
    pdf,
    signed,
    with_file,
    with_mail,
    zipped,
)
from tests.attachments.conftest import Read

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"
FILES = {
    "pdf": (pdf(DELETION), "letter.pdf", PDF),
    "pdf that only its content shows": (pdf(DELETION), "letter.bin", "application/octet-stream"),
    "pdf said to be text": (pdf(DELETION), "letter.txt", "text/plain"),
    "docx": (docx(DELETION), "letter.docx", WORD),
    "text": (DELETION.encode(), "letter.txt", "text/plain"),
    "utf-16 text": (DELETION.encode("utf-16"), "letter.txt", "text/plain"),
    "text without a type": (DELETION.encode(), "letter.txt", "application/octet-stream"),
}


def kinds(reading: Reading) -> list[Kind]:
    """What is asked."""
    return [one.kind for one in reading.understanding.asked]


@pytest.mark.parametrize(("content", "name", "content_type"), FILES.values(), ids=FILES.keys())
def test_a_request_in_a_file_is_read_and_needs_proof(
    read: Read, content: bytes, name: str, content_type: str
) -> None:
    reading = read(with_file(content, name, content_type))
    (asked,) = reading.understanding.asked
    assert (asked.kind, asked.attachment) == (Kind.DELETION, name)
    assert reading.decided.decision is Decision.CONFIRM
    assert "asked only in an attached file" in reading.decided.reasons[0]


def test_every_word_that_decided_says_that_it_stands_in_the_file(read: Read) -> None:
    line = as_json(
        read(with_file(pdf(LOESCHUNG), "Brief.pdf", PDF, "Guten Tag, anbei mein Schreiben.\n")), ""
    )
    (file,), (asked,) = line["attachments"], line["requests"]  # type: ignore[misc]  # both are lists
    assert asked["attachment"] == file["name"] == "Brief.pdf"
    assert asked["evidence"]
    for one in asked["evidence"]:
        assert one["in"] == "attachment:Brief.pdf"
        assert file["text"][one["start"] : one["end"]] == one["text"]


def test_a_letter_in_a_file_is_answered_in_its_language_when_there_is_no_other(read: Read) -> None:
    reading = read(with_file(pdf(LOESCHUNG), "a.pdf", PDF, ""))
    assert reading.language.language == "de"
    assert reading.decided.decision is Decision.CONFIRM


def test_what_stands_only_in_a_file_is_never_done_without_proof(read: Read) -> None:
    assert read(letter(UNSUBSCRIBE).as_bytes()).decided.decision is Decision.ACT
    reading = read(with_file(pdf(UNSUBSCRIBE), "a.pdf", PDF))
    assert kinds(reading) == [Kind.UNSUBSCRIBE]
    assert reading.decided.decision is Decision.REVIEW


def test_it_is_less_sure_than_the_same_words_in_the_letter(read: Read) -> None:
    (own,) = read(letter(DELETION).as_bytes()).understanding.asked
    (attached,) = read(with_file(DELETION.encode(), "a.txt", "text/plain")).understanding.asked
    assert attached.confidence < own.confidence


def test_the_letters_own_words_come_first(read: Read) -> None:
    reading = read(with_file(pdf(DELETION), "a.pdf", PDF, f"{DELETION}\nThe same is attached as PDF.\n"))
    (asked,) = reading.understanding.asked
    assert (asked.kind, asked.attachment) == (Kind.DELETION, "")


def test_a_request_in_a_file_nobody_speaks_of_is_not_lost(read: Read) -> None:
    reading = read(with_file(pdf(DELETION), "a.pdf", PDF, UNSUBSCRIBE))
    assert kinds(reading) == [Kind.UNSUBSCRIBE]
    assert ASKS_MORE.format(kind="deletion") in reading.decided.reasons
    assert reading.decided.decision is Decision.REVIEW


def test_a_question_with_a_file_is_not_taken_for_its_cover_note(read: Read) -> None:
    reading = read(with_file(pdf(DELETION), "a.pdf", PDF, "Hello, when does the next webinar begin?\n"))
    assert ASKS_MORE.format(kind="deletion") in reading.understanding.doubts


def test_a_scanned_identity_card_does_not_stand_in_the_way_of_a_clear_letter(read: Read) -> None:
    card = pdf("", stream=b"")
    body = "Please delete my account. A copy of my identity card is attached.\n\nAlice\n"
    reading = read(with_file(card, "card.pdf", PDF, body))
    assert reading.attached[0].said is Reason.NO_TEXT
    assert reading.decided.decision is Decision.CONFIRM


def test_a_scanned_letter_goes_to_staff_with_the_reason(read: Read) -> None:
    reading = read(with_file(pdf("", stream=b""), "letter.pdf", PDF))
    assert any(Reason.NO_TEXT.value in reason for reason in reading.decided.reasons)


def test_a_form_may_hold_the_values_of_a_correction(read: Read) -> None:
    body = "Please correct my data as in the attached letter.\n"
    reading = read(
        with_file(docx("My phone number is wrong, please change it to +49 30 901820."), "a.docx", WORD, body)
    )
    (asked,) = reading.understanding.asked
    assert (asked.kind, asked.attachment) == (Kind.CORRECTION, "a.docx")
    assert [one.field for one in asked.fields] == ["phone"]


def test_ones_own_mail_attached_asks_but_needs_proof(read: Read) -> None:
    reading = read(with_mail(letter(DELETION)))
    assert kinds(reading) == [Kind.DELETION]
    assert reading.decided.decision is Decision.CONFIRM


@pytest.mark.parametrize("sender", ["mallory@example.net", f"{ALICE}, mallory@example.net"])
def test_somebody_elses_mail_attached_asks_nothing(read: Read, sender: str) -> None:
    reading = read(with_mail(letter(DELETION, sender=sender)))
    assert Kind.DELETION not in kinds(reading)
    assert FOREIGN in reading.decided.reasons


def test_a_newsletter_attached_to_a_clear_letter_changes_nothing(read: Read) -> None:
    newsletter = letter("Offers!\n\nTo delete your account click here.\n", sender="news@example.com")
    assert read(with_mail(newsletter, UNSUBSCRIBE)).decided.decision is Decision.ACT


def test_words_deleted_or_hidden_in_a_document_are_not_read(read: Read) -> None:
    body = (
        "<w:p><w:r><w:t>Hello</w:t></w:r><w:del><w:r><w:delText>secret</w:delText></w:r></w:del>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:tab/><w:t>there</w:t></w:r></w:p>"
    )
    (file,) = read(with_file(docx("", body=body), "a.docx", WORD)).attached
    assert file.said == AttachedText("Hello\tthere")


def test_words_broken_at_the_end_of_a_line_are_joined(read: Read) -> None:
    (file,) = read(with_file(pdf("bitte lö-\nschen Sie den E-\nMail-Verteiler"), "a.pdf", PDF)).attached
    assert isinstance(file.said, AttachedText)
    assert "löschen" in file.said.text


def test_a_file_that_is_protected_by_nobodys_password_is_read(read: Read) -> None:
    assert kinds(read(with_file(pdf(DELETION, password="x"), "a.pdf", PDF))) == [Kind.OTHER]
    everybodys = read(with_file(pdf(DELETION, owner_password="x"), "a.pdf", PDF))
    assert kinds(everybodys) == [Kind.DELETION]


@pytest.mark.parametrize("smime_type", ["signed-data", ""])
def test_a_letter_packed_into_its_signature_is_read_like_any_other(read: Read, smime_type: str) -> None:
    reading = read(packed(signed(DELETION), smime_type))
    assert reading.new_text.startswith("Dear team,")
    assert reading.decided.decision is Decision.CONFIRM
    assert reading.understanding.asked[0].attachment == ""


def test_a_file_beside_a_letter_that_is_packed_into_its_signature_is_read(read: Read) -> None:
    inner = letter()
    inner.add_attachment(pdf(DELETION), maintype="application", subtype="pdf", filename="a.pdf")
    reading = read(packed(signed(entity=inner.as_bytes())))
    assert [(one.kind, one.attachment) for one in reading.understanding.asked] == [(Kind.DELETION, "a.pdf")]
    assert reading.sender.address == ALICE


def test_a_sender_inside_the_signature_is_not_believed(read: Read) -> None:
    inner = letter(DELETION, sender="mallory@example.net")
    reading = read(packed(signed(entity=inner.as_bytes())))
    assert reading.sender.address == ALICE
    assert [one.address for one in reading.mail.from_] == [ALICE]


PGP_MIME = (
    b"From: alice@example.org\r\nSubject: x\r\nContent-Type: multipart/signed; boundary=b; micalg=pgp-sha256; "
    b'protocol="application/pgp-signature"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n%s\r\n--b\r\n'
    b"Content-Type: application/pgp-signature; name=signature.asc\r\n\r\nx\r\n--b--\r\n"
)
INLINE = (
    "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{}\n"
    "-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n"
)


@pytest.mark.parametrize(
    "raw",
    [
        PGP_MIME % DELETION.encode(),
        PGP_MIME.replace(b"pgp-signature", b"pkcs7-signature") % DELETION.encode(),
        letter(INLINE.format(DELETION)).as_bytes(),
        letter(f"\n\n{INLINE.format(DELETION)}").as_bytes(),
    ],
)
def test_a_signed_letter_is_read_like_any_other(read: Read, raw: bytes) -> None:
    reading = read(raw)
    assert reading.decided.decision is Decision.CONFIRM
    assert reading.understanding.doubts == ()
    assert "PGP" not in reading.new_text


PGP_SEALED = (
    b"From: alice@example.org\r\nSubject: Delete my account\r\nContent-Type: multipart/encrypted; boundary=b; "
    b'protocol="application/pgp-encrypted"\r\n\r\n--b\r\nContent-Type: application/pgp-encrypted\r\n\r\n'
    b"Version: 1\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n--b--\r\n"
)


@pytest.mark.parametrize(
    "raw",
    [
        packed(enveloped(DELETION), "enveloped-data"),
        packed(enveloped(DELETION), ""),
        PGP_SEALED,
        letter(
            "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n", "Delete my account"
        ).as_bytes(),
    ],
)
def test_an_encrypted_letter_goes_to_staff_with_that_reason(read: Read, raw: bytes) -> None:
    reading = read(raw)
    assert reading.decided.decision is Decision.REVIEW
    assert reading.decided.reasons[0] == LETTER_ENCRYPTED


@pytest.mark.parametrize(
    ("content", "name", "content_type", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "photo.png", "image/png", FileKind.PICTURE),
        (b"ID3" + bytes(99), "voice.mp3", "audio/mpeg", FileKind.PICTURE),
        (b"\x78\x9f\x3e\x22" + bytes(99), "winmail.dat", "application/ms-tnef", FileKind.TNEF),
        (zipped({"a.txt": b"delete my account"}), "a.zip", "application/zip", FileKind.OTHER),
    ],
)
def test_other_files_are_kept_unread_and_a_letter_that_only_speaks_of_them_goes_to_staff(
    read: Read, content: bytes, name: str, content_type: str, kind: FileKind
) -> None:
    reading = read(with_file(content, name, content_type))
    (file,) = reading.attached
    assert (file.name, file.kind, file.understanding) == (name, kind, None)
    assert any(reason.startswith(f"An attached {kind} cannot be read") for reason in reading.decided.reasons)
