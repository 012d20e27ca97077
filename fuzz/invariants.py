"""What must hold of any bytes and any text, in words. The property tests and the fuzzers hold the same."""

from __future__ import annotations

from mailbot.core.html_text import MAX_TEXT_LENGTH, html_to_text
from mailbot.core.message import Unreadable
from mailbot.core.newest_text import newest_text
from mailbot.core.parse import parse


def parse_is_whole(raw: bytes) -> None:
    """Any bytes are a mail or are refused with a reason, without the last resort; its text has plain line ends, its
    attachments lie within the bytes, and a From that is not one address is noted."""
    mail = parse(raw)
    if isinstance(mail, Unreadable):
        assert mail.reason and not mail.reason.startswith("internal"), mail.reason
        return
    assert "\r" not in mail.text
    assert all(0 <= part.start <= part.end <= len(raw) for part in mail.attachments)
    assert mail.from_ or any(defect.startswith("from:") for defect in mail.defects)


def newest_text_only_leaves_out(text: str) -> None:
    """Every line that comes back is a line of the letter, in the letter's order: nothing is made up."""
    lines = iter(text.replace("\r\n", "\n").split("\n"))
    assert all(line in lines for line in newest_text(text).split("\n") if line)


def html_becomes_lines(html: str) -> None:
    """Any HTML becomes text of bounded length without carriage returns, tags' own characters aside."""
    assert len(html_to_text(html)) <= MAX_TEXT_LENGTH + len(html)
