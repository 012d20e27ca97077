"""The attacks that the tests try, for docs/security.md: every forged mail with the verdict it gets, and every test that
holds something against somebody."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.core.forgeries import FORGERIES
from tests.core.forgeries.odd_senders import ODD_SENDERS
from tests.core.forgeries.world import REST
from tests.core.signing import sign_freely
from tests.core.test_forgeries import verdict_on

BEGIN, END = "<!-- attacks: made by `make docs` from the tests, do not edit -->", "<!-- end of attacks -->"
_TESTS = Path(__file__).parents[1] / "tests"
_DEFENCES = (
    ("acting for somebody else", "laws/test_law_2.py"),
    ("mail that is forged, or a machine's", "laws/test_law_5.py"),
    ("links that are followed, buttons pressed by programs", "laws/test_law_6.py"),
    ("learning who is known, and whom we write to", "laws/test_law_7.py"),
    ("words in quotes, forwards and hidden text", "laws/test_law_8.py"),
    ("guessing and misusing links", "web/test_token_pages.py"),
    ("files that are bombs, lies or endless", "attachments/test_sandbox.py"),
    ("the LMTP door", "mail/test_lmtp.py"),
    ("commands and mails smuggled into SMTP, clear text", "mail/test_outbox.py"),
)


def attacks_section() -> str:
    """Both tables, as Markdown, between their marks."""
    return "\n".join((BEGIN, "", *_forgeries(), "", *_odd_senders(), "", *_defences(), "", END))


def _forgeries() -> Iterator[str]:
    yield f"### Forged mails: {len(FORGERIES)} tried, none proven"
    yield ""
    yield "In this world example.org asks for p=reject, none.example for nothing, mx.example.com is our own server and"
    yield "forward.example a forwarder whom we trust."
    yield ""
    yield "| Forgery | What is tried | Verdict |"
    yield "|---|---|---|"
    for sample in FORGERIES:
        yield f"| {_cell(sample.name)} | {_cell(sample.tried)} | {verdict_on(sample.raw).verdict} |"


def _odd_senders() -> Iterator[str]:
    yield f"### Odd senders: {len(ODD_SENDERS)} tried"
    yield ""
    yield "Each mail is rightly signed by example.org; the question is whom its From names."
    yield ""
    yield "| Oddity | Verdict | Address that is acted on |"
    yield "|---|---|---|"
    for name, (value, _, _) in ODD_SENDERS.items():
        found = verdict_on(sign_freely(f"From: {value}\r\n".encode() + REST, {}))
        yield f"| {_cell(name)} | {found.verdict} | {_cell(found.address or 'none')} |"


def _defences() -> Iterator[str]:
    yield "### Everything else that is tried"
    for title, file in _DEFENCES:
        yield ""
        yield f"**Against {title}** (`tests/{file}`):"
        yield ""
        yield from (f"- {sentence}" for sentence in _sentences(_TESTS / file))


def _sentences(file: Path) -> Iterator[str]:
    """The sentence of each test, which is its name."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name.removeprefix("test_").replace("_", " ")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
