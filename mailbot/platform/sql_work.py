"""Planned work on rows, and the plan that is shown of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from mailbot.core.plan import Action, Anchor, Change, Plan, PlannedStep, Refusal
from mailbot.platform.sql_schema import BATCH, Condition, Key, primary_key
from mailbot.platform.sql_write import Write


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a table for which `condition` holds: how many, and one hash for all. `few` are their keys
    where one batch can hold them, so that memory stays flat for people with very many."""

    table: Table
    condition: Condition
    count: int
    digest: str
    few: tuple[Key, ...] | None

    def keys(self, connection: Connection) -> Sequence[Key]:
        """Every key."""
        return keys_of(connection, self.table, self.condition) if self.few is None else self.few


@dataclass(frozen=True, slots=True)
class Doing:
    """One step with the rows it touches. `writes` is what an update writes, `new` a row that is added; without
    both the rows are deleted."""

    step: PlannedStep
    rows: Rows
    writes: tuple[Write, ...] = ()
    new: tuple[tuple[str, object], ...] = ()

    @property
    def table(self) -> Table:
        """Whose rows these are."""
        return self.rows.table

    @property
    def deletes(self) -> bool:
        """The rows go."""
        return not self.writes and not self.new


@dataclass(slots=True)
class Drawing:
    """A plan while it is being made."""

    change: Change
    doings: list[Doing] = field(default_factory=list)
    vetoes: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    identifiers: tuple[str, ...] = ()
    anchors: list[Anchor] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    notes: list[PlannedStep] = field(default_factory=list)
    """Steps that touch no row: what is kept, and files."""
    limits: list[str] = field(default_factory=list)

    def add(self, doing: Doing) -> None:
        """The step is planned, unless it has nothing to do."""
        if doing.rows.count or doing.new:
            self.doings.append(doing)

    def plan(self) -> Plan:
        """What is shown of it."""
        steps = (*(doing.step for doing in self.doings), *self.notes)
        return Plan(
            change=self.change,
            steps=steps,
            fingerprint=fingerprint(steps),
            vetoes=tuple(self.vetoes),
            refusals=tuple(self.refusals),
            identifiers=self.identifiers,
            anchors=tuple(self.anchors),
            files=tuple(self.files),
            limits=tuple(self.limits),
        )


def rows_where(connection: Connection, table: Table, condition: Condition) -> Rows:
    """The rows for which `condition` holds now, read as a stream."""
    query = select(*primary_key(table)).where(condition).execution_options(yield_per=BATCH)
    some: list[Key] = []
    count = total = 0
    for row in connection.execute(query):
        key = tuple(row)
        count += 1
        total += int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:16])
        if count <= BATCH:
            some.append(key)
    few = tuple(some) if count <= BATCH else None
    return Rows(table, condition, count, f"{total % 2**128:032x}", few)


def these_rows(table: Table, condition: Condition, keys: Sequence[Key]) -> Rows:
    """The rows of `table` with these keys, whatever their number; `condition` holds for them among others."""
    return Rows(table, condition, len(keys), digest(keys), tuple(keys))


def keys_of(connection: Connection, table: Table, condition: Condition) -> list[Key]:
    """The primary keys of the rows for which `condition` holds."""
    query = select(*primary_key(table)).where(condition)
    return [tuple(row) for row in connection.execute(query)]


def digest(items: Iterable[object]) -> str:
    """One hash for a set of things, whatever their order."""
    lines = sorted(repr(item) for item in items)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def fingerprint(steps: Iterable[PlannedStep]) -> str:
    """Equal for two plans that touch the same; places that may grow do not count."""
    return digest((step.place, step.action, step.rows, step.digest) for step in steps if not step.may_grow)


def delete_step(place: str, rows: Rows, why: str, *, may_grow: bool = False) -> PlannedStep:
    """Rows go."""
    return PlannedStep(place, Action.DELETE, rows.count, why=why, digest=rows.digest, may_grow=may_grow)
