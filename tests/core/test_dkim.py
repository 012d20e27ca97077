"""A DKIM signature proves a mail exactly when it is valid, whole, in force, and covers what we act on."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dkim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.dkim import BadSignature, SignatureResult, State, read_signatures, verify
from mailbot.core.dns_answer import DnsFailure, NoTxt, TxtRecords
from mailbot.core.raw_mail import split_mail
from tests.core.signing import RELAXED, Zone, ed25519_record, rsa_record, sign, sign_freely

NOW = datetime.now(UTC)
"""The real time: dkimpy, which signs here, reads the clock itself."""
KEY = "s._domainkey.example.org"
MAIL = (
    b"From: Alice <alice@example.org>\r\nTo: privacy@example.com\r\nSubject: delete\r\n my account\r\n"
    b"Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nPlease  delete it.\r\n\r\n"
)
AUTH_CORPORA = Path(__file__).parents[2].parent / "shared" / "corpora" / "auth"


def judge(raw: bytes, record: bytes | None = None, now: datetime = NOW) -> SignatureResult:
    """The topmost signature of `raw` judged with `record` (default: the RSA key) published."""
    mail = split_mail(raw)
    signature = next(iter(read_signatures(mail, 1)), BadSignature("", "there is none"))
    if isinstance(signature, BadSignature):
        return SignatureResult(signature.domain, State.INVALID, (signature.reason,))
    return verify(signature, mail, Zone({KEY: record or rsa_record()}), now)


def dkimpy_says(raw: bytes, record: bytes) -> bool:
    """dkimpy's verdict on the topmost signature; what makes it stumble is not valid."""
    try:
        return bool(dkim.verify(raw, dnsfunc=lambda name, timeout=5: record))
    except Exception:  # noqa: BLE001 - it raises whatever the mail made it stumble over
        return False


WORDS = ["please", "delete", "mon", "compte", "  ", "\t", "für", "immer", ".", "=3D", "x" * 70]


def random_mail(chance: random.Random) -> bytes:
    """A small mail with folds, odd spaces, repeated fields, and any kind of ending."""
    fields = [
        f"From: Alice {chance.choice(['', ' ', chr(9)])}<alice@example.org>",
        chance.choice(["To: privacy@example.com", "TO:\r\n privacy@example.com "]),
        "Subject: " + chance.choice(["", " ", "\r\n "]).join(chance.choices(WORDS[:4], k=5)),
        "Date: Sun, 22 Nov 2026 10:00:00 +0000",
        *[f"Received: from a{n}\r\n\tby b; now" for n in range(chance.randrange(3))],
        *[f"X-Note: {n}" for n in range(chance.randrange(3))],
    ]
    chance.shuffle(fields)
    lines = [" ".join(chance.choices(WORDS, k=chance.randrange(9))) for _ in range(chance.randrange(12))]
    ending = chance.choice(["", "\r\n", "\r\n\r\n\r\n", " \r\n", "\r\n \r\n\t\r\n"]) if lines else ""
    body = "\r\n".join(lines) + (ending or "\r\n" if lines else chance.choice(["", "\r\n", "\r\n\r\n"]))
    raw = ("\r\n".join(fields) + "\r\n\r\n" + body).encode()
    return raw.replace(b"\r\n", b"\n") if chance.random() < 0.3 else raw


def flip_a_byte(raw: bytes, chance: random.Random) -> bytes:
    """One printable byte becomes another."""
    places = [at for at, byte in enumerate(raw) if 65 <= byte <= 122]
    at = chance.choice(places)
    return raw[:at] + bytes([chance.choice(b"abcXYZ019")]) + raw[at + 1 :]


def add_a_field(raw: bytes, chance: random.Random) -> bytes:
    """Another field on top or at the end of the header."""
    newline = b"\r\n" if b"\r\n" in raw else b"\n"
    added = (
        chance.choice([b"Subject: other", b"From: mallory@example.net", b"X-Note: new", b"Received: by c"])
        + newline
    )
    head, empty, body = raw.partition(newline * 2)
    return added + raw if chance.random() < 0.5 else head + newline + added.rstrip() + empty + body


def change_spaces(raw: bytes, chance: random.Random) -> bytes:
    """A run of spaces longer or shorter somewhere."""
    places = [found.start() for found in re.finditer(rb"(?<=[a-z]) (?=[a-z])", raw)]
    if not places:
        return raw
    at = chance.choice(places)
    return raw[:at] + chance.choice([b"  ", b"\t", b""]) + raw[at + 1 :]


def change_the_end(raw: bytes, chance: random.Random) -> bytes:
    """Empty lines or text at the end."""
    newline = b"\r\n" if b"\r\n" in raw else b"\n"
    return raw + chance.choice([newline, newline * 3, b"more" + newline, b" " + newline])


def turn_line_ends(raw: bytes, chance: random.Random) -> bytes:
    """CRLF becomes LF, as in a maildir, or back."""
    return raw.replace(b"\r\n", b"\n") if b"\r\n" in raw else raw.replace(b"\n", b"\r\n")


MUTATIONS: list[Callable[[bytes, random.Random], bytes]] = [
    flip_a_byte,
    add_a_field,
    change_spaces,
    change_the_end,
    turn_line_ends,
]


@pytest.mark.parametrize("seed", range(8))
def test_the_verdict_is_dkimpys(seed: int) -> None:
    """Over signed mails of every form, whole and tampered with, we say valid exactly where dkimpy does."""
    chance = random.Random(seed)
    seen = {True: 0, False: 0}
    for _ in range(60):
        algorithm, record = chance.choice(
            [(b"rsa-sha256", rsa_record()), (b"ed25519-sha256", ed25519_record())]
        )
        canonical = (chance.choice([b"simple", b"relaxed"]), chance.choice([b"simple", b"relaxed"]))
        names = [
            "from",
            "subject",
            "to",
            "date",
            *chance.sample(["x-note", "x-note", "from", "subject", "cc"], k=3),
        ]
        original = random_mail(chance)
        signed = sign(original, "example.org", names=names, canonical=canonical, algorithm=algorithm)
        for raw in (signed, *(mutate(signed, chance) for mutate in MUTATIONS)):
            ours, theirs = judge(raw, record).state is State.VALID, dkimpy_says(raw, record)
            assert ours == theirs, (raw, canonical, algorithm)
            seen[ours] += 1
    assert min(seen.values()) > 50


@pytest.mark.parametrize(
    "canonical", [RELAXED, (b"simple", b"simple"), (b"relaxed", b"simple"), (b"simple", b"relaxed")]
)
@pytest.mark.parametrize(
    "body",
    [b"", b"\r\n", b"\r\n\r\n", b"a", b"a \r\n", b" \r\n\t\r\n", b"a\r\r\n", b"\r", b"a\tb  c\r\n\r\n"],
)
def test_every_ending_of_a_body_is_canonical(canonical: tuple[bytes, bytes], body: bytes) -> None:
    """Empty, blank and unfinished bodies verify in each canonicalisation."""
    head = MAIL.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    signed = sign(head + body, "example.org", canonical=canonical)
    assert judge(signed).state is State.VALID


def weak_or_worse(raw: bytes, record: bytes | None = None, now: datetime = NOW) -> State:
    """The state of a signature that is expected not to prove anything."""
    result = judge(raw, record, now)
    assert result.notes
    return result.state


def test_a_partly_signed_body_proves_nothing() -> None:
    """l= verifies, with or without text appended, and is never proof."""
    signed = sign(MAIL, "example.org", length=True)
    assert dkimpy_says(signed + b"Delete Vera too.\r\n", rsa_record())
    assert weak_or_worse(signed) is State.WEAK
    assert weak_or_worse(signed + b"Delete Vera too.\r\n") is State.WEAK
    assert weak_or_worse(signed.replace(b"Please", b"Never ")) is State.INVALID


def test_an_old_algorithm_proves_nothing() -> None:
    """rsa-sha1 is not verified at all (RFC 8301)."""
    assert weak_or_worse(sign(MAIL, "example.org", algorithm=b"rsa-sha1")) is State.INVALID


def test_a_short_key_is_noted_and_a_shorter_one_refused() -> None:
    """Below 2048 bits is noted, below 1024 refused (RFC 8301)."""
    assert judge(sign(MAIL, "example.org")).notes == ("the key has only 1024 bits",)
    assert judge(sign(MAIL, "example.org", bits=2048), rsa_record(2048)) == SignatureResult(
        "example.org", State.VALID
    )


@pytest.mark.parametrize(
    ("tags", "hours", "state"),
    [
        ({}, 0, State.VALID),
        ({"t": -1}, 0, State.VALID),
        ({"t": 9}, 0, State.VALID),
        ({"t": 11}, 0, State.INVALID),
        ({"x": 1}, 0, State.VALID),
        ({"x": 1}, 2, State.WEAK),
        ({"t": -3, "x": -1}, 0, State.WEAK),
        ({"t": -1, "x": -1}, 0, State.INVALID),
        ({"t": -1, "x": -2}, 0, State.INVALID),
    ],
)
def test_times_are_honoured(tags: dict[str, int], hours: int, state: State) -> None:
    """A signature from the future or with its end before its beginning is invalid; an expired one proves nothing."""
    now = NOW + timedelta(hours=hours)
    times = {name: str(int((NOW + timedelta(hours=value)).timestamp())) for name, value in tags.items()}
    assert judge(sign_freely(MAIL, times), now=now).state is state


@pytest.mark.parametrize(
    "tags",
    [
        {"v": "2"},
        {"v": None},
        {"d": None},
        {"h": "to:subject:date"},
        {"i": "@example.net"},
        {"i": "alice@notexample.org"},
        {"i": "alice@example.org.example.net"},
        {"q": "http"},
        {"c": "nowsp/simple"},
        {"a": "rsa-sha512"},
        {"a": "ed25519-sha256"},
        {"t": "soon"},
        {"x": "-5"},
        {"x": "9" * 400},
        {"l": "-1"},
        {"s": "a b"},
        {"s": "x" * 300},
        {"d": "org"},
        {"d": "example..org"},
        {"d": "exämple.org"},
        {"z z": "space in a name"},
    ],
)
def test_a_wrong_tag_makes_a_signature_nothing(tags: dict[str, str | None]) -> None:
    """Even when the cryptography fits, as it does here, a malformed or foreign tag is refused."""
    assert judge(sign_freely(MAIL, tags)).state is State.INVALID


def test_a_tag_may_not_come_twice() -> None:
    """A repeated tag could mean either (RFC 6376 §3.2)."""
    raw = sign_freely(MAIL, {})
    assert judge(raw).state is State.VALID
    assert judge(raw.replace(b"; d=example.org", b"; d=example.org; d=example.net")).state is State.INVALID
    assert judge(sign_freely(MAIL, {"n; d": "example.org"})).state is State.INVALID


def test_only_what_is_signed_can_ask() -> None:
    """A signature that leaves the subject open proves nothing: the subject can ask for deletion."""
    assert judge(sign(MAIL, "example.org", names=("from", "to"))).state is State.WEAK


@pytest.mark.parametrize("where", ["top", "bottom"])
@pytest.mark.parametrize("field", [b"From: mallory@example.net\r\n", b"from : mallory@example.net\r\n"])
def test_a_second_from_breaks_every_signature(where: str, field: bytes) -> None:
    """Whether h= names From once or twice, and wherever the second one is put."""
    for names in (("from", "subject"), ("from", "subject", "from")):
        signed = sign(MAIL, "example.org", names=names)
        raw = field + signed if where == "top" else signed.replace(b"\r\n\r\n", b"\r\n" + field + b"\r\n", 1)
        assert judge(raw).state is State.INVALID


def test_fields_that_must_not_be_added_cannot_be() -> None:
    """h= naming a field more often than it is there forbids adding one; names are taken from the bottom."""
    signed = sign(MAIL, "example.org", names=("from", "subject", "subject"))
    assert judge(b"Subject: other\r\n" + signed).state is State.INVALID
    assert judge(b"X-Other: other\r\n" + signed).state is State.VALID


RSA = rsa_record().decode().partition("p=")[2]


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (f"p={RSA}", State.VALID),
        (f"k=rsa;p={RSA};", State.VALID),
        (f"v=DKIM1; s=email:other; h=sha1:sha256; t=s; g=*; n=note; p={RSA}", State.VALID),
        (f"v=DKIM1; p={RSA[:40]} {RSA[40:]}", State.VALID),
        (f"v=DKIM1; t=y; p={RSA}", State.WEAK),
        ("v=DKIM1; p=", State.INVALID),
        ("v=DKIM1", State.INVALID),
        (f"v=DKIM2; p={RSA}", State.INVALID),
        (f"k=rsa; v=DKIM1; p={RSA}", State.INVALID),
        (f"v=DKIM1; p={RSA}; p={RSA}", State.INVALID),
        (f"v=DKIM1; h=sha1; p={RSA}", State.INVALID),
        (f"v=DKIM1; s=tlsrpt; p={RSA}", State.INVALID),
        (f"v=DKIM1; k=ed25519; p={RSA}", State.INVALID),
        (f"v=DKIM1; k=dsa; p={RSA}", State.INVALID),
        (f"v=DKIM1; p={RSA[:-9]}", State.INVALID),
        ("v=DKIM1; p=!!!", State.INVALID),
        (f"v=DKIM1; p={RSA}" + " " * 9000, State.INVALID),
    ],
)
def test_key_records_are_read_as_the_rfc_says(record: str, state: State) -> None:
    """Revoked, foreign, malformed and unfit keys verify nothing (RFC 6376 §3.6.1)."""
    assert judge(sign(MAIL, "example.org"), record.encode()).state is state


def test_a_key_for_the_exact_domain_refuses_subdomains() -> None:
    """t=s: i= must name d= itself."""
    signed = sign(MAIL, "example.org", identity=b"alice@mail.example.org")
    assert judge(signed).state is State.VALID
    assert judge(signed, rsa_record(tags="v=DKIM1; t=s")).state is State.INVALID


def test_dns_answers_are_told_apart() -> None:
    """No key is invalid; a failure is unknown; other TXT records beside the key do no harm; two keys do."""
    mail = split_mail(sign(MAIL, "example.org"))
    (signature,) = read_signatures(mail, 8)
    assert not isinstance(signature, BadSignature)
    answers = {
        NoTxt(): State.INVALID,
        DnsFailure("silent"): State.UNKNOWN,
        TxtRecords((b"v=spf1 -all", rsa_record())): State.VALID,
        TxtRecords((rsa_record(), rsa_record(2048))): State.INVALID,
        TxtRecords(()): State.INVALID,
    }
    for answer, state in answers.items():
        assert verify(signature, mail, Zone({KEY: answer}), NOW).state is state


def test_dns_is_asked_only_for_signatures_that_fit() -> None:
    """A body that does not fit costs no question."""
    mail = split_mail(sign(MAIL, "example.org") + b"more\r\n")
    (signature,) = read_signatures(mail, 8)
    zone = Zone({})
    assert not isinstance(signature, BadSignature)
    assert verify(signature, mail, zone, NOW).state is State.INVALID
    assert zone.asked == []


def test_dkimpys_and_chasquids_messages_are_read_without_a_crash() -> None:
    """Every message of the corpora, where they are: verdicts as dkimpy's with no key published, and none raises."""
    for path in AUTH_CORPORA.rglob("*"):
        if path.is_file():
            mail = split_mail(path.read_bytes())
            for signature in read_signatures(mail, 8):
                if not isinstance(signature, BadSignature):
                    assert verify(signature, mail, Zone({}), NOW).state is State.INVALID


RFC8463_KEYS = {
    "brisbane._domainkey.football.example.com": "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    "test._domainkey.football.example.com": "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
    "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKr"
    "M3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
}


def test_the_example_of_rfc_8463_verifies() -> None:
    """Both signatures of RFC 8463 appendix A, with the keys printed there."""
    raw = (Path(__file__).parent / "golden" / "rfc8463.eml").read_bytes()
    mail = split_mail(raw)
    results = [
        verify(one, mail, Zone(RFC8463_KEYS), NOW)
        for one in read_signatures(mail, 8)
        if not isinstance(one, BadSignature)
    ]
    assert [result.state for result in results] == [State.VALID, State.VALID]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.binary(max_size=200))
def test_nothing_raises(value: bytes, rest: bytes) -> None:
    """Whatever stands in a signature, a key record and a mail, there is a verdict."""
    raw = b"DKIM-Signature: " + value + b"\r\nFrom: a@example.org\r\n\r\n" + rest
    for mail in (split_mail(raw), split_mail(value + rest), split_mail(sign_freely(MAIL, {"s": "s"}))):
        for signature in read_signatures(mail, 8):
            if not isinstance(signature, BadSignature):
                verify(signature, mail, Zone({KEY: value}), NOW)
