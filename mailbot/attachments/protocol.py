"""What the process that reads attachments is told and answers: a line of JSON, then the bytes it names."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from mailbot.core.attached import Reason

MOST_LINE_BYTES = 1_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read. `max_bytes` decoded, of one file; `max_files` and `seconds` (wall clock) of one mail;
    `memory_mib` is the address space of the process that reads."""

    max_bytes: int = 10 << 20
    max_files: int = 5
    max_pages: int = 20
    max_characters: int = 20_000
    seconds: float = 4.0
    memory_mib: int = 256


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was found in a file; `is_cut` when there is more of it. Text is UTF-8."""

    content: bytes
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A file of `size` bytes follows, of a format that formats.FORMATS knows."""

    format: str
    size: int
    limits: Limits


def request_line(request: Request) -> bytes:
    """What stands before the file."""
    return json.dumps(asdict(request)).encode() + b"\n"


def read_request(line: bytes) -> Request:
    """The same, read."""
    told = json.loads(line)
    return Request(told["format"], told["size"], Limits(**told["limits"]))


def answer_bytes(answer: Extracted | Reason) -> bytes:
    """The whole answer."""
    if isinstance(answer, Extracted):
        told = {"size": len(answer.content), "is_cut": answer.is_cut}
        return json.dumps(told).encode() + b"\n" + answer.content
    return json.dumps({"size": 0, "reason": answer.name}).encode() + b"\n"


def read_answer_line(line: bytes) -> tuple[int, bool] | Reason:
    """How many bytes follow, and whether they are cut. Raises ValueError, KeyError or TypeError for any other line:
    a process that read a hostile file is not believed."""
    told = json.loads(line)
    return Reason[told["reason"]] if "reason" in told else (int(told["size"]), bool(told["is_cut"]))
