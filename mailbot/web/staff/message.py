"""A stranger's mail on a staff page; its attachments; mails in quarantine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from mailbot.core.attached import content_of, safe_name, size_of
from mailbot.core.ledger import Entry
from mailbot.core.message import ParsedMail, Unreadable
from mailbot.core.parse import parse
from mailbot.store import cases, ledger, messages
from mailbot.store.database import Transaction
from mailbot.store.encryption import Destroyed
from mailbot.store.tables import Message
from mailbot.web.forms import Form
from mailbot.web.pages import Pages
from mailbot.web.parts import Parts
from mailbot.web.staff.grant import Grants
from mailbot.web.staff.letter import MAX_HTML, MAX_TEXT, Piece, marked, safe_html
from mailbot.web.staff.login import Gate, Login
from mailbot.web.staff.reading import Reading, reading_of

_SHOWN_HEADERS = (
    "from",
    "reply-to",
    "to",
    "cc",
    "date",
    "message-id",
    "return-path",
    "authentication-results",
)


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """A file of the mail; `number` counts from 1."""

    number: int
    name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class AttachedTextView:
    """What stands in an attached file, with its evidence marked; or why it was not read."""

    name: str
    kind: str
    text: tuple[Piece, ...]
    unread: str
    is_foreign: bool


@dataclass(frozen=True, slots=True)
class MailView:
    """A mail, made safe to show. `html` went through the sanitiser; `subject` and `new_text` have their
    evidence marked; `text` is the whole letter, quotes included."""

    id: UUID
    received_at: datetime
    source: str
    size: int
    disposition: str
    reason: str
    from_: str
    subject: tuple[Piece, ...]
    new_text: tuple[Piece, ...]
    text: str
    html: Markup | None
    is_cut: bool
    headers: tuple[tuple[str, str], ...]
    attachments: tuple[AttachmentView, ...]
    attached: tuple[AttachedTextView, ...]
    defects: tuple[str, ...]
    reading: Reading


class MessagePages:
    """Mails in quarantine, and files out of any mail."""

    def __init__(self, parts: Parts, pages: Pages, gate: Gate) -> None:
        self._parts, self._pages, self._gate = parts, pages, gate

    def routes(self) -> list[BaseRoute]:
        """The routes."""
        case, quarantine = "/staff/case/{reference}", "/staff/quarantine/{message_id}"
        return [
            self._gate.page(case + "/message/{message_id}/{file}", self.file_of_case),
            self._gate.page(quarantine, self.show),
            self._gate.button(quarantine + "/open", self.open),
            self._gate.page(quarantine + "/file/{file}", self.file_of_quarantined),
        ]

    def show(self, request: Request, login: Login) -> Response:
        """A mail in quarantine: masked, or whole for a login that opened it."""
        with self._parts.store.read() as tx:
            message = _quarantined(tx, request)
            if message is None:
                return self._pages.problem(request, 404)
            is_opened = self._holds(request, login, quarantine_path(message.id))
            mail = view_of(tx, message) if is_opened else None
        return self._gate.show(
            "quarantined.html",
            login,
            message=message,
            mail=mail,
            path=quarantine_path(message.id),
        )

    def open(self, request: Request, login: Login, _: Form) -> Response:
        """That this person opened this mail is in the ledger; then they may see it for a while."""
        with self._parts.store.read() as tx:
            message = _quarantined(tx, request)
        if message is None:
            return self._pages.problem(request, 404)
        now, path = self._parts.clock(), quarantine_path(message.id)
        with self._parts.store.begin() as tx:
            opened = Entry(now, "opened", f"staff:{login.by}", "", "", "", {"message": str(message.id)})
            ledger.append(tx, opened)
        response = RedirectResponse(path, 303)
        self._grants.give(response, login, path, now)
        return response

    def file_of_case(self, request: Request, login: Login) -> Response:
        """An attachment, or the whole mail, of a case that this login opened."""
        reference = request.path_params["reference"]
        with self._parts.store.read() as tx:
            case, message = cases.by_reference(tx, reference), _message(tx, request)
            if case is None or message is None or message.case_id != case.id:
                return self._pages.problem(request, 404)
            return self._file(tx, request, login, message, f"/staff/case/{case.reference}")

    def file_of_quarantined(self, request: Request, login: Login) -> Response:
        """An attachment, or the whole mail, of a mail in quarantine that this login opened."""
        with self._parts.store.read() as tx:
            message = _quarantined(tx, request)
            if message is None:
                return self._pages.problem(request, 404)
            return self._file(tx, request, login, message, quarantine_path(message.id))

    def _file(self, tx: Transaction, request: Request, login: Login, message: Message, path: str) -> Response:
        if not self._holds(request, login, path):
            return RedirectResponse(path, 303)
        try:
            raw = messages.raw_of(tx, message)
        except Destroyed:
            return self._pages.problem(request, 404)
        wanted = request.path_params["file"]
        if wanted == "mail":
            return _download(raw, f"{message.id}.eml")
        parsed = parse(raw)
        files = () if isinstance(parsed, Unreadable) else parsed.attachments
        if not wanted.isascii() or not wanted.isdigit() or not 1 <= int(wanted[:6]) <= len(files):
            return self._pages.problem(request, 404)
        file = files[int(wanted) - 1]
        return _download(content_of(raw, file), safe_name(file.filename, int(wanted)))

    def _holds(self, request: Request, login: Login, path: str) -> bool:
        return self._grants.holds(request, login, path, self._parts.clock())

    @property
    def _grants(self) -> Grants:
        return Grants(self._parts.store.pseudonyms, secure=self._gate.secure)


def quarantine_path(message_id: UUID) -> str:
    """Where a quarantined mail's page is, and what a grant is for."""
    return f"/staff/quarantine/{message_id}"


def view_of(tx: Transaction, message: Message) -> MailView:
    """The mail, made safe to show. Raises Destroyed when its retention ended."""
    reading, mail = reading_of(tx, message), parse(messages.raw_of(tx, message))
    if isinstance(mail, Unreadable):
        mail = ParsedMail("", "", (), (), (), "", (), "", None, (), (), "", (mail.reason,))
    text, subject = reading.new_text or mail.text, reading.subject or mail.subject
    return MailView(
        id=message.id,
        received_at=message.received_at,
        source=message.source,
        size=message.size,
        disposition=message.disposition,
        reason=message.reason,
        from_=", ".join(f"{one.name} <{one.address}>".strip() for one in mail.from_),
        subject=tuple(marked(subject, reading.evidence("subject"))),
        new_text=tuple(marked(text, reading.evidence())),
        text=mail.text[:MAX_TEXT],
        html=Markup(safe_html(mail.html)) if mail.html else None,  # noqa: S704 - this is what the sanitiser gave
        is_cut=len(mail.text) > MAX_TEXT or len(mail.html or "") > MAX_HTML,
        headers=tuple(pair for pair in mail.headers if pair[0] in _SHOWN_HEADERS),
        attachments=_attachments(mail),
        attached=tuple(_attached(reading)),
        defects=mail.defects,
        reading=reading,
    )


def _attachments(mail: ParsedMail) -> tuple[AttachmentView, ...]:
    return tuple(
        AttachmentView(number, safe_name(one.filename, number), one.content_type, size_of(one))
        for number, one in enumerate(mail.attachments, 1)
    )


def _attached(reading: Reading) -> Iterator[AttachedTextView]:
    for file in reading.attachments:
        if file.text or file.unread:
            text = tuple(marked(file.text or "", reading.evidence_in_file(file.name)))
            yield AttachedTextView(file.name, file.kind, text, file.unread or "", file.by_the_sender is False)


def _message(tx: Transaction, request: Request) -> Message | None:
    try:
        return tx.session.get(Message, UUID(request.path_params["message_id"]))
    except ValueError:
        return None


def _quarantined(tx: Transaction, request: Request) -> Message | None:
    message = _message(tx, request)
    return message if message and message.disposition == "quarantined" else None


def _download(content: bytes, name: str) -> Response:
    """Bytes to be saved, never shown: whatever a stranger sent is no page of ours."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(content, media_type="application/octet-stream", headers=headers)
