"""`python -m bench.reading`: what understanding a mail costs, step by step, warm, on one core.

Beside it floors of the same run: the standard library's parser on the same bytes, lexbor alone on the same HTML, and
a Python that only starts.
"""

from __future__ import annotations

import email
import email.policy
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import TypeVar

from selectolax.lexbor import LexborHTMLParser

from mailbot.config import load_config
from mailbot.core.html_text import html_to_text
from mailbot.core.message import ParsedMail
from mailbot.core.newest_text import newest_text
from mailbot.core.parse import parse
from mailbot.examples import load_examples
from mailbot.knowledge import load_knowledge, rule_folders
from mailbot.reading import Reader

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BIG_HTML_BYTES = 1 << 20
BELOW = (
    "\n\n-- \nAccounts department\nTel. +370 5 200 00 00\n\n"
    "On 3 March 2026 at 10:12, Newsletter <news@example.com> wrote:\n\n"
)
HISTORY = "> You get this newsletter since you signed up.\n> Unsubscribe: https://example.com/u\n" * 12

Thing = TypeVar("Thing")


def main() -> None:
    """Prints medians in milliseconds; what is measured was warmed before."""
    config = load_config(ROOT / "config.toml")
    letters = load_examples(rule_folders(config)[0] / "held_out")
    mails = [_mail(one.example.subject, one.example.text + BELOW + HISTORY) for one in letters]
    reader = Reader(load_knowledge(config), None)
    for mail in mails:
        reader.read(mail, NOW)
    size = median(len(mail) for mail in mails)
    print(f"{len(mails)} mails in {len(config.controller.languages)} languages, median {size:,.0f} bytes")
    _measure("the whole reading", lambda mail: reader.read(mail, NOW), mails)
    _measure("… parse", parse, mails)
    parsed = [one for one in map(parse, mails) if isinstance(one, ParsedMail)]
    _measure("… newest text", lambda mail: newest_text(mail.text), parsed)
    _measure("floor: stdlib email, text part decoded", _stdlib_text, mails)
    for name, html in _big_letters():
        big = [_mail("", html, "html")] * 5
        _measure(f"1 MiB of HTML ({name}), the whole reading", lambda mail: reader.read(mail, NOW), big)
        _measure("… its text", html_to_text, [html] * 5)
        _measure("floor: lexbor parses it", LexborHTMLParser, [html] * 5)
    _measure("start-up: mailbot explain, one mail", _run, [("-m", "mailbot", "explain", "--no-dns", "-")] * 5)
    _measure("floor: python starts", _run, [("-c", "pass")] * 5)


def _measure(name: str, step: Callable[[Thing], object], things: Sequence[Thing]) -> None:
    took = []
    for thing in things:
        start = perf_counter()
        step(thing)
        took.append((perf_counter() - start) * 1000)
    print(f"{name:<58} median {median(took):9.2f} ms   p95 {quantiles(took, n=20)[-1]:9.2f} ms")


def _mail(subject: str, text: str, subtype: str = "plain") -> bytes:
    mail = EmailMessage()
    mail["From"] = "Alice <alice@example.org>"
    mail["To"] = "privacy@example.com"
    mail["Subject"] = " ".join(subject.split())
    mail["Message-ID"] = "<1@example.org>"
    mail.set_content(text, subtype=subtype, cte="base64" if subtype == "html" else "8bit")
    return mail.as_bytes(policy=email.policy.SMTP)


def _stdlib_text(raw: bytes) -> str:
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("plain", "html"))
    return body.get_content() if body else ""


def _big_letters() -> Iterator[tuple[str, str]]:
    """A request at the top, and below it what three kinds of programs write until a MiB is full."""
    drawn = random.Random(1)
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(drawn.choices(alphabet, k=drawn.randint(2, 9))) for _ in range(3000)]
    paragraphs = {
        "Outlook": '<p class="MsoNormal" style="margin:0"><span lang="EN-US" style="color:#1F497D">%s</span></p>',
        "newsletter": '<table width="100%%"><tr><td style="color:#333"><a href="#">%s</a></td></tr></table>',
        "Gmail": '<div dir="ltr"><div>%s</div><br></div>',
    }
    for name, shape in paragraphs.items():
        html = "<html><body><p>Bitte löschen Sie mein Konto und alle Daten, vielen Dank.</p>"
        while len(html) < BIG_HTML_BYTES:
            html += "".join(shape % " ".join(drawn.choices(words, k=12)) for _ in range(200))
        yield name, f"{html}</body></html>"


def _run(arguments: Sequence[str]) -> None:
    letter = (
        "Subject: Account\n\nHello, please delete my account and everything you know about me. Thanks, Alice"
    )
    subprocess.run(
        [sys.executable, *arguments], input=letter, text=True, check=True, capture_output=True, cwd=ROOT
    )


if __name__ == "__main__":
    main()
