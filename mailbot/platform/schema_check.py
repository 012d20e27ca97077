"""The data map held against the live schema: what has vanished, what is not mapped, what will be slow."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Inspector, MetaData, Table, inspect

from mailbot.core.data_map import Place
from mailbot.core.plan import PlatformTrouble
from mailbot.platform.files import Files
from mailbot.platform.interface import CheckLine, CheckStatus
from mailbot.platform.sql_schema import Schema

PERSONAL = re.compile(
    r"mail|name|phone|mobile|address|street|city|zip|postal|birth|skype|passport|iban|bank|vat|(^|_)ip($|_)|password",
    re.IGNORECASE,
)


def check_schema(schema: Schema, files: Files) -> tuple[CheckLine, ...]:
    """One line for each thing found; a single line where all is well. Never raises."""
    try:
        with schema.reading() as connection:
            live = MetaData()
            live.reflect(connection)
            found = [*_Check(schema, files, live, inspect(connection)).lines()]
    except PlatformTrouble as trouble:
        return (_failed(str(trouble), "Correct [platform] url, or start the database"),)
    return tuple(found) or (
        CheckLine(CheckStatus.OK, f"data map fits the schema ({len(live.tables)} tables)"),
    )


def _failed(what: str, mend: str) -> CheckLine:
    return CheckLine(CheckStatus.FAILED, what, mend)


def _warning(what: str, mend: str) -> CheckLine:
    return CheckLine(CheckStatus.WARNING, what, mend)


class _Check:
    def __init__(self, schema: Schema, files: Files, live: MetaData, inspector: Inspector) -> None:
        self.data_map = schema.data_map
        self.files = files
        self.live = live
        self.inspector = inspector

    def lines(self) -> Iterator[CheckLine]:
        for table, name, where in sorted(set(self._named_columns())):
            yield from self._vanished(table, name, where)
        for table in sorted(self.data_map.tables() & set(self.live.tables)):
            yield from self._mapped_table(self.live.tables[table])
        yield from self._unmapped_tables()
        yield from self._slow_links()
        yield from self._files_root()

    def _named_columns(self) -> Iterator[tuple[str, str, str]]:
        for rule in (self.data_map.user, self.data_map.visitor):
            if rule:
                where = f"subjects.{rule.capacity}"
                names = (rule.key, rule.address, rule.name, rule.language, rule.changed_at)
                yield from ((rule.table, name, where) for name in names if name)
                for former in rule.former:
                    yield former.table, former.address, where
                    yield former.table, former.link.column, where
                if rule.event:
                    yield rule.event.path[-1].table, rule.event.title, where
                    yield rule.event.path[-1].table, rule.event.held_at, where
        if self.data_map.visitor and self.data_map.visitor.mode_column:
            yield self.data_map.user.table, self.data_map.visitor.mode_column, "subjects.visitor"
        for place in self.data_map.places:
            yield from self._columns_of(place)
        for promotion in self.data_map.promotions:
            yield promotion.table, promotion.address, "promotions"
            if promotion.column:
                yield promotion.table, promotion.column, "promotions"
        for limit in self.data_map.limits:
            if limit.after_now:
                yield limit.table, limit.after_now, f"limits ({limit.id})"

    def _columns_of(self, place: Place) -> Iterator[tuple[str, str, str]]:
        where = f"places ({place.table}, {place.subject})"
        for name in [*(rule.name for rule in place.columns), *place.match]:
            yield place.table, name, where
        if place.keeping:
            yield place.table, place.keeping.since, where
        for path in (place.path, place.scope):
            table = place.table
            for hop in path:
                yield table, hop.column, where
                yield hop.table, hop.target, where
                table = hop.table

    def _vanished(self, table: str, name: str, where: str) -> Iterator[CheckLine]:
        if table not in self.live.tables:
            yield _failed(f'{where}: table "{table}" is not in the database', "Correct its name or remove it")
        elif name not in self.live.tables[table].c:
            yield _failed(f'{where}: column "{name}" is not in "{table}"', "Correct its name or remove it")

    def _mapped_table(self, table: Table) -> Iterator[CheckLine]:
        if not table.primary_key.columns:
            yield _failed(
                f'table "{table.name}" has no primary key', "Give it one: rows cannot be named else"
            )
        mapped = {name for other, name, _ in self._named_columns() if other == table.name}
        for column in table.columns:
            if column.name not in mapped and PERSONAL.search(column.name):
                what = f'column "{column.name}" of "{table.name}" looks personal and is not in the data map'
                yield _warning(what, f'Add it to [places.columns] of "{table.name}"')

    def _unmapped_tables(self) -> Iterator[CheckLine]:
        mapped = self.data_map.tables() | {self.data_map.journal_table}
        for table in sorted(self.live.tables.values(), key=lambda item: item.name):
            if table.name in mapped:
                continue
            reached = {key.column.table.name for key in table.foreign_keys} & self.data_map.tables()
            if reached:
                what = (
                    f'table "{table.name}" refers to {", ".join(sorted(reached))} and is not in the data map'
                )
                yield _failed(what, "Add [[places]] for it: deletions would fail or leave data behind")
            elif any(PERSONAL.search(column.name) for column in table.columns):
                what = f'table "{table.name}" has columns that look personal and is not in the data map'
                yield _warning(what, "Add [[places]] for it, if people's data is in it")

    def _slow_links(self) -> Iterator[CheckLine]:
        links = {(place.table, hop[0].column) for place in self.data_map.places if (hop := place.path)}
        for table, column in sorted(links):
            if table in self.live.tables and not self._has_index(self.live.tables[table], column):
                yield _warning(f'"{table}.{column}" has no index', "Create one: every deletion reads by it")

    def _has_index(self, table: Table, column: str) -> bool:
        firsts: set[str | None] = {key.name for key in list(table.primary_key.columns)[:1]}
        firsts |= {index["column_names"][0] for index in self.inspector.get_indexes(table.name)}
        firsts |= {unique["column_names"][0] for unique in self.inspector.get_unique_constraints(table.name)}
        return column in firsts

    def _files_root(self) -> Iterator[CheckLine]:
        if not any(rule.file for place in self.data_map.places for rule in place.columns):
            return
        if self.files.root is None:
            yield _failed("the data map names files, but no files root is configured", "Set it in [platform]")
        elif not self.files.root.is_dir():
            yield _failed("the files root is not a folder", "Create or mount it, or correct [platform]")
