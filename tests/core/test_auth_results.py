"""Every server's Authentication-Results can be read; only our own server's, topmost, is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.auth_results import own_verdict, read_authentication_results
from mailbot.core.raw_mail import split_mail

GOOGLE = """mx.google.com;
       dkim=pass header.i=@example.org header.s=s1 header.b=AbC+/d==;
       spf=pass (google.com: domain of alice@example.org designates 192.0.2.1 as permitted sender) smtp.mailfrom=alice@example.org;
       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.org"""  # noqa: E501 - as Google writes it
MICROSOFT = """spf=pass (sender IP is 192.0.2.1)
 smtp.mailfrom=example.org; dkim=pass (signature was verified)
 header.d=example.org;dmarc=pass action=none header.from=example.org;compauth=pass reason=100"""
RSPAMD = """mx.example.com;
	dkim=pass header.d=example.org header.s=s1 header.b=AbCdEfGh;
	spf=pass (mx.example.com: domain of alice@example.org designates 192.0.2.1 as permitted sender) smtp.mailfrom=alice@example.org;
	dmarc=pass (policy=reject) header.from=example.org"""  # noqa: E501 - as rspamd writes it
OPENDKIM = """mx.example.com;
	dkim=pass (2048-bit key; unprotected) header.d=example.org header.i=@example.org header.a=rsa-sha256 header.s=s1 header.b=AbCdEfGh"""  # noqa: E501 - as OpenDKIM writes it
OPENDMARC = "mx.example.com; dmarc=pass (p=reject dis=none) header.from=example.org"


@pytest.mark.parametrize(
    ("value", "server", "methods"),
    [
        (GOOGLE, "mx.google.com", ["dkim=pass", "spf=pass", "dmarc=pass"]),
        (MICROSOFT, None, ["spf=pass", "dkim=pass", "dmarc=pass", "compauth=pass"]),
        (RSPAMD, "mx.example.com", ["dkim=pass", "spf=pass", "dmarc=pass"]),
        (OPENDKIM, "mx.example.com", ["dkim=pass"]),
        (OPENDMARC, "mx.example.com", ["dmarc=pass"]),
        ("mx.example.com 1; none", "mx.example.com", []),
        ("mx.example.com", "mx.example.com", []),
        (
            '"mx.example.com" (a (nested) remark) ; DMARC/1 = Pass header.from = Example.ORG',
            "mx.example.com",
            ["dmarc=pass"],
        ),
    ],
)
def test_every_servers_form_is_read(value: str, server: str | None, methods: list[str]) -> None:
    """Google's, Microsoft's without an id, rspamd's, OpenDKIM's, OpenDMARC's, and the grammar's corners."""
    found = read_authentication_results(value.replace("\n", "\r\n"))
    assert found is not None
    assert found.authserv_id == server
    assert [f"{result.method}={result.result}" for result in found.results] == methods
    assert all(result.values("header.from") == ("example.org",) for result in found.of("dmarc"))


@pytest.mark.parametrize(
    "value",
    [
        'mx.example.com; spf=fail smtp.mailfrom="x; dmarc=pass header.from=example.org"@example.net',
        "mx.example.com; spf=fail (dmarc=pass header.from=example.org) smtp.mailfrom=example.net",
        r"mx.example.com; spf=fail (remark \) ; dmarc=pass header.from=example.org)",
        'mx.example.com; spf=fail reason="\\"; dmarc=pass header.from=example.org"',
        'mx.example.com; dmarc";"="pass"',
    ],
)
def test_quoted_text_is_never_a_result(value: str) -> None:
    """What a sender smuggles into a quoted value or a remark stays there."""
    found = read_authentication_results(value)
    assert found is not None
    assert found.of("dmarc") == ()


@pytest.mark.parametrize(
    "value", ["", ";", "(", "a (", 'a; dmarc="pass', "a b c d; dmarc=pass", "\x00", "x" * 99999]
)
def test_what_does_not_close_is_not_read(value: str) -> None:
    """Open quotes and brackets, and what is no such field."""
    assert read_authentication_results(value) is None


@given(st.text(max_size=200))
def test_reading_never_raises(value: str) -> None:
    """Any text is either read or None."""
    read_authentication_results(value)


OUTER = "Received: from out.example.org (pc [192.0.2.1])\n\tby mx.example.com (Postfix) with ESMTPS id 1; now"
INNER = "Received: from mx.example.com by store.example.com (Dovecot) with LMTP id 2; now"
THEIRS = "Received: from pc by out.example.org with ESMTPSA id 3; then"
OWN = f"Authentication-Results: {OPENDMARC}"
FORGED = "Authentication-Results: mx.example.com; dmarc=pass header.from=bank.example"
FROM = "From: alice@example.org"


@pytest.mark.parametrize(
    ("lines", "hosts", "believed"),
    [
        ([OWN, FROM], set(), True),
        ([OUTER, OWN, FROM], set(), True),
        ([INNER, OUTER, OWN, FROM], {"store.example.com"}, True),
        ([INNER, OUTER, OWN, FROM], set(), False),
        ([OUTER, OWN, FORGED, THEIRS, FROM], set(), True),
        ([OUTER, THEIRS, OWN, FROM], set(), False),
        ([OUTER, "Authentication-Results: other.example; none", OWN], set(), False),
        ([OUTER, f"Authentication-Results: {MICROSOFT}", OWN], set(), False),
        ([OUTER, 'Authentication-Results: mx.example.com; x="', OWN], set(), False),
        ([OUTER, f"Authentication-Results: {OPENDKIM}", OWN], set(), True),
        (["Received: from (by mx.example.com) by evil.example; now", OWN], set(), False),
        (["Received: nonsense", OWN], set(), False),
        ([OUTER, FROM], set(), False),
    ],
)
def test_only_our_own_topmost_field_is_believed(lines: list[str], hosts: set[str], believed: bool) -> None:
    """Ours is the first Authentication-Results of all, above the first Received that is not ours."""
    mail = split_mail(("\n".join(lines) + "\n\n").encode())
    found = own_verdict(mail.fields, frozenset({"MX.example.com"}), frozenset(hosts))
    assert (found is not None) is believed


def test_a_forged_dmarc_below_opendkims_field_is_not_believed() -> None:
    """OpenDKIM leaves a forged dmarc=pass under our id standing below its own field: only the topmost counts."""
    raw = f"{OUTER}\nAuthentication-Results: {OPENDKIM}\n{OWN}\n{FROM}\n\n".encode()
    found = own_verdict(split_mail(raw).fields, frozenset({"mx.example.com"}), frozenset())
    assert found is not None
    assert found.of("dmarc") == ()


def test_without_configured_ids_nothing_is_believed() -> None:
    """No id configured: no field counts, not even one without an id."""
    for value in (OPENDMARC, MICROSOFT):
        mail = split_mail(f"Authentication-Results: {value}\n\n".encode())
        assert own_verdict(mail.fields, frozenset(), frozenset()) is None
