"""A mail is read whatever is broken in it, and never raises."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzz.invariants import parse_is_whole
from mailbot.core.message import ParsedMail, Unreadable
from mailbot.core.parse import parse

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpora"
HEAD = b"From: Alice <alice@example.org>\nTo: privacy@example.com\nSubject: x\n"
MAX_SECONDS_A_MAIL = 5.0


def read(raw: bytes) -> ParsedMail:
    mail = parse(raw)
    assert isinstance(mail, ParsedMail), mail
    return mail


def letter(content_type: str, body: bytes, encoding: str = "8bit") -> ParsedMail:
    return read(
        HEAD + f"Content-Type: {content_type}\nContent-Transfer-Encoding: {encoding}\n\n".encode() + body
    )


@given(st.binary(max_size=2_000))
@example(b"")
@example(b"\x00" * 1000)
@example(b'From: a@b\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n--b\r\n--b--')
def test_parse_never_raises_on_any_bytes(raw: bytes) -> None:
    parse_is_whole(raw)


FRAGMENTS = [
    b"From: ",
    b"Alice <alice@example.org>",
    b"\n",
    b"\r\n",
    b"\r",
    b" ",
    b"Subject: ",
    b"=?utf-8?q?",
    b"?=",
    b"=?koi8-r?b?",
    b"Content-Type: ",
    b"multipart/alternative; boundary=b",
    b'multipart/mixed; boundary="b"',
    b"text/html; charset=",
    b"utf-16",
    b"--b",
    b"--b--",
    b"<div>",
    b"</",
    b"hidden",
    b"Content-Transfer-Encoding: base64\n",
    b"aGVsbG8=",
    b"=E9",
    b"\xff",
    b"\x00",
    b"name*0*=utf-8''",
    b"%E4",
    b";",
    b'"',
    b"(",
    b"\\",
    b"format=flowed",
    b"message/rfc822",
    b"-----BEGIN PGP SIGNED MESSAGE-----\n",
]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=60).map(b"".join))
def test_parse_never_raises_on_pieces_of_mails(raw: bytes) -> None:
    parse_is_whole(raw)


def test_every_file_of_the_development_corpus_is_read_or_refused_with_a_reason() -> None:
    for path in sorted(path for path in CORPUS.rglob("*") if path.is_file()):
        start = time.perf_counter()
        mail = parse(path.read_bytes())
        assert time.perf_counter() - start < MAX_SECONDS_A_MAIL, path.name
        if isinstance(mail, Unreadable):
            assert mail.reason
            assert not mail.reason.startswith("internal"), path.name


@pytest.mark.parametrize(
    "raw", [b"", b" \r\n\r\n", b"\x00" * 5000, b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 50]
)
def test_what_holds_no_mail_is_unreadable(raw: bytes) -> None:
    assert isinstance(parse(raw), Unreadable)


# Characters


@pytest.mark.parametrize(
    ("charset", "words"),
    [
        ("utf-8", "Удалите мой аккаунт"),
        ("koi8-r", "Удалите мой аккаунт"),
        ("windows-1251", "Удалите мой аккаунт"),
        ("iso-8859-5", "Удалите"),
        ("koi8-u", "Видаліть мій"),
        ("gb2312", "删除我的帐户"),
        ("iso-8859-2", "Usuń moje dane, proszę"),
        ("windows-1257", "Ištrinkite mano paskyrą"),
        ("iso-8859-1", "Löschen Sie"),
        ("iso-2022-jp", "削除してください"),
        ("utf-16", "Delete – now"),
        ("Windows-1252", "„Löschen“"),
        ("shift_jis", "削除してください"),
        ("iso-8859-15", "5 € zurück"),
    ],
)
def test_a_letter_is_read_in_its_charset(charset: str, words: str) -> None:
    assert letter(f'text/plain; charset="{charset}"', words.encode(charset)).text.strip() == words


@pytest.mark.parametrize(
    "label", ["", "us-ascii", "x-unknown", "utf-8", "../../etc", "zlib", "unicode_escape", "utf-7"]
)
def test_a_wrong_charset_label_loses_no_words(label: str) -> None:
    words = "Bonjour, été à Genève"
    assert letter(f"text/plain; charset={label}", words.encode("windows-1252")).text == words
    assert letter(f"text/plain; charset={label}", words.encode()).text == words


@pytest.mark.parametrize("charset", ["koi8-r", "windows-1251"])
def test_cyrillic_without_a_label_is_still_read(charset: str) -> None:
    words = "Здравствуйте, удалите, пожалуйста, мой аккаунт"
    assert letter("text/plain", words.encode(charset)).text == words


def test_utf7_is_refused() -> None:
    mail = letter("text/plain; charset=utf-7", b"+ADw-script+AD4-")
    assert mail.text == "+ADw-script+AD4-"
    assert "charset utf-7 is refused" in mail.defects


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"=?utf-8?q?L=C3=B6schen?=", "Löschen"),
        (b"=?utf-8?B?TMO2c2NoZW4=?=", "Löschen"),
        (b"=?utf-8?B?TMO?= =?utf-8?B?tnNjaGVu?=", "Löschen"),
        (b"=?utf-8?q?L=C3?=\n =?utf-8?q?=B6schen?=", "Löschen"),
        (b"=?utf-8?q?a b c?= d", "a b c d"),
        (b"=?utf-8?q?a_b?= c =?utf-8?q?d?=", "a b c d"),
        (b"Re: =?iso-8859-1*fr?q?=E9t=E9?=", "Re: été"),
        (b"=?x-unknown?q?abc?=", "abc"),
        (b"=?utf-8?q?without end", "=?utf-8?q?without end"),
        (b"=?utf-8?B?TMO2c2NoZW4?=", "Löschen"),
        ("Löschen".encode(), "Löschen"),
        ("Löschen".encode("latin-1"), "Löschen"),
        (b"folded\r\n  over\r\n\tlines", "folded  over\tlines".replace("\t", " ")),
    ],
)
def test_a_subject_is_decoded_however_it_is_encoded(value: bytes, words: str) -> None:
    assert read(b"From: a@example.org\nSubject: " + value + b"\n\nhi").subject == words


# Lines and headers


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b"\r\r\n"])
def test_every_kind_of_line_end_is_understood(end: bytes) -> None:
    mail = read((HEAD + b"\nDelete my account\n").replace(b"\n", end))
    assert [sender.address for sender in mail.from_] == ["alice@example.org"]
    assert mail.text.strip() == "Delete my account"


def test_a_mail_without_an_empty_line_keeps_its_letter() -> None:
    mail = read(HEAD + b"Please delete my account\nAlice")
    assert mail.text == "Please delete my account\nAlice"
    assert "no blank line between header and body" in mail.defects


def test_a_mail_without_any_header_keeps_its_letter() -> None:
    mail = read(b"Please delete my account\n")
    assert mail.text.strip() == "Please delete my account"
    assert "from: missing" in mail.defects


def test_an_mbox_line_and_a_byte_order_mark_are_skipped() -> None:
    assert read(b"From alice Sat Jan  3 01:05:34 2026\n" + HEAD + b"\nhi").from_
    assert read(b"\xef\xbb\xbf\r\n" + HEAD + b"\nhi").from_


def test_ids_and_recipients_are_read() -> None:
    mail = read(
        b"Message-ID: <1@example.org>\nIn-Reply-To: <2@example.com> (x)\nReferences: <3@a>\n <2@example.com>\n"
        b"Delivered-To: confirm+t0ken@example.com\nCc: Hugo <hugo@Example.NET>\n" + HEAD + b"\nyes"
    )
    assert (mail.message_id, mail.in_reply_to) == ("<1@example.org>", "<2@example.com>")
    assert mail.references == ("<3@a>", "<2@example.com>")
    assert [one.address for one in mail.recipients] == [
        "confirm+t0ken@example.com",
        "hugo@example.net",
        "privacy@example.com",
    ]


# From


@pytest.mark.parametrize(
    ("value", "name", "address"),
    [
        (b"alice@example.org", "", "alice@example.org"),
        (b"Alice <Alice@Example.ORG>", "Alice", "Alice@example.org"),
        (b'"Doe, Alice" <alice@example.org>', "Doe, Alice", "alice@example.org"),
        (b"alice@example.org (Alice)", "Alice", "alice@example.org"),
        (b"=?utf-8?q?Al=C3=ADce?= <alice@example.org>", "Alíce", "alice@example.org"),
        (b'"bank@example.com" <mallory@example.net>', "bank@example.com", "mallory@example.net"),
        (b"bank@example.com <mallory@example.net>", "bank@example.com", "mallory@example.net"),
        (b'"alice b"@example.org', "", '"alice b"@example.org'),
        (b"<alice+tag@example.org>", "", "alice+tag@example.org"),
        ("Ačiū <ačiū@paštas.lt>".encode(), "Ačiū", "ačiū@paštas.lt"),
    ],
)
def test_a_sound_from_gives_one_address(value: bytes, name: str, address: str) -> None:
    mail = read(b"From: " + value + b"\n\nhi")
    assert [(one.name, one.address) for one in mail.from_] == [(name, address)]
    assert not [defect for defect in mail.defects if defect.startswith("from:")]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"Alice",
        b"<>",
        b"alice@",
        b"@example.org",
        b"alice@example..org",
        b"a..b@example.org",
        b".a@example.org",
        b"alice@example.org <mallory@example.net",
        b"<alice@example.org> <mallory@example.net>",
        b"Alice alice@example.org",
        b"<alice@example.org> mallory@example.net",
        b"=?utf-8?q?alice=40example.org?=",
        b"=?utf-8?q?alice?=@example.org",
        b"<@relay.example:alice@example.org>",
        b"alice@[192.0.2.1]",
        b"alice@exam\x00ple.org",
        b"alice@example.org\x00@example.net",
        b'"a@b"@example.org',
        b"alice@example.org@example.net",
        b"(unended <alice@example.org>",
        b"friends: alice@example.org;",
        b"alice@-example.org",
        b"alice@example.org, <mallory",
        b"a" * 70 + b"@example.org",
    ],
)
def test_a_doubtful_from_is_a_defect(value: bytes) -> None:
    mail = read(b"From: " + value + b"\nSubject: x\n\nhi")
    assert any(defect.startswith("from:") for defect in mail.defects)


def test_several_from_fields_are_all_seen() -> None:
    mail = read(b"From: alice@example.org\nFrom : mallory@example.net\n\nhi")
    assert [one.address for one in mail.from_] == ["alice@example.org", "mallory@example.net"]
    assert "from: several fields" in mail.defects


def test_a_from_below_a_broken_line_is_a_defect() -> None:
    mail = read(b"Subject: x\nnot a field\nFrom: alice@example.org\n\nhi")
    assert any(defect.startswith("from:") for defect in mail.defects)


# Parts


def parts(subtype: str, *children: bytes, closed: bool = True) -> ParsedMail:
    body = b"".join(b"--b\r\n" + child + b"\r\n" for child in children) + (b"--b--\r\n" if closed else b"")
    return read(HEAD + f"Content-Type: multipart/{subtype}; boundary=b\n\n".encode() + body)


PLAIN = b"Content-Type: text/plain\r\n\r\nplain words"
HTML = b"Content-Type: text/html\r\n\r\n<p>html words</p>"
PDF = b"Content-Type: application/pdf; name=x.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA"


def test_the_plain_version_is_preferred_where_it_says_something() -> None:
    assert parts("alternative", PLAIN, HTML).text == "plain words"
    assert parts("alternative", PLAIN, HTML).html is None
    assert parts("alternative", b"Content-Type: text/plain\r\n\r\n \r\n", HTML).text == "html words"
    stub = b"Content-Type: text/plain\r\n\r\nPlease use an HTML capable mail program."
    assert parts("alternative", stub, HTML).text == "html words"
    assert parts("alternative", stub).text.startswith("Please use")


@pytest.mark.parametrize("subtype", ["mixed", "related", "signed", "report"])
def test_the_letter_is_found_in_every_kind_of_multipart(subtype: str) -> None:
    mail = parts(subtype, PLAIN, PDF)
    assert mail.text == "plain words"
    assert [one.filename for one in mail.attachments] == ["x.pdf"]


def test_an_attachment_can_be_cut_out_by_its_offsets() -> None:
    raw = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b\n" + PDF + b"\n--b--\n"
    part = read(raw).attachments[0]
    assert raw[part.start : part.end] == b"AAAA"


@pytest.mark.parametrize(
    "other",
    [
        b"Content-Type: message/rfc822\r\n\r\nFrom: m@example.org\r\n\r\ndelete my account",
        b"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\ndelete my account",
        b"Content-Type: text/plain; name=notes.txt\r\nContent-Disposition: inline\r\n\r\ndelete my account",
        b"Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\ndelete my account",
    ],
)
def test_what_is_attached_is_not_the_letter(other: bytes) -> None:
    mail = parts("mixed", PLAIN, other)
    assert mail.text == "plain words"
    assert len(mail.attachments) == 1


def test_nested_and_unclosed_parts_are_read() -> None:
    inner = (
        b"Content-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\n" + PLAIN + b"\r\n--bb\r\n" + HTML
    )
    assert parts("mixed", inner, PDF, closed=False).text == "plain words"


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/encrypted; protocol=x; boundary=b",
        "application/pkcs7-mime; smime-type=enveloped-data",
        "application/x-pkcs7-mime; smime-type=authEnveloped-data",
    ],
)
def test_an_encrypted_mail_says_so(content_type: str) -> None:
    mail = letter(content_type, b"--b\n\nVersion: 1\n--b\n\nxxx\n--b--\n")
    assert mail.text == ""
    assert "encrypted" in mail.defects


@pytest.mark.parametrize(
    "content_type",
    [
        "application/pkcs7-mime; smime-type=signed-data",
        "application/x-pkcs7-mime",
        "application/octet-stream; name=smime.p7m",
    ],
)
def test_a_letter_packed_into_a_signed_message_says_so(content_type: str) -> None:
    mail = letter(content_type, b"MIIB")
    assert "signed and packed" in mail.defects
    assert len(mail.attachments) == 1


def test_only_the_signed_words_lose_their_dashes_and_what_stands_around_stays() -> None:
    frame = "\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nfirst\n- -- Alice\n-----BEGIN PGP SIGNATURE-----"
    body = f"- a list\n{frame}\n\nabc\n-----END PGP SIGNATURE-----\n- a footer\n"
    assert (
        letter("text/plain", body.encode()).text
        == "- a list\n\nfirst\n- -- Alice\n".replace("- --", "--") + "\n- a footer\n"
    )


def test_a_letter_of_nothing_but_beginnings_of_signed_words_is_read_in_time() -> None:
    body = "-----BEGIN PGP SIGNED MESSAGE-----\n\nx\n" * 20_000
    started = time.perf_counter()
    letter("text/plain", body.encode())
    assert time.perf_counter() - started < 2


def test_a_clear_signed_letter_loses_its_frame() -> None:
    body = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nhi\n- -- Alice\n-----BEGIN PGP SIGNATURE-----\nx\n"
    assert letter("text/plain", body).text == "hi\n-- Alice\n"


@pytest.mark.parametrize(
    ("field", "name"),
    [
        (b"attachment; filename*=utf-8''na%C3%AFve.pdf", "naïve.pdf"),
        (b"attachment; filename*0=long; filename*1=name.pdf", "longname.pdf"),
        (b"attachment; filename*0*=utf-8''%C3%A9; filename*1*=%C3%A9.pdf", "éé.pdf"),
        (b'attachment; filename="=?utf-8?q?=C3=A9.pdf?="', "é.pdf"),
        (b'attachment; filename="a \\"b\\".pdf"', 'a "b".pdf'),
    ],
)
def test_file_names_are_decoded(field: bytes, name: str) -> None:
    part = b"Content-Type: application/pdf\r\nContent-Disposition: " + field + b"\r\n\r\nx"
    assert parts("mixed", PLAIN, part).attachments[0].filename == name


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        ("base64", b"RGVsZXRlIG15IGFjY291bnQ=", "Delete my account"),
        ("base64", b"RGVsZXRlIG15IGFjY291bnQ", "Delete my account"),
        ("BASE64", b"RGVsZXRl\r\nIG15IGFjY291bnQ=\r\n", "Delete my account"),
        ("base64", b"Please delete my account, I said.", "Please delete my account, I said."),
        ("quoted-printable", b"D=C3=A9l=\r\n=C3=A9te =ZZ", "Déléte =ZZ"),
        ("x-odd", b"Delete", "Delete"),
    ],
)
def test_transfer_encodings_are_undone(encoding: str, body: bytes, text: str) -> None:
    assert letter("text/plain; charset=utf-8", body, encoding).text == text


def test_flowed_text_is_joined() -> None:
    flowed = b"Please delete \nmy account. \n\n> quoted \n> text\n-- \nAlice"
    assert (
        letter("text/plain; format=flowed", flowed).text
        == "Please delete my account. \n> quoted text\n-- \nAlice"
    )
    assert letter("text/plain; format=flowed; delsp=yes", b"dele \nte").text == "delete"


def test_absurd_nesting_is_read_as_far_as_it_goes() -> None:
    body = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (depth, depth) for depth in range(500)
    )
    mail = read(HEAD + body + b"\n\nhi")
    assert "more parts or deeper nesting than is read" in mail.defects


def test_a_first_line_with_a_space_before_its_colon_is_a_sender_not_an_mbox_line() -> None:
    mail = parse(b"From : mallory@example.net\r\nFrom: alice@example.org\r\nSubject: x\r\n\r\nhi\r\n")
    assert isinstance(mail, ParsedMail)
    assert [one.address for one in mail.from_] == ["mallory@example.net", "alice@example.org"]
    assert "from: several fields" in mail.defects
