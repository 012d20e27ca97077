"""/api/v1: for the platform's mailer, its account settings and its Profile page. JSON, behind a bearer key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import JSONResponse, Response

from mailbot import __version__
from mailbot.config import LanguageCode
from mailbot.core.request import FieldChange, Kind
from mailbot.core.workflow import OPEN_STATES
from mailbot.store import cases, suppressions
from mailbot.store.database import Transaction
from mailbot.store.tables import Suppression
from mailbot.web.parts import Parts
from mailbot.web.security import RETRY_AFTER_SECONDS, STORE_IS_DOWN, secret_equals

MAX_ADDRESSES = 10_000
MAX_SUPPRESSIONS = 10_000
_MAX_ADDRESS = 320
_MAX_VALUE = 2_000


def _plausible(address: str) -> str:
    local, at, domain = address.strip().rpartition("@")
    if not (local and at and domain) or any(character.isspace() for character in address.strip()):
        raise ValueError("is not an e-mail address")
    return address.strip()


AddressText = Annotated[str, Field(max_length=_MAX_ADDRESS), AfterValidator(_plausible)]
AddressList = Annotated[list[AddressText], Field(min_length=1, max_length=MAX_ADDRESSES)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Addresses(_Body):
    """Up to 10,000 addresses."""

    addresses: AddressList


class Link(BaseModel):
    """How one address unsubscribes; the two header values go into the mail as they are (RFC 2369, RFC 8058)."""

    address: str
    url: str
    mailto: str
    list_unsubscribe: str
    list_unsubscribe_post: str


class LinkList(BaseModel):
    """In the order asked."""

    links: list[Link]


class SuppressionEntry(BaseModel):
    """One address on, or lifted from, the suppression list; known by its keyed hash only."""

    address_hash: str
    suppressed: bool
    since: datetime
    how: str
    updated_at: datetime


class SuppressionList(BaseModel):
    """What changed, oldest first. Ask again with `next_since` until the list is empty."""

    suppressions: list[SuppressionEntry]
    next_since: datetime


class Flags(BaseModel):
    """In the order asked: true means no promotional mail to this address."""

    suppressed: list[bool]


class Switch(_Body):
    """The switch of the account settings."""

    address: AddressText
    suppressed: bool
    language: LanguageCode | None = None


class Switched(BaseModel):
    """What holds now, and whether this call changed it."""

    suppressed: bool
    changed: bool


class NewField(_Body):
    """One field to be corrected, named as in the data map."""

    field: str = Field(min_length=1, max_length=100)
    new: str = Field(max_length=_MAX_VALUE)


class NewRequest(_Body):
    """What a logged-in user asks on the Profile page; `address` is their address on file."""

    kind: Kind
    address: AddressText
    fields: list[NewField] = Field(default=[], max_length=50)
    language: LanguageCode | None = None


class Opened(BaseModel):
    """The case that was opened."""

    reference: str


class RequestStatus(BaseModel):
    """One request of a case."""

    kind: str
    state: str
    since: datetime


class CaseStatus(BaseModel):
    """A case without personal data."""

    reference: str
    open: bool
    opened_at: datetime
    due_on: date
    requests: list[RequestStatus]


class ErrorText(BaseModel):
    """What went wrong, in words for the programmer who reads it."""

    status: int
    message: str
    where: list[str] = []


class Failure(BaseModel):
    """Every answer that is not a success."""

    error: ErrorText


_BEARER = HTTPBearer(auto_error=False, description="The key named by [web] api_key_env or api_key_file")

_FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": Failure, "description": HTTPStatus(status).phrase}
    for status in (401, 403, 404, 413, 422, 503)
}


def create_api(parts: Parts) -> FastAPI:
    """The API as an application of its own, mounted under /api/v1."""
    api = FastAPI(
        title="mailbot",
        version=__version__,
        description="Unsubscribe links, the suppression list, and requests of logged-in users.",
        docs_url=None,
        redoc_url=None,
    )
    api.include_router(_router(parts), dependencies=[Depends(_key_check(parts.config.api_key()))])
    api.add_exception_handler(RequestValidationError, _not_understood)
    api.add_exception_handler(StarletteHTTPException, _refused)
    for trouble in STORE_IS_DOWN:
        api.add_exception_handler(trouble, _store_is_down)
    api.add_exception_handler(Exception, _broken)
    return api


def _key_check(expected: str | None) -> Callable[..., None]:
    def check(given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> None:
        if not expected:
            raise HTTPException(403, "the API is switched off: no key is configured ([web] api_key_env)")
        if given is None:
            raise HTTPException(401, "a bearer key is needed: Authorization: Bearer …")
        if not secret_equals(given.credentials, expected):
            raise HTTPException(401, "this key is not the one configured")

    return check


def _router(parts: Parts) -> APIRouter:
    router = APIRouter(responses=_FAILURES)

    @router.post("/unsubscribe-links")
    def unsubscribe_links(body: Addresses) -> LinkList:
        """Links and header values for promotional mails, one for each address; the same address gets the same
        link for ever. Nothing is stored."""
        return LinkList(links=[_link(parts, address) for address in body.addresses])

    @router.get("/suppressions")
    def changed_suppressions(
        since: Annotated[AwareDatetime, Query(description="an ISO 8601 time with its zone")],
        limit: Annotated[int, Query(ge=1, le=MAX_SUPPRESSIONS)] = 1_000,
    ) -> SuppressionList:
        """What changed on the suppression list after `since`."""
        with parts.store.read() as tx:
            rows = _changed_since(tx, since, limit)
        entries = [_entry(row) for row in rows]
        return SuppressionList(suppressions=entries, next_since=entries[-1].updated_at if entries else since)

    @router.post("/suppressions/check")
    def check_suppressions(body: Addresses) -> Flags:
        """Which of these addresses must not get promotional mail."""
        with parts.store.read() as tx:
            return Flags(suppressed=[suppressions.is_suppressed(tx, address) for address in body.addresses])

    @router.post("/suppressions")
    def switch_suppression(body: Switch) -> Switched:
        """The account settings' switch: promotional mail off or on."""
        return Switched(suppressed=body.suppressed, changed=_switch(parts, body))

    @router.post("/requests", status_code=201)
    def open_request(body: NewRequest) -> Opened:
        """A request of a user who is logged in to the platform; it runs like one that came by mail."""
        if parts.open_request is None:
            raise HTTPException(
                404, "requests cannot be opened here: the platform's Profile page is not connected"
            )
        fields = tuple(FieldChange(field.field, None, field.new) for field in body.fields)
        if body.kind is Kind.CORRECTION and not fields:
            raise HTTPException(422, "a correction names at least one field")
        return Opened(
            reference=parts.open_request(body.kind, body.address, fields, body.language, parts.clock())
        )

    @router.get("/requests/{reference}")
    def request_status(reference: str) -> CaseStatus:
        """Where a case stands."""
        with parts.store.read() as tx:
            status = _status(tx, reference)
        if status is None:
            raise HTTPException(404, "there is no case of this reference")
        return status

    return router


def _link(parts: Parts, address: str) -> Link:
    links = parts.unsubscribing.link(address)
    return Link(
        address=address,
        url=links.url,
        mailto=links.mailto,
        list_unsubscribe=links.list_unsubscribe,
        list_unsubscribe_post=links.list_unsubscribe_post,
    )


def _switch(parts: Parts, body: Switch) -> bool:
    if not body.suppressed:
        return parts.unsubscribing.undo(body.address, how="api", now=parts.clock())
    return parts.unsubscribing.unsubscribe(body.address, how="api", language=body.language, now=parts.clock())


def _changed_since(tx: Transaction, since: datetime, limit: int) -> Sequence[Suppression]:
    """At most about `limit` rows, never ending between two of the same time: the next call asks for later ones."""
    rows = suppressions.changed_since(tx, since, limit)
    if len(rows) < limit:
        return rows
    whole = [row for row in rows if row.updated_at < rows[-1].updated_at]
    return whole or _changed_since(tx, since, limit * 10)


def _entry(row: Suppression) -> SuppressionEntry:
    return SuppressionEntry(
        address_hash=row.address_hash.hex(),
        suppressed=row.lifted_at is None,
        since=row.since,
        how=row.how,
        updated_at=row.updated_at,
    )


def _status(tx: Transaction, reference: str) -> CaseStatus | None:
    case = cases.by_reference(tx, reference)
    if case is None:
        return None
    requests = cases.requests_of(tx, case.id)
    return CaseStatus(
        reference=case.reference,
        open=any(request.state in OPEN_STATES for request in requests),
        opened_at=case.opened_at,
        due_on=case.due_on,
        requests=[RequestStatus(kind=one.kind, state=one.state, since=one.since) for one in requests],
    )


def _failure(status: int, message: str, where: Sequence[str] = (), **headers: str) -> Response:
    error = ErrorText(status=status, message=message, where=list(where))
    return JSONResponse(Failure(error=error).model_dump(), status, headers=headers)


def _refused(_: Request, trouble: Exception) -> Response:
    status = trouble.status_code if isinstance(trouble, StarletteHTTPException) else 500
    message = str(trouble.detail) if isinstance(trouble, StarletteHTTPException) else ""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return _failure(status, message, **headers)


def _not_understood(_: Request, trouble: Exception) -> Response:
    """Names the places and what is wrong there, never the value: it may be somebody's address."""
    errors = trouble.errors() if isinstance(trouble, RequestValidationError) else []
    where = [f"{'.'.join(str(step) for step in error['loc'])}: {error['msg']}" for error in errors[:20]]
    return _failure(422, "the request is not of the form that is documented", where)


def _store_is_down(_: Request, __: Exception) -> Response:
    return _failure(
        503, "the store cannot be reached; try again", **{"Retry-After": str(RETRY_AFTER_SECONDS)}
    )


def _broken(_: Request, __: Exception) -> Response:
    return _failure(500, "something went wrong on our side")
