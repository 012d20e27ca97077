"""A platform in a SQL database, with its uploaded files in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import Connection

from mailbot.core.data_map import DataMap, SweepRule
from mailbot.core.plan import (
    Applied,
    Change,
    Correction,
    Deletion,
    FieldView,
    Flagging,
    NothingChanged,
    Plan,
    PlanGrew,
    ReadBack,
    Resubscribe,
    Subject,
    Unsubscribe,
    grown,
)
from mailbot.core.replay import Created
from mailbot.core.request import Capacity
from mailbot.core.result import EventRef
from mailbot.core.wording import Wording
from mailbot.platform import sql_sweep
from mailbot.platform.draft import Draft, NoSubject, draft_of
from mailbot.platform.export import write_export
from mailbot.platform.file_store import FileStore
from mailbot.platform.files import Files
from mailbot.platform.interface import CheckLine, Output, SweepFound
from mailbot.platform.read_back import read_back
from mailbot.platform.schema_check import check_schema
from mailbot.platform.sql_apply import carry_out
from mailbot.platform.sql_batches import Batches, is_large
from mailbot.platform.sql_correct import draw_correction
from mailbot.platform.sql_delete import draw_deletion
from mailbot.platform.sql_fields import field_views
from mailbot.platform.sql_find import Who, events_of, find, who_is
from mailbot.platform.sql_flag import draw_flag
from mailbot.platform.sql_journal import (
    claim,
    close_claim,
    finish_all,
    finish_files,
    is_begun,
    key_hash,
    was_applied,
)
from mailbot.platform.sql_promote import draw_promotion
from mailbot.platform.sql_schema import Schema, all_equal, reading_any
from mailbot.platform.sql_walk import count_people, created, people_columns, promotion_columns, walk
from mailbot.platform.sql_work import Drawing
from mailbot.platform.text_search import search_texts


def _utc_now() -> datetime:
    return datetime.now(UTC)


def open_platform(
    url: str,
    data_map: DataMap,
    files_root: Path | None = None,
    now: Callable[[], datetime] = _utc_now,
    stores: Mapping[str, FileStore] | None = None,
) -> SqlPlatform:
    """The platform at `url` (any SQLAlchemy URL), described by `data_map`, its files below `files_root` and in
    `stores`. Nothing is read before it is used. `now` gives the time in UTC."""
    return SqlPlatform(Schema(url, data_map), Files(files_root, stores), now)


def drafted(url: str) -> Draft | NoSubject:
    """What the schema at `url` lets one guess about a data map.

    Raises:
        PlatformTrouble: the database cannot be read.
    """
    with reading_any(url) as connection:
        return draft_of(connection)


class SqlPlatform:
    """The Platform of one SQL database."""

    def __init__(self, schema: Schema, files: Files, now: Callable[[], datetime]) -> None:
        self._schema = schema
        self._files = files
        self._now = now

    def close(self) -> None:
        """Every connection is given back."""
        self._schema.engine.dispose()

    def find(self, address: str) -> tuple[Subject, ...]:
        """See Platform.find."""
        with self._schema.reading() as connection:
            return find(connection, self._schema, address)

    def hosts_subjects(self, host_address: str, visitor_address: str) -> tuple[Subject, ...]:
        """See Platform.hosts_subjects."""
        hosts = {subject.key for subject in self.find(host_address) if subject.capacity is Capacity.USER}
        return tuple(
            subject for subject in self.find(visitor_address) if subject.host and subject.host.key in hosts
        )

    def fields(self, subject: Subject) -> tuple[FieldView, ...]:
        """See Platform.fields."""
        with self._schema.reading() as connection:
            return field_views(connection, self._schema, who_is(connection, self._schema, subject))

    def events(self, subject: Subject) -> tuple[EventRef, ...]:
        """See Platform.events."""
        with self._schema.reading() as connection:
            return events_of(connection, self._schema, who_is(connection, self._schema, subject))

    def plan(self, change: Change) -> Plan:
        """See Platform.plan."""
        with self._schema.reading() as connection:
            return self._draw(connection, change, measured=True).plan()

    def apply(self, plan: Plan, idempotency_key: str) -> Applied:
        """See Platform.apply."""
        self._schema.make_journal()
        key = key_hash(idempotency_key)
        if isinstance(plan.change, Deletion):
            self._begin(plan, plan.change, key)
        outcome = self._commit(plan, key)
        if outcome is not None and outcome.refusals:
            return outcome
        done = finish_files(self._schema, self._files, key)
        return Applied(done.rows, done.files, again=outcome is None)

    def finish_open(self) -> int:
        """See Platform.finish_open."""
        self._schema.make_journal()
        return finish_all(self._schema, self._files)

    def read_back(self, change: Change, plan: Plan) -> ReadBack:
        """See Platform.read_back."""
        if plan.change != change:
            raise ValueError("the plan is of another change")
        with self._schema.reading() as connection:
            mapped = read_back(connection, self._schema, self._files, plan)
        if not mapped.ok or not isinstance(change, Deletion):
            return mapped
        searched = search_texts(self._schema, plan.identifiers)
        is_clean = not searched.findings and not searched.unsearched
        return ReadBack(is_clean, unmapped=searched.findings, unsearched=searched.unsearched)

    def export(self, subjects: tuple[Subject, ...], out: Output, wording: Wording) -> None:
        """See Platform.export."""
        with self._schema.reading() as connection:
            people = [who_is(connection, self._schema, subject) for subject in subjects]
            write_export(connection, self._schema, self._files, people, out, self._now(), wording)

    def sweep_found(self, rule: SweepRule) -> SweepFound:
        """See Sweepable.sweep_found."""
        with self._schema.reading() as connection:
            return sql_sweep.found(connection, self._schema, rule, self._now())

    def sweep_accounts(self, rule: SweepRule, at_most: int) -> tuple[Subject, ...]:
        """See Sweepable.sweep_accounts."""
        with self._schema.reading() as connection:
            return sql_sweep.accounts_due(connection, self._schema, rule, self._now(), at_most)

    def sweep_rows(self, rule: SweepRule) -> int:
        """See Sweepable.sweep_rows."""
        with self._schema.writing() as connection:
            return sql_sweep.delete_due(connection, self._schema, rule, self._now())

    def is_due(self, rule: SweepRule, subject: Subject) -> bool:
        """See Sweepable.is_due."""
        with self._schema.reading() as connection:
            who = who_is(connection, self._schema, subject)
            return sql_sweep.is_due(connection, self._schema, rule, who.account, self._now())

    def people(self) -> Iterator[tuple[str, ...]]:
        """See WalkedPlatform.people."""
        return walk(self._schema, people_columns(self._schema))

    def promoted(self) -> Iterator[tuple[str, ...]]:
        """See WalkedPlatform.promoted."""
        return walk(self._schema, promotion_columns(self._schema))

    def count_people(self) -> int:
        """See WalkedPlatform.count_people."""
        with self._schema.reading() as connection:
            return count_people(connection, self._schema)

    def created(self, subject: Subject) -> Created | None:
        """See WalkedPlatform.created."""
        with self._schema.reading() as connection:
            return created(connection, self._schema, who_is(connection, self._schema, subject))

    def check(self) -> tuple[CheckLine, ...]:
        """See Platform.check."""
        return check_schema(self._schema, self._files)

    def _begin(self, plan: Plan, change: Deletion, key: str) -> None:
        """What does not fit into one transaction is gone before it. Files are counted before it, too: no store
        is waited for while rows are locked."""
        with self._schema.reading() as connection:
            if was_applied(connection, self._schema, key):
                return
            drawing = self._draw(connection, change, measured=True)
            who = who_is(connection, self._schema, change.subject)
        places = grown(plan, drawing.plan())
        if any(place.startswith("files:") for place in places):
            raise PlanGrew(places)
        if is_large(drawing):
            self._compare(plan, drawing)
            Batches(self._schema, self._files, who, drawing, key, self._now()).run()

    def _commit(self, plan: Plan, key: str) -> Applied | None:
        """None: the key had been applied before. Refusals: nothing was changed, and the key stays free."""
        with self._schema.writing() as connection:
            if not claim(connection, self._schema, key, self._now()):
                return None
            self._lock(connection, plan.change)
            drawing = self._draw(connection, plan.change)
            refused = tuple(refusal for refusal in drawing.refusals if refusal not in plan.refusals)
            if refused:
                connection.rollback()
                return Applied(0, 0, refusals=refused)
            if drawing.doings or not is_begun(connection, self._schema, key):
                self._compare(plan, drawing)
            rows = carry_out(connection, self._schema, drawing.doings)
            return close_claim(connection, self._schema, key, rows, drawing.files)

    def _compare(self, shown: Plan, drawing: Drawing) -> None:
        places = grown(shown, drawing.plan())
        if places:
            raise PlanGrew(places)
        if shown.rows and not drawing.doings:
            raise NothingChanged

    def _lock(self, connection: Connection, change: Change) -> None:
        """Nobody adds rows that refer to the person's account while it is being deleted (PostgreSQL; SQLite
        has one writer anyway)."""
        if isinstance(change, Deletion | Correction) and change.subject.capacity is Capacity.USER:
            who: Who = who_is(connection, self._schema, change.subject)
            table = self._schema.table(who.rule.table)
            mine = all_equal(table, who.rule.key, who.account)
            connection.execute(select(table).where(mine).with_for_update())

    def _draw(self, connection: Connection, change: Change, *, measured: bool = False) -> Drawing:
        match change:
            case Deletion(subject):
                who = who_is(connection, self._schema, subject)
                return draw_deletion(
                    connection, self._schema, self._files, who, change, self._now(), measured=measured
                )
            case Correction(subject):
                who = who_is(connection, self._schema, subject)
                return draw_correction(connection, self._schema, who, change, self._now())
            case Flagging(subject):
                who = who_is(connection, self._schema, subject)
                return draw_flag(connection, self._schema, who, change)
            case Unsubscribe() | Resubscribe():
                return draw_promotion(connection, self._schema, change, self._now())
