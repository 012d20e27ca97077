"""What is asked of a platform by HTTP, and what it answers. The OpenAPI document is made from these."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from mailbot.core.plan import (
    Action,
    Change,
    FieldStep,
    Finding,
    Refusal,
    Subject,
)
from mailbot.core.result import EventRef

Value = str | int | float | bool | None


class _Message(BaseModel):
    """Keys that are not known are passed over, so that either side can be newer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Nothing(_Message):
    """There is nothing to say."""


class Described(_Message):
    """Every kind of record that the platform keeps of people, with its columns, as the data map names them."""

    places: dict[str, tuple[str, ...]]


class OfAddress(_Message):
    """About one e-mail address."""

    address: str


class Found(_Message):
    """Everybody whom an address leads to, present or former: users first, then visitors, one for each host.
    `key` names the person for ever and holds nothing personal."""

    subjects: tuple[Subject, ...]


class OfSubject(_Message):
    """About one person."""

    subject: Subject


class Events(_Message):
    """The events at which a visitor left data, by date."""

    events: tuple[EventRef, ...]


class WantedRecords(_Message):
    """One place's records of one person, from `cursor` on."""

    subject: Subject
    place: str
    cursor: str | None = None


class Records(_Message):
    """Some records, column by column; `next` where there are more."""

    rows: tuple[dict[str, Value], ...]
    next: str | None = None


class WantedFile(_Message):
    """The file that a column of one of the person's records names. The answer is its bytes, or status 404."""

    subject: Subject
    place: str
    column: str
    path: str


class Step(_Message):
    """What happens in one place: so many records; for a change of values each column's old and new one. `digest`:
    any text that differs when other records, or other values, would be touched. `until`: how long kept ones stay;
    `why`: on what ground, where the data map does not say that they do (others use them, too)."""

    place: str
    action: Action
    rows: int = Field(ge=0)
    fields: tuple[FieldStep, ...] = ()
    digest: str = ""
    until: date | None = None
    why: str = ""
    bytes: int = Field(default=0, ge=0)


class Wanted(_Message):
    """A change, described before it is made."""

    change: Change


class Veto(_Message):
    """Why staff must look first."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    reason: str


class Planned(_Message):
    """What the change would do now. `identifiers`: every address of the person, present and former."""

    steps: tuple[Step, ...] = ()
    vetoes: tuple[Veto, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    identifiers: tuple[str, ...] = ()


class Ordered(_Message):
    """Make this change, once for its Idempotency-Key, if it touches no more than `shown`."""

    change: Change
    shown: Planned


class Done(_Message):
    """So many records and files were changed or removed. `again`: it had been done before under this key."""

    rows: int = Field(ge=0)
    files: int = Field(default=0, ge=0)
    again: bool = False
    refusals: tuple[Refusal, ...] = ()


class Asked(_Message):
    """What is left, that should not be, after this deletion? `identifiers` are the person's addresses."""

    change: Change
    identifiers: tuple[str, ...]


class Leftovers(_Message):
    """Places and columns where the person is still found, and how often; `unmapped` is outside the described places."""

    findings: tuple[Finding, ...] = ()
    unmapped: tuple[Finding, ...] = ()


class Promotion(_Message):
    """Whether an address gets promotional mail."""

    receives: bool


class Problem(_Message):
    """Why not, with status 409. `grew`: it would touch more than was shown, in `places`. `in_progress`: this key is
    being worked on; ask again. `done`: it is done already. Anything else goes to staff."""

    code: str = Field(pattern=r"^[a-z_]{1,40}$")
    places: tuple[str, ...] = ()
