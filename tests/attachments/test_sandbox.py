"""Hostile files end in a reason, within seconds and within memory, and the next file is read."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mailbot.attachments.files import AttachmentReader
from mailbot.attachments.protocol import Extracted, Limits
from mailbot.attachments.sandbox import Sandbox
from mailbot.core.attached import AttachedText, Reason
from mailbot.core.decide import Decision
from mailbot.reading import Knowledge
from tests.attachments.builders import DELETION, docx, letter, packed, pdf, with_file, zipped
from tests.attachments.conftest import PATIENT, Read, reading_with

MIB = 1 << 20
MOST_RESIDENT_MIB = 300
SLOW = b"BT /F1 12 Tf (aaaa) Tj ET " * 400_000
ENTITY = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
LAUGHS = (
    '<!DOCTYPE d [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
OUTSIDE = '<!DOCTYPE d SYSTEM "http://127.0.0.1:9/d">'
WORDS = "<w:p><w:r><w:t>&{};</w:t></w:r></w:p>"
CHUNKS = bytes.fromhex("308006092a864886f70d010702a080308002010131003080 06092a864886f70d010701a0802480")

HOSTILE: dict[str, tuple[str, Callable[[], bytes], Reason | None]] = {
    "docx of 100 MiB of letters": (
        "docx",
        lambda: docx("", body="<w:p><w:r><w:t>" + "a" * (100 * MIB)),
        None,
    ),
    "docx of 100 MiB of spaces": ("docx", lambda: docx("", body=" " * (100 * MIB)), Reason.NO_TEXT),
    "docx of one attribute": ("docx", lambda: docx("", body=f"<w:p a='{'a' * (60 * MIB)}'/>"), None),
    "docx of paragraphs": ("docx", lambda: docx("", body="<w:p/>" * (5 * MIB)), None),
    "docx nested for ever": ("docx", lambda: docx("", body="<w:p>" * (3 * MIB)), None),
    "docx with an external entity": ("docx", lambda: docx("", ENTITY, WORDS.format("x")), Reason.HOSTILE),
    "docx with an external DTD": ("docx", lambda: docx("hi", OUTSIDE), Reason.HOSTILE),
    "docx with a billion laughs": ("docx", lambda: docx("", LAUGHS, WORDS.format("i")), Reason.HOSTILE),
    "zip without a document": ("docx", lambda: zipped({"a": b"b"}), Reason.BROKEN),
    "zip cut off": ("docx", lambda: docx(DELETION)[:-30], Reason.BROKEN),
    "zip of noise": ("docx", lambda: b"PK\x03\x04" + os.urandom(5_000), Reason.BROKEN),
    "pdf that never ends": ("pdf", lambda: pdf("x", stream=SLOW), None),
    "pdf whose every page is slow": ("pdf", lambda: pdf(*["x"] * 20, stream=SLOW[: 2 * MIB]), None),
    "pdf that unpacks to 150 MiB": ("pdf", lambda: pdf("x", stream=b" " * (150 * MIB)), Reason.BROKEN),
    "pdf of noise": ("pdf", lambda: b"%PDF-1.7\n" + os.urandom(5 * MIB), Reason.BROKEN),
    "pdf cut off": ("pdf", lambda: pdf(DELETION)[:300], Reason.BROKEN),
    "pdf of nothing": ("pdf", lambda: b"%PDF-1.4\n", Reason.BROKEN),
    "signed message of a million pieces": ("cms", lambda: CHUNKS + b"\x04\x01a" * MIB + bytes(10), None),
    "signed message in signed messages": ("cms", lambda: b"\x30\x80" * MIB, Reason.BROKEN),
    "signed message of noise": ("cms", lambda: os.urandom(5_000), Reason.BROKEN),
}
"""Format, the file, and the reason where it is always the same."""


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    """One for all files, each as hostile as the one before."""
    return Sandbox(Limits())


def process_of(sandbox: Sandbox) -> int | None:
    """The id of the process that reads, None when there is none."""
    process = sandbox._process
    return process.pid if process is not None and process.poll() is None else None


def most_resident_mib(process: int) -> int:
    """The most memory that a process ever had, in MiB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1_024


@pytest.mark.parametrize(("form", "content", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_ends_in_a_reason_within_its_seconds(
    sandbox: Sandbox, form: str, content: Callable[[], bytes], reason: Reason | None
) -> None:
    data = content()
    started = time.monotonic()
    answer = sandbox.read(form, data, 3)
    assert time.monotonic() - started < 5
    if isinstance(answer, Extracted):
        assert answer.is_cut
        assert reason is None
    else:
        assert answer in ((reason, Reason.TOO_SLOW) if reason else tuple(Reason))
    if process := process_of(sandbox):
        assert most_resident_mib(process) < MOST_RESIDENT_MIB


def test_what_needs_more_memory_than_is_given_is_told_and_the_next_file_is_read() -> None:
    """One text of 60 MiB, of which every step makes copies."""
    greedy = docx("", body=f"<w:p><w:r><w:t>{'é' * (30 * MIB)}</w:t></w:r></w:p>")
    small = Sandbox(Limits(memory_mib=128, max_characters=40 * MIB, max_bytes=100 * MIB))
    assert small.read("docx", greedy, 30) is Reason.TOO_MUCH_MEMORY
    assert small.read("docx", docx("hello"), 30) == Extracted(b"hello")


def test_the_process_is_killed_and_the_next_file_is_read_by_another(sandbox: Sandbox) -> None:
    assert sandbox.read("docx", docx("hello"), 30) == Extracted(b"hello")
    first = process_of(sandbox)
    assert sandbox.read("pdf", pdf("x", stream=SLOW), 0.5) is Reason.TOO_SLOW
    assert process_of(sandbox) is None
    assert sandbox.read("docx", docx("hello"), 30) == Extracted(b"hello")
    assert process_of(sandbox) not in (None, first)


def test_one_process_reads_many_files() -> None:
    own = Sandbox(PATIENT)
    processes = set()
    for number in range(5):
        assert own.read("pdf", pdf(f"number {number}"), 30) == Extracted(f"number {number}".encode())
        processes.add(process_of(own))
    assert len(processes) == 1


def test_a_process_that_dies_costs_one_answer_at_most() -> None:
    own = Sandbox(PATIENT)
    own.read("docx", docx("hello"), 30)
    process = process_of(own)
    assert process is not None
    os.kill(process, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (process, signal.SIGKILL)).start()
    assert own.read("docx", docx("hello"), 30) is Reason.FAILED
    assert own.read("docx", docx("hello"), 30) == Extracted(b"hello")


def test_the_process_knows_no_secret_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILBOT_KEY", "the master key")
    own = Sandbox(PATIENT)
    own.read("docx", docx("hello"), 30)
    environment = Path(f"/proc/{process_of(own)}/environ").read_bytes()
    assert b"MAILBOT" not in environment
    assert b"the master key" not in environment


def test_the_process_ends_with_its_owner() -> None:
    own = Sandbox(PATIENT)
    own.read("docx", docx("hello"), 30)
    process = process_of(own)
    del own
    assert not Path(f"/proc/{process}").exists()


def test_a_mail_without_such_files_starts_no_process(knowledge: Knowledge) -> None:
    attachments = AttachmentReader(PATIENT)
    read = reading_with(knowledge, attachments)
    read(letter(DELETION).as_bytes())
    read(with_file(b"\x89PNG" + bytes(9_000), "photo.png", "image/png"))
    read(with_file(DELETION.encode(), "a.txt", "text/plain"))
    assert attachments._sandbox._process is None


def test_the_files_of_one_mail_share_its_seconds(knowledge: Knowledge) -> None:
    mail = letter()
    for number in range(4):
        mail.add_attachment(
            pdf("x", stream=SLOW), maintype="application", subtype="pdf", filename=f"{number}.pdf"
        )
    raw, read = mail.as_bytes(), reading_with(knowledge, AttachmentReader(Limits(seconds=1)))
    started = time.monotonic()
    reading = read(raw)
    assert time.monotonic() - started < 5
    assert [one.said for one in reading.attached] == [Reason.TOO_SLOW] * 4
    assert reading.decided.decision is Decision.REVIEW


def test_more_pages_files_and_bytes_than_are_read_are_told(knowledge: Knowledge, read: Read) -> None:
    narrow = reading_with(knowledge, AttachmentReader(Limits(30 * 1_024, 1, 2, 1_000, 30)))
    (file,) = narrow(with_file(pdf("one", "two", "three"), "a.pdf", "application/pdf")).attached
    assert file.said == AttachedText("one\n\ntwo", is_cut=True)
    mail = letter()
    for _ in range(2):
        mail.add_attachment(b"hello", maintype="text", subtype="plain", filename="a.txt")
    assert [one.said for one in narrow(mail.as_bytes()).attached] == [AttachedText("hello"), Reason.TOO_MANY]
    large = b"%PDF-1.7\n" + bytes(50_000)
    (file,) = narrow(with_file(large, "a.pdf", "application/pdf")).attached
    assert file.said is Reason.TOO_LARGE
    (file,) = read(with_file(pdf(*["page"] * 3_000), "a.pdf", "application/pdf")).attached
    assert isinstance(file.said, AttachedText)
    assert file.said.is_cut


def test_a_text_of_25_mib_is_read_from_its_beginning_only(read: Read) -> None:
    raw = with_file(b"hello world. " * (2 * MIB), "a.txt", "text/plain")
    started = time.monotonic()
    reading = read(raw)
    assert time.monotonic() - started < 5
    assert isinstance(reading.attached[0].said, AttachedText)
    assert reading.attached[0].said.is_cut
    assert reading.decided.decision is Decision.REVIEW


@pytest.mark.parametrize(
    ("content", "name", "content_type"),
    [
        (b"MZ\x90\x00" + bytes(50), "letter.pdf", "application/pdf"),
        (b"hello", "letter.docx", "application/octet-stream"),
        (bytes(range(256)), "letter.txt", "text/plain"),
        (bytes(range(256)), "letter.eml", "application/octet-stream"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_not_read(
    read: Read, content: bytes, name: str, content_type: str
) -> None:
    assert read(with_file(content, name, content_type)).attached[0].said is Reason.MISLABELLED


@pytest.mark.parametrize("cms", [b"", b"garbage", b"\x30\x80", os.urandom(3_000)])
def test_a_signed_letter_that_cannot_be_unpacked_goes_to_staff_with_the_reason(
    read: Read, cms: bytes
) -> None:
    reading = read(packed(cms))
    assert reading.decided.decision is Decision.REVIEW
    assert (
        reading.decided.reasons[0]
        == "The letter is packed into a signed file that cannot be read: it is broken."
    )
