"""A first data map out of a live schema: who, how rows lead to them, what looks personal.

What cannot be known from a schema (purposes, retention, legal grounds) is written as "?", and every guess has a
comment that says what to decide. Values are looked at, never written down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Boolean, Column, DateTime, String, Table, Text
from sqlalchemy.engine import Connection

from mailbot.platform.live_schema import Link, LiveSchema, Looks, read_live_schema

LONGEST_PATH = 5
PERSON_TABLE = re.compile(
    r"user|account|member|customer|person|people|profile|client|subscriber", re.IGNORECASE
)
MONEY_TABLE = re.compile(r"invoice|payment|transaction|order|billing|receipt|refund", re.IGNORECASE)
SESSION_TABLE = re.compile(r"session|refresh_?token|login_?token", re.IGNORECASE)
LOG_TABLE = re.compile(r"log|visit|event|history|audit|view|session|token", re.IGNORECASE)
PROMOTION = re.compile(r"newsletter|marketing|promo|opt_?in|mailing|subscribed", re.IGNORECASE)
ENDED_AT = re.compile(r"(deleted|deactivated|disabled|ended|closed)_(at|on|date)$", re.IGNORECASE)
IS_ACTIVE = re.compile(r"(is_)?(active|enabled)$", re.IGNORECASE)
CREATED_AT = re.compile(
    r"(created|registered|joined|signed_?up)(_?(at|on|date))?|date_(joined|created)", re.IGNORECASE
)
FIRST_NAME = re.compile(r"(first|given)_?name$", re.IGNORECASE)
LAST_NAME = re.compile(r"(last|sur|family)_?name$", re.IGNORECASE)
LANGUAGE = re.compile(r"(^|_)(language|locale|lang)$", re.IGNORECASE)


ABOUT_ONE_PERSON = (Looks.NAME, Looks.PHONE, Looks.ADDRESS, Looks.IP, Looks.PERSONAL)
COMMENTS = {
    Looks.FREE_TEXT: "people's addresses are in this text: whose?",
    Looks.FILE: "does it name an uploaded file? Then add file = true",
}


@dataclass(frozen=True, slots=True)
class DraftColumn:
    """A column with the keys that the draft gives it, as TOML writes them; not `decided`: only as a comment."""

    name: str
    keys: tuple[tuple[str, object], ...]
    comment: str = ""
    decided: bool = True


@dataclass(frozen=True, slots=True)
class DraftPlace:
    """A place with what is guessed about it."""

    name: str
    table: str
    path: tuple[Link, ...]
    match: tuple[str, ...]
    on_deletion: str
    columns: tuple[DraftColumn, ...]
    comments: tuple[str, ...]
    may_grow: bool = False
    logs_out: bool = False


@dataclass(frozen=True, slots=True)
class DraftSubject:
    """The table of accounts. `others` are tables that seem so too."""

    table: str
    key: tuple[str, ...]
    address: str
    name: str
    language: str | None
    created: str | None
    former: tuple[tuple[str, str, Link], ...]
    deactivate: tuple[tuple[str, object], ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that was guessed. `promotions` are table, address column, switched column; `open_references`
    table, column of the type, column of the number."""

    subject: DraftSubject
    places: tuple[DraftPlace, ...]
    promotions: tuple[tuple[str, str, str], ...]
    open_references: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class NoSubject:
    """No table with people's addresses was found among so many."""

    tables: int


def draft_of(connection: Connection) -> Draft | NoSubject:
    """What the schema behind `connection` lets one guess."""
    live = read_live_schema(connection)
    looks = {name: live.looks(table) for name, table in live.tables.items() if table.primary_key.columns}
    found = _subject(live, looks)
    if found is None:
        return NoSubject(len(live.tables))
    places = _Places(live, looks, found)
    promotions = (
        (name, address, column.name)
        for name, table in live.tables.items()
        for address in _with(looks.get(name, {}), Looks.EMAIL)[:1]
        for column in table.columns
        if PROMOTION.search(column.name) and isinstance(column.type, Boolean)
    )
    return Draft(found, tuple(places.all()), tuple(promotions), tuple(live.open_references()))


def _with(looks: dict[str, Looks], kind: Looks) -> list[str]:
    return [name for name, one in looks.items() if one is kind]


def _subject(live: LiveSchema, looks: dict[str, dict[str, Looks]]) -> DraftSubject | None:
    """The table with addresses that most others refer to, and that is called like people are."""

    def weight(name: str) -> tuple[int, int]:
        referring = sum(link.to == name and link.table != name for link in live.links)
        called = 10 * bool(PERSON_TABLE.search(name)) + 10 * bool(_with(looks[name], Looks.SECRET))
        return called + referring, -len(name)

    people = sorted((name for name in looks if _with(looks[name], Looks.EMAIL)), key=weight, reverse=True)
    if not people:
        return None
    table = live.tables[people[0]]
    mine = looks[table.name]
    names = _with(mine, Looks.NAME)
    address = _with(mine, Looks.EMAIL)[0]
    return DraftSubject(
        table=table.name,
        key=tuple(column.name for column in table.primary_key.columns),
        address=address,
        name=min(names, key=_fitness_to_greet) if names else address,
        language=next((column.name for column in table.columns if LANGUAGE.search(column.name)), None),
        created=next((column.name for column in table.columns if CREATED_AT.fullmatch(column.name)), None),
        former=tuple(_former(live, looks, table)),
        deactivate=tuple(_deactivation(table)),
        others=tuple(name for name in people[1:] if PERSON_TABLE.search(name)),
    )


def _fitness_to_greet(column: str) -> tuple[bool, bool]:
    """Names of people before names of log-ins; a last name alone is no greeting. The least is the best."""
    return _is_short_of_a_name(column), bool(LAST_NAME.search(column))


def _is_short_of_a_name(column: str) -> bool:
    """The name of a log-in."""
    return bool(re.search(r"user|nick|display", column, re.IGNORECASE))


def _former(
    live: LiveSchema, looks: dict[str, dict[str, Looks]], user: Table
) -> Iterator[tuple[str, str, Link]]:
    key = {column.name for column in user.primary_key.columns}
    for link in live.links:
        addresses = _with(looks.get(link.table, {}), Looks.EMAIL)
        if link.to == user.name and set(link.targets) == key and addresses and "mail" in link.table:
            yield link.table, addresses[0], link


def _deactivation(table: Table) -> Iterator[tuple[str, object]]:
    for column in table.columns:
        if IS_ACTIVE.fullmatch(column.name) and _is_flag(column):
            yield column.name, False
        if ENDED_AT.search(column.name) and isinstance(column.type, DateTime):
            yield column.name, "now"


def _is_flag(column: Column[object]) -> bool:
    return isinstance(column.type, Boolean) or "TINYINT" in str(column.type).upper()


class _Places:
    """Places of the account's owner: their own row, what refers to it, and what holds their address."""

    def __init__(self, live: LiveSchema, looks: dict[str, dict[str, Looks]], subject: DraftSubject) -> None:
        self.live = live
        self.looks = looks
        self.subject = subject
        self.names: set[str] = set()

    def all(self) -> Iterator[DraftPlace]:
        """Every place, the account first; each goes only once along one way."""
        root = self._place(self.live.tables[self.subject.table], (), (), "delete", ())
        yield root
        going: list[DraftPlace] = [root]
        while going:
            to = going.pop(0)
            for link in self.live.links:
                if link.to == to.table and self._is_new(link, to):
                    place = self._linked(link, to)
                    yield place
                    if place.on_deletion == "delete":
                        going.append(place)
        yield from self._by_address()

    def _is_new(self, link: Link, to: DraftPlace) -> bool:
        tables = [to.table, *(step.to for step in to.path)]
        if link.table not in self.looks or len(to.path) >= LONGEST_PATH:
            return False
        return link.table not in tables or (link.table == to.table and link not in to.path)

    def _linked(self, link: Link, to: DraftPlace) -> DraftPlace:
        table = self.live.tables[link.table]
        may_stay = all(table.c[name].nullable for name in link.columns)
        comments = [
            "Decide: rows stay without the person, since their reference may be null; or delete them?"
            if may_stay
            else "Decide: rows go with the person; or do they belong to others too?"
        ]
        if MONEY_TABLE.search(link.table):
            comments.append(
                'Decide: must it be kept by law? Then on_deletion = "keep" and'
                " keep = { ground = …, since = …, years = … }"
            )
        if may_stay:
            comments += self._hanging((link, *to.path))
        cut = link.columns if may_stay else ()
        return self._place(table, (link, *to.path), (), "anonymise" if may_stay else "delete", cut, comments)

    def _hanging(self, path: tuple[Link, ...]) -> Iterator[str]:
        """What stays with rows that stay and is no place of its own, though it may be the person's: uploads, say."""
        for link in self.live.links:
            looks = self.looks.get(link.table, {})
            if link.to == path[0].table and looks and not self._is_drafted_otherwise(link.table):
                way = ", ".join(f'"{step}"' for step in (link, *path))
                yield (
                    f"Decide: {link.table} ({', '.join(looks)}) hangs on these rows and stays with them. If it is"
                    f" theirs, add a place with path = [{way}]"
                )

    def _is_drafted_otherwise(self, table: str) -> bool:
        """It refers to the account itself, or holds addresses."""
        refers = any(link.to == self.subject.table for link in self.live.links_from(table))
        return refers or bool(_with(self.looks[table], Looks.EMAIL))

    def _by_address(self) -> Iterator[DraftPlace]:
        """Tables that hold addresses, whether they refer to the account or not."""
        former = {table for table, _, _ in self.subject.former}
        comment = "Found by the address, not by a link. Decide: do the rows stay without the person, or go?"
        for name, looks in self.looks.items():
            if name == self.subject.table or name in former:
                continue
            addresses = _with(looks, Looks.EMAIL)
            for address in addresses:
                also = (
                    [one for one, kind in looks.items() if kind in ABOUT_ONE_PERSON]
                    if len(addresses) == 1
                    else []
                )
                yield self._place(
                    self.live.tables[name], (), (address,), "anonymise", (address, *also), (comment,)
                )

    def _place(
        self,
        table: Table,
        path: tuple[Link, ...],
        match: tuple[str, ...],
        on_deletion: str,
        cut: Sequence[str],
        comments: Sequence[str] = (),
    ) -> DraftPlace:
        looks = self.looks[table.name]
        references = [name for name in cut if name not in looks]
        columns = [
            DraftColumn(name, (("access", "leave_out"), ("on_deletion", "null"))) for name in references
        ]
        stays = on_deletion == "anonymise"
        for name, kind in looks.items():
            is_theirs = not stays or name in cut
            columns.append(
                self._column(table, name, kind, blank=stays) if is_theirs else _doubted(name, kind)
            )
        if stays and not match:
            columns += [
                _doubted(column.name, Looks.FREE_TEXT)
                for column in table.columns
                if isinstance(column.type, Text) and column.name not in looks
            ]
        return DraftPlace(
            name=self._name(table.name, path, match),
            table=table.name,
            path=path,
            match=match,
            on_deletion=on_deletion,
            columns=tuple(columns),
            comments=tuple(comments),
            may_grow=bool(LOG_TABLE.search(table.name)),
            logs_out=bool(SESSION_TABLE.search(table.name)) and on_deletion == "delete",
        )

    def _name(self, table: str, path: tuple[Link, ...], match: tuple[str, ...]) -> str:
        how = " over ".join(", ".join(link.columns) for link in path) or ", ".join(match)
        name = table if table not in self.names else f"{table} by {how}"
        number = 2
        while name in self.names:
            name, number = f"{table} by {how} ({number})", number + 1
        self.names.add(name)
        return name

    def _column(self, table: Table, name: str, looks: Looks, *, blank: bool) -> DraftColumn:
        is_root = table.name == self.subject.table
        keys: list[tuple[str, object]] = []
        if is_root:
            keys += self._correction(name, looks)
        if looks is Looks.EMAIL:
            keys.append(("address", True))
        if looks is Looks.SECRET:
            keys.append(("access", "leave_out"))
        comment = COMMENTS.get(looks, "")
        if blank:
            emptied, doubt = _blank(table.c[name])
            keys += emptied
            comment = doubt or comment
        return DraftColumn(name, tuple(keys), comment)

    def _correction(self, name: str, looks: Looks) -> list[tuple[str, object]]:
        names = [
            one for one in _with(self.looks[self.subject.table], Looks.NAME) if not _is_short_of_a_name(one)
        ]
        if looks is Looks.EMAIL and name == self.subject.address:
            return [("field", "email"), ("correct", "email"), ("unique", True)]
        if looks is Looks.NAME and names == [name]:
            return [("field", "name"), ("correct", "name")]
        for field, pattern in (("first_name", FIRST_NAME), ("last_name", LAST_NAME)):
            if looks is Looks.NAME and [one for one in names if pattern.search(one)] == [name]:
                return [("field", field), ("correct", "name")]
        if looks is Looks.PHONE:
            return [("field", "phone"), ("correct", "phone")]
        return []


def _doubted(name: str, looks: Looks) -> DraftColumn:
    """A column of a row that others have a part in."""
    return DraftColumn(name, (), f"looks like {looks}: theirs, or somebody else's?", decided=False)


def _blank(column: Column[object]) -> tuple[list[tuple[str, object]], str]:
    """What empties a column of rows that stay, and what is left to decide."""
    if column.nullable:
        return [("on_deletion", "null")], ""
    if isinstance(column.type, String):
        unique = column.unique or any(
            [one.name for one in index.columns] == [column.name]
            for index in column.table.indexes
            if index.unique
        )
        return [("on_deletion", "anonymise"), ("replacement", "deleted-{key}" if unique else "")], ""
    return [], "Decide: it cannot be null; what shall be written instead?"
