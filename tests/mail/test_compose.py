"""A mail written by hand reads back, by the standard library, exactly as it was meant."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.headerregistry import AddressHeader
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailbot.mail.compose import OutgoingMail, compose, new_message_id, writable_address

MAIL = OutgoingMail(
    from_name="MyOwnConference",
    from_address="privacy@myownconference.com",
    to="alice@example.org",
    subject="Please confirm your request [MB-2026-000042]",
    text="Hello,\n\nplease confirm.\n",
    html="<p>Hello,</p>\n<p>please confirm.</p>\n",
    message_id="<00112233445566778899aabbccddeeff.mailbot@myownconference.com>",
    date=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
    reference="MB-2026-000042",
    reply_to="privacy+a1b2c3d4e5f6@myownconference.com",
    in_reply_to="<alices-mail@example.org>",
    references=("<first@example.org>",),
)
KNOWN_HEADERS = {
    *("from", "to", "reply-to", "subject", "date", "message-id", "in-reply-to", "references"),
    *("auto-submitted", "x-auto-response-suppress", "x-mailbot-reference", "content-language"),
    *("list-unsubscribe", "list-unsubscribe-post", "mime-version", "content-type"),
}
LONG_TOKEN = "https://privacy.myownconference.com/u/" + "A1b2-C3d4_" * 20

hostile_lines = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(list('\r\n\t\x00\x0b\x0c\x1c\x85\u2028=?_<>@":;,\\.()[] aüжШ😀\udc80')),
    ),
    max_size=400,
)


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, subtype: str) -> str:
    found = message.get_body((subtype,))
    assert isinstance(found, EmailMessage)
    content = found.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def head_lines(raw: bytes) -> list[bytes]:
    return raw.partition(b"\r\n\r\n")[0].split(b"\r\n")


def test_every_header_of_the_contract_is_there() -> None:
    """Machines are told that a machine writes, people get the reference, the thread is kept."""
    message = parsed(compose(MAIL))
    assert {key.lower(): str(value) for key, value in message.items()} == {
        "from": "MyOwnConference <privacy@myownconference.com>",
        "to": "alice@example.org",
        "reply-to": "privacy+a1b2c3d4e5f6@myownconference.com",
        "subject": "Please confirm your request [MB-2026-000042]",
        "date": "Mon, 02 Mar 2026 09:30:00 +0000",
        "message-id": "<00112233445566778899aabbccddeeff.mailbot@myownconference.com>",
        "in-reply-to": "<alices-mail@example.org>",
        "references": "<first@example.org> <alices-mail@example.org>",
        "auto-submitted": "auto-replied",
        "x-auto-response-suppress": "All",
        "x-mailbot-reference": "MB-2026-000042",
        "mime-version": "1.0",
        "content-type": message["content-type"],
    }


def test_both_parts_read_back_as_written() -> None:
    """Plain text first, HTML second (the last is the best, RFC 2046 §5.1.4)."""
    message = parsed(compose(MAIL))
    assert [p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"]
    assert (part(message, "plain"), part(message, "html")) == (MAIL.text, MAIL.html)


def test_a_resend_is_the_same_mail() -> None:
    """Composing twice gives the same bytes, boundary included."""
    assert compose(MAIL) == compose(replace(MAIL))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Plain and short.\n", "7bit"),
        ("Déjà vu, et une phrase assez longue pour rester lisible.\n", "quoted-printable"),
        ("x" * 2000 + "\n", "quoted-printable"),
        ("Підтвердьте, будь ласка\n", "base64"),
        ("Trailing blanks  \t\nand tabs\tinside.\n", "7bit"),
        ("From here on, servers write >From\n", "base64"),
        (".\n..\n.hidden\n", "7bit"),
    ],
)
def test_the_lightest_safe_encoding_is_chosen(text: str, encoding: str) -> None:
    """Readable text stays readable in the raw mail; nothing a server may alter is sent bare."""
    message = parsed(compose(replace(MAIL, text=text)))
    assert next(message.iter_parts())["content-transfer-encoding"] == encoding
    assert part(message, "plain") == text


@pytest.mark.parametrize(
    "subject",
    [
        "Merci de confirmer votre demande [MB-2026-000042]",
        "Bitte bestätigen Sie Ihre Anfrage / Please confirm your request [MB-2026-000042]",
        "Підтвердьте, будь ласка, ваш запит про видалення облікового запису [MB-2026-000042]",
        "A long English subject that has to be folded at a blank because it does not fit [MB-1]",
        "=?utf-8?q?not_encoded?= is text here [MB-1]",
        "W" * 200,
        "😀" * 60,
    ],
)
def test_subjects_read_back_whole(subject: str) -> None:
    """Whatever the alphabet: one line for the reader, lines of at most 78 bytes on the wire."""
    raw = compose(replace(MAIL, subject=subject))
    assert str(parsed(raw)["subject"]) == subject
    assert max(map(len, head_lines(raw))) <= 78


def test_a_subject_with_line_breaks_adds_no_header() -> None:
    """Mallory's subject stays a subject."""
    raw = compose(replace(MAIL, subject="Hello\r\nBcc: mallory@example.net\r\n\r\n<b>body</b>"))
    assert parsed(raw)["bcc"] is None
    assert str(parsed(raw)["subject"]) == "Hello Bcc: mallory@example.net <b>body</b>"


@pytest.mark.parametrize(
    "message_id",
    [
        "",
        "no-brackets@example.org",
        "<no-at>",
        "<a@b>\r\nBcc: mallory@example.net",
        "<a@b\r\n c>",
        "<a b@c>",
        "<[bad@x>",
        "<" + "a" * 500 + "@example.org>",
        "<a@b><c@d>",
        "<=?utf-8?q?x?=@example.org>",
        "<жук@example.org>",
    ],
)
def test_malformed_message_ids_are_not_repeated(message_id: str) -> None:
    """A stranger's id is either well-formed or left out."""
    message = parsed(compose(replace(MAIL, in_reply_to=message_id, references=(message_id,))))
    assert message["in-reply-to"] is None
    assert message["references"] is None
    assert message["bcc"] is None


def test_a_long_thread_keeps_its_first_and_latest_ids() -> None:
    """References stays bounded, and mail programs still find the thread."""
    ids = tuple(f"<{number}@example.org>" for number in range(500))
    references = str(parsed(compose(replace(MAIL, references=ids)))["references"]).split()
    assert references[0] == "<0@example.org>"
    assert references[-2:] == ["<499@example.org>", "<alices-mail@example.org>"]
    assert len(references) == 12


def test_an_id_is_named_once() -> None:
    """In-Reply-To is usually already the last reference."""
    raw = compose(replace(MAIL, references=("<first@example.org>", "<alices-mail@example.org>")))
    assert str(parsed(raw)["references"]) == "<first@example.org> <alices-mail@example.org>"


def test_a_long_unsubscribe_link_stays_whole() -> None:
    """RFC 8058 needs the URL as it is, however long: never encoded, never cut."""
    links = (LONG_TOKEN, "mailto:unsubscribe+abc@myownconference.com")
    raw = compose(replace(MAIL, list_unsubscribe=links, auto_submitted="auto-generated"))
    assert f"<{LONG_TOKEN}>,\r\n <{links[1]}>\r\n".encode() in raw
    assert str(parsed(raw)["list-unsubscribe"]) == f"<{LONG_TOKEN}>, <{links[1]}>"
    assert str(parsed(raw)["list-unsubscribe-post"]) == "List-Unsubscribe=One-Click"
    assert str(parsed(raw)["auto-submitted"]) == "auto-generated"


@pytest.mark.parametrize(
    "uri", ["https://x/\r\nBcc: a@b", "https://x/ y", "https://x/>,<http://y", "javascript:x"]
)
def test_malformed_unsubscribe_links_are_left_out(uri: str) -> None:
    """No link rather than a broken or foreign one."""
    assert b"List-Unsubscribe" not in compose(replace(MAIL, list_unsubscribe=(uri,)))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Alice Example", "Alice Example"),
        ('Alice "Ace" Example, Inc.', 'Alice "Ace" Example, Inc.'),
        ("Élodie Łukaszewicz", "Élodie Łukaszewicz"),
        ("Alice\r\nBcc: mallory@example.net", "Alice Bcc: mallory@example.net"),
        ("back\\slash", "back\\slash"),
        ("=?utf-8?q?x?=", "=?utf-8?q?x?="),
        ("A very long name " * 8 + "indeed", "A very long name " * 8 + "indeed"),
    ],
)
def test_names_read_back_beside_the_address(name: str, shown: str) -> None:
    """A display name is shown as it is and never changes who gets the mail."""
    raw = compose(replace(MAIL, to_name=name))
    header = parsed(raw)["to"]
    assert isinstance(header, AddressHeader)
    assert [(a.display_name, a.addr_spec) for a in header.addresses] == [(shown, "alice@example.org")]
    assert max(map(len, head_lines(raw))) <= 78


@pytest.mark.parametrize(
    "address",
    [
        *("", "alice", "@example.org", "alice@", "alice@exa mple.org", "a@b@c", "a@[", "a@[127.0.0.1]"),
        *(
            "<a@b.c>",
            "a@b.c, d@e.f",
            "a@b.c\r\nBcc: d@e.f",
            '"a b"@c.d',
            "a..b@c.d",
            ".a@c.d",
            "a@-c.d",
            "a@c..d",
        ),
        *("\udc80@c.d", "a@" + "x" * 300, "a" * 65 + "@c.d", "a\u2028b@c.d", "a(b)@c.d"),
    ],
)
def test_what_is_no_address_is_not_written(address: str) -> None:
    """Such a mail names nobody; the outbox asks first and does not send it."""
    assert writable_address(address) is None
    message = parsed(compose(replace(MAIL, to=address)))
    assert str(message["to"]) == "undisclosed-recipients:;"
    assert message["bcc"] is None


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("alice@example.org", "alice@example.org"),
        ("Alice.O'Hara+news@example.org", "Alice.O'Hara+news@example.org"),
        ("alice@bücher.example", "alice@xn--bcher-kva.example"),
        ("жук@example.org", "жук@example.org"),
    ],
)
def test_addresses_are_written_in_ascii_where_they_can_be(address: str, written: str) -> None:
    """Domains go through IDNA; a local part beyond ASCII stays (SMTPUTF8)."""
    assert writable_address(address) == written


@given(
    subject=hostile_lines, name=hostile_lines, to=hostile_lines, identifier=hostile_lines, text=hostile_lines
)
@example("a" * 500, '"', "a@b", "<a@b>", "\n")
def test_no_input_can_add_or_break_a_header(
    subject: str, name: str, to: str, identifier: str, text: str
) -> None:
    """Whatever anybody writes: only our headers, each once, short lines, two parts, CRLF throughout."""
    mail = replace(MAIL, subject=subject, to_name=name, from_name=name, to=to, in_reply_to=identifier)
    mail = replace(mail, text=text, html=text, reference=identifier, reply_to=to, language=name)
    raw = compose(replace(mail, references=(identifier,), message_id=identifier, list_unsubscribe=(subject,)))
    names = [name.lower() for name in parsed(raw)]
    assert set(names) <= KNOWN_HEADERS
    assert len(names) == len(set(names))
    assert not re.search(rb"[^\r]\n|\r[^\n]", raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert len(list(parsed(raw).iter_parts())) == 2


@given(
    text=st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("\n\t =.äж"), max_size=600)
)
def test_any_letter_reads_back_equal(text: str) -> None:
    """Text and HTML come back character by character, whatever the encoding chosen."""
    message = parsed(compose(replace(MAIL, text=text, html=text)))
    assert part(message, "plain") == part(message, "html") == text.rstrip("\n") + "\n"


@given(
    subject=st.text(
        st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]) | st.just(" "), max_size=250
    )
)
@example("Merci de confirmer votre demande [MB-2026-000042]")
def test_any_subject_reads_back_equal(subject: str) -> None:
    """One line in, the same line out, single blanks."""
    raw = compose(replace(MAIL, subject=subject))
    assert str(parsed(raw)["subject"]) == " ".join(subject.split())
    assert max(map(len, head_lines(raw))) <= 78


def test_message_ids_come_from_randomness_alone() -> None:
    """The same bytes give the same id, which is one that replies may name."""
    random = bytes(range(16))
    message_id = new_message_id(random, "bücher.example")
    assert message_id == "<000102030405060708090a0b0c0d0e0f.mailbot@xn--bcher-kva.example>"
    assert str(parsed(compose(replace(MAIL, in_reply_to=message_id)))["in-reply-to"]) == message_id


@pytest.mark.parametrize(
    ("random", "domain"), [(b"short", "example.org"), (bytes(16), "no domain"), (bytes(16), "")]
)
def test_a_guessable_or_broken_message_id_is_refused(random: bytes, domain: str) -> None:
    """Too little randomness, or no domain, is a broken configuration."""
    with pytest.raises(ValueError, match="Message-ID"):
        new_message_id(random, domain)
