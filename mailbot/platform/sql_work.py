"""Planned work on rows, and the plan that is shown of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from mailbot.core.plan import Action, Anchor, Change, Plan, PlannedStep, Refusal
from mailbot.platform.sql_schema import Condition, Key, primary_key


@dataclass(frozen=True, slots=True)
class Doing:
    """One step with the very rows it touches. `values` is what an update writes; empty for deletions."""

    step: PlannedStep
    table: Table
    keys: Sequence[Key] = ()
    values: Mapping[str, object] = field(default_factory=dict)


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

    def add(self, step: PlannedStep, table: Table, keys: Sequence[Key], values: Mapping[str, object]) -> None:
        """The step is planned, unless it has nothing to do."""
        if keys:
            self.doings.append(Doing(step, table, keys, values))

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
        )


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


def delete_step(place: str, keys: Sequence[Key], why: str, *, may_grow: bool = False) -> PlannedStep:
    """Rows go."""
    return PlannedStep(place, Action.DELETE, len(keys), why=why, digest=digest(keys), may_grow=may_grow)
