"""One reader with the project's own rules, and readers with other limits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailbot.attachments.files import AttachmentReader
from mailbot.attachments.protocol import Limits
from mailbot.config import parse_config
from mailbot.knowledge import load_knowledge
from mailbot.reading import Knowledge, Reader, Reading

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PATIENT = Limits(seconds=30)
"""So that a busy machine is no reason for anything."""
Read = Callable[[bytes], Reading]


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    """The rules of the project."""
    return load_knowledge(parse_config({}, Path("config.toml")))


@pytest.fixture(scope="session")
def read(knowledge: Knowledge) -> Read:
    """Reads a mail with its attachments."""
    return reading_with(knowledge, AttachmentReader(PATIENT))


def reading_with(knowledge: Knowledge, attachments: AttachmentReader) -> Read:
    """Reads a mail with attachments read in this way."""
    reader = Reader(knowledge, None, attachments)

    def read(raw: bytes) -> Reading:
        reading = reader.read(raw, NOW)
        assert isinstance(reading, Reading)
        return reading

    return read
