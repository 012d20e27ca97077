"""The data map held against the live schema: what has vanished, what is not mapped, what will be slow."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Table

from mailbot.core.data_map import CaseRule, ColumnRule, Hop, OnDeletion, Place
from mailbot.core.data_map_names import named_columns, names_of
from mailbot.core.file_paths import DEFAULT_STORE
from mailbot.core.plan import PlatformTrouble
from mailbot.platform.files import Files
from mailbot.platform.interface import CheckLine, CheckStatus
from mailbot.platform.live_schema import Link, LiveSchema, Looks, read_live_schema
from mailbot.platform.sql_order import deletion_order
from mailbot.platform.sql_schema import Schema


def check_schema(schema: Schema, files: Files) -> tuple[CheckLine, ...]:
    """One line for each thing found; a single line where all is well. Never raises."""
    try:
        with schema.reading() as connection:
            live = read_live_schema(connection)
            found = [*_Check(schema, files, live).lines()]
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
    def __init__(self, schema: Schema, files: Files, live: LiveSchema) -> None:
        self.schema = schema
        self.data_map = schema.data_map
        self.files = files
        self.live = live
        self.named = named_columns(schema.data_map)
        self.own = {schema.journal.name, schema.begun.name}

    def lines(self) -> Iterator[CheckLine]:
        for table, name, where in sorted(set(names_of(self.data_map))):
            yield from self._vanished(table, name, where)
        for name in sorted(self.data_map.tables() & self.live.tables.keys()):
            yield from self._mapped_table(self.live.tables[name])
        for place in self.data_map.places:
            if place.table in self.live.tables:
                yield from self._writes(place)
        yield from self._undecided()
        yield from self._unmapped_tables()
        yield from self._unseen()
        yield from self._circles()
        yield from self._slow_links()
        yield from self._slow_addresses()
        yield from self._stores()

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
        engine = str(table.dialect_options["mysql"].get("engine") or table.kwargs.get("mysql_engine", ""))
        if engine.lower() in ("myisam", "aria", "memory"):
            mend = f"ALTER TABLE {table.name} ENGINE = InnoDB"
            yield _failed(f'table "{table.name}" is {engine}: its changes cannot be taken back', mend)
        for name, looks in self._personal(table):
            if (table.name, name) not in self.named:
                what = (
                    f'column "{name}" of "{table.name}" looks personal ({looks}) and is not in the data map'
                )
                yield _warning(what, f'Add it to [places.columns] of "{table.name}", or to not_personal')

    def _naming_somebody(self, table: Table) -> list[str]:
        """A column "name" alone may be the name of a thing."""
        looks = {name: looks for name, looks in self._personal(table) if looks.names_somebody}
        return [] if list(looks) == ["name"] else list(looks)

    def _personal(self, table: Table) -> Iterator[tuple[str, Looks]]:
        for name, looks in self.live.looks(table).items():
            if f"{table.name}.{name}" not in self.data_map.not_personal:
                yield name, looks

    def _writes(self, place: Place) -> Iterator[CheckLine]:
        """What a deletion would write, but the table cannot take."""
        table = self.live.tables[place.table]
        for rule in place.columns:
            column = table.c.get(rule.column)
            if column is None or rule.on_deletion is OnDeletion.KEEP or rule.inside:
                continue
            where = f'places ({place.name}, {place.subject}): "{rule.name}"'
            if rule.on_deletion is OnDeletion.NULL and not column.nullable:
                yield _failed(f"{where} cannot be null", "Write anonymise with a replacement")
            if rule.on_deletion is OnDeletion.ANONYMISE and self._must_differ(table, rule):
                yield _failed(f"{where} must be unique", 'Write {key} in its replacement: "deleted-{key}"')

    def _must_differ(self, table: Table, rule: ColumnRule) -> bool:
        unique = [list(one["column_names"]) for one in self.live.inspector.get_unique_constraints(table.name)]
        return [rule.column] in unique and "{key}" not in str(rule.replacement)

    def _undecided(self) -> Iterator[CheckLine]:
        """What a draft left open."""
        places = self.data_map.places
        names = [place.name for place in places if "?" in (place.category, place.purpose, place.retention)]
        if names:
            what = f'category, purpose or retention is still "?" in {len(names)} places: {", ".join(names)}'
            yield _warning(what, "Write what your privacy policy says: exports tell it to people")

    def _unmapped_tables(self) -> Iterator[CheckLine]:
        mapped = self.data_map.tables() | self.own | self.data_map.not_personal
        staying = {
            place.table for place in self.data_map.places if place.on_deletion is not OnDeletion.DELETE
        }
        staying -= {place.table for place in self.data_map.places if place.on_deletion is OnDeletion.DELETE}
        ways: dict[str, tuple[Link, ...]] = {}
        for rule in (self.data_map.user, self.data_map.visitor):
            if rule:
                ways = {**self.live.ways_to(rule.table, frozenset(staying)), **ways}
        for table in self.live.tables.values():
            if table.name in mapped:
                continue
            if table.name in ways:
                yield self._reaches(table, ways[table.name])
            elif found := self._naming_somebody(table):
                names = ", ".join(found)
                what = f'table "{table.name}" looks personal ({names}) and is not in the data map'
                yield _warning(what, "Add [[places]] for it if people's data is in it, else to not_personal")

    def _reaches(self, table: Table, way: tuple[Link, ...]) -> CheckLine:
        over = " over " + ", ".join(link.to for link in way[:-1]) if len(way) > 1 else ""
        what = f'table "{table.name}" refers to {way[-1].to}{over} and is not in the data map'
        path = ", ".join(f'"{link}"' for link in way)
        return _failed(
            what, f"Add [[places]] with path = [{path}]: deletions would fail, cascade or leave data behind"
        )

    def _unseen(self) -> Iterator[CheckLine]:
        """Rows that go or lose their reference because of others, without being in a plan."""
        going = {place.table for place in self.data_map.places if place.on_deletion is OnDeletion.DELETE}
        seen = {
            (table, hop.columns, hop.table)
            for place in self.data_map.places
            for table, hop in _steps(place.table, place.path)
        }
        for link in self.live.links:
            is_new = (link.table, link.columns, link.to) not in seen
            if link.to not in going or not is_new or link.table not in self.data_map.tables():
                continue
            where = f'"{link.table}.{", ".join(link.columns)}"'
            if link.on_delete == "CASCADE":
                mend = f'Add [[places]] for "{link.table}" with a path that begins "{link}"'
                yield _failed(f"{where} would cascade unseen when rows of {link.to} are deleted", mend)
            elif link.on_delete.startswith("SET"):
                mend = "Nothing to do if that is right; it is in no plan and in no read-back"
                yield _warning(f"{where} is emptied unseen when rows of {link.to} are deleted", mend)

    def _circles(self) -> Iterator[CheckLine]:
        mapped = self.data_map.tables() & self.live.tables.keys()
        order = deletion_order({name: self.live.tables[name] for name in mapped}, self.data_map)
        late = {f"{link.table}.{link.columns[0]}" for link in self.live.links if link.deferrable}
        for name in order.stuck:
            if self.schema.dialect == "mysql" or (self.schema.dialect == "postgresql" and name not in late):
                mend = "Make it nullable, or (PostgreSQL) DEFERRABLE: else neither row can go first"
                yield _failed(f'"{name}" closes a circle of references and cannot be null', mend)

    def _slow_links(self) -> Iterator[CheckLine]:
        links = {
            (table, hop.columns[0])
            for place in self.data_map.places
            for table, hop in _steps(place.table, place.path)
        }
        for table, column in sorted(links):
            if self._has(table, column) and not self.live.is_indexed(table, column):
                yield _warning(f'"{table}.{column}" has no index', "Create one: every deletion reads by it")

    def _slow_addresses(self) -> Iterator[CheckLine]:
        """Addresses are asked for at every mail; small tables are read whole without harm."""
        for table, column in sorted(set(self._address_columns())):
            if not self._has(table, column) or not self.live.is_large(self.live.tables[table]):
                continue
            if self.data_map.addresses.case is CaseRule.LOWER:
                if not self.live.is_indexed(table, column):
                    yield _warning(f'"{table}.{column}" has no index', f"CREATE INDEX ON {table} ({column})")
            elif not self.live.is_indexed_lower(table, column):
                what = f'"{table}.{column}" has no index on lower(trim({column}))'
                mend = f"CREATE INDEX ON {table} (lower(trim({column}))); or, if the platform keeps addresses trimmed"
                yield _warning(what, f'{mend} and in lower case, [addresses] case = "lower"')

    def _address_columns(self) -> Iterator[tuple[str, str]]:
        for rule in (self.data_map.user, self.data_map.visitor):
            if rule:
                yield rule.table, rule.address
                yield from ((former.table, former.address) for former in rule.former)
        for place in self.data_map.places:
            yield from ((place.table, name) for name in place.match if "." not in name)
        yield from ((promotion.table, promotion.address) for promotion in self.data_map.promotions)

    def _has(self, table: str, column: str) -> bool:
        return table in self.live.tables and column in self.live.tables[table].c

    def _stores(self) -> Iterator[CheckLine]:
        for name in sorted(self.data_map.stores()):
            if name in self.files.stores:
                found = self.files.stores[name].check()
                yield from () if found is None else (found,)
            elif name == DEFAULT_STORE:
                yield _failed(
                    "the data map names files, but no files root is configured", "Set it in [platform]"
                )
            else:
                yield _failed(
                    f'the data map names the store "{name}"', f"Configure it as [platform.stores.{name}]"
                )


def _steps(table: str, path: tuple[Hop, ...]) -> Iterator[tuple[str, Hop]]:
    """Each hop with the table that it starts from."""
    for hop in path:
        yield table, hop
        table = hop.table
