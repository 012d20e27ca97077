"""The data map: where the platform keeps personal data of whom, and what each request does with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mailbot.core.file_paths import DEFAULT_STORE
from mailbot.core.plan import HostMode
from mailbot.core.request import Capacity


class Access(StrEnum):
    """What an export shows of a column."""

    SHOW = "show"
    MASK = "mask"
    LEAVE_OUT = "leave_out"


class OnDeletion(StrEnum):
    """What a deletion does with the rows of a place, or with one column of rows that stay."""

    DELETE = "delete"
    NULL = "null"
    ANONYMISE = "anonymise"
    NOW = "now"
    """Of a column: the time of the deletion is written, as platforms with soft deletion do."""
    KEEP = "keep"


class CaseRule(StrEnum):
    """How the platform writes addresses down. Two cases of one address are never two people."""

    ANY = "any"
    """As people typed them: compared by lower(trim(column)), which needs an index on that expression."""
    LOWER = "lower"
    """Always trimmed and in lower case: compared as they are, by a plain index."""


class PlusRule(StrEnum):
    """What anna+shop@example.org is to the platform."""

    DISTINCT = "distinct"
    """Another address than anna@example.org."""
    SAME = "same"
    """The same: either finds the other."""


class Validator(StrEnum):
    """What a corrected value must be."""

    TEXT = "text"
    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    COUNTRY = "country"
    """As the person writes it."""
    COUNTRY_CODE = "country_code"
    """ISO 3166-1 alpha-2; a country's name in a known language becomes its code."""
    VAT_NUMBER = "vat_number"


class Switch(StrEnum):
    """How a column says that somebody gets promotional mail."""

    BOOLEAN = "boolean"
    """true: gets it."""
    TIME_OF_END = "time_of_end"
    """null: gets it; else the time at which it ended."""
    ROW = "row"
    """The row is there: gets it. Cannot be undone from here."""


Scalar = str | int | float | bool
"""A value as TOML has it."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One step from a table towards the person: "webinar_id = webinars.id".

    A composite key has several `columns` and as many `targets`. `only`: the step holds for rows in which
    these columns have these values; so a polymorphic reference says to which table it leads.
    """

    table: str
    columns: tuple[str, ...]
    targets: tuple[str, ...]
    only: tuple[tuple[str, Scalar], ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """Every column of the table it starts from."""
        return (*self.columns, *(name for name, _ in self.only))


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """One column that holds personal data, or with "column.key.key" as `name` one value inside a JSON column
    ("*" stands for every entry of a list).

    `field` is its name for people and in corrections; with a `validator` it can be corrected. `address`
    marks one that holds an address of the person: read-back looks there. `file` marks a path in `store`.
    `on_deletion` counts in rows that stay; `replacement` is what anonymising writes ("{key}" in it becomes the
    row's primary key, for columns that must be unique).
    """

    name: str
    field: str | None
    validator: Validator | None
    unique: bool
    access: Access
    on_deletion: OnDeletion
    replacement: Scalar | None
    address: bool
    file: bool
    category: str
    purpose: str
    recipients: tuple[str, ...]
    retention: str
    store: str = DEFAULT_STORE

    @property
    def column(self) -> str:
        """The column of the table."""
        return self.name.partition(".")[0]

    @property
    def inside(self) -> tuple[str, ...]:
        """The way to the value inside a JSON column; empty for a plain one."""
        return tuple(self.name.split(".")[1:])


@dataclass(frozen=True, slots=True)
class FileRule:
    """Files that no column names, but whose `path` a row's columns fill in (core/file_paths)."""

    path: str
    store: str
    access: Access


@dataclass(frozen=True, slots=True)
class Keeping:
    """Why and how long rows stay: `years` from the time in `since` on."""

    ground: str
    since: str
    years: int


@dataclass(frozen=True, slots=True)
class Place:
    """One table, as far as one kind of person is concerned. `name` is the table's, unless a table is several
    places of one kind of person.

    Rows belong to the person when `path` leads to them, or when a column in `match` holds one of their
    addresses (for visitors: and `scope` leads to the host). `shared`: others may hold on to the same row,
    then it stays. `may_grow`: rows that come between showing and doing are no surprise. `logs_out`: rows are
    log-ins of the person, and go before anything else.
    """

    name: str
    table: str
    subject: Capacity
    path: tuple[Hop, ...]
    match: tuple[str, ...]
    scope: tuple[Hop, ...]
    access: Access
    on_deletion: OnDeletion
    keeping: Keeping | None
    shared: bool
    may_grow: bool
    logs_out: bool
    category: str
    purpose: str
    recipients: tuple[str, ...]
    retention: str
    columns: tuple[ColumnRule, ...]
    files: tuple[FileRule, ...] = ()
    source: str = ""
    """Where the data comes from, unless from the person (Art. 15(1)(g) GDPR)."""


@dataclass(frozen=True, slots=True)
class Former:
    """A table of addresses that a person had before."""

    table: str
    address: str
    link: Hop
    changed_at: str | None


@dataclass(frozen=True, slots=True)
class EventRule:
    """How a visitor's row leads to the event, and what the event is called and when it is."""

    path: tuple[Hop, ...]
    title: str
    held_at: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A column that says that somebody's data may not be used: `value` while that is so, else `lifted`."""

    column: str
    value: Scalar
    lifted: Scalar | None


@dataclass(frozen=True, slots=True)
class SubjectRule:
    """How one kind of person is found. For visitors `host` leads to the account they left their data with;
    `mode_column` of that account says how that host wants to be asked, else `mode` counts. `deactivate` is
    written first when a deletion takes more than one transaction; the value "now" is the time of it. `created_at`
    tells who registered again after their deletion (`platform replay`)."""

    capacity: Capacity
    table: str
    key: tuple[str, ...]
    address: str
    name: str
    language: str | None
    changed_at: str | None
    former: tuple[Former, ...]
    host: tuple[Hop, ...]
    event: EventRule | None
    mode: HostMode
    mode_column: str | None
    deactivate: tuple[tuple[str, Scalar], ...]
    created_at: str | None = None
    restriction: Flag | None = None
    objection: Flag | None = None


@dataclass(frozen=True, slots=True)
class Promotion:
    """One place that says who gets promotional mail."""

    table: str
    address: str
    switch: Switch
    column: str | None


@dataclass(frozen=True, slots=True)
class Limit:
    """Beyond `more_than` rows staff must look first. With `after_now` only rows count whose time there is
    still to come."""

    id: str
    table: str
    path: tuple[Hop, ...]
    after_now: str | None
    more_than: int
    reason: str


@dataclass(frozen=True, slots=True)
class Veto:
    """While a row like this leads to the account, staff must look before it is deleted: one with the values of
    `where`, nothing in the columns `empty`, and its time in `near` at most `hours` before or after now.

    With `sole_in` the row is the account itself, and the veto holds while others share its value of that
    column and none of them fits `where`: the only owner of a company.
    """

    id: str
    table: str
    path: tuple[Hop, ...]
    where: tuple[tuple[str, Scalar], ...]
    empty: tuple[str, ...]
    near: str | None
    hours: int
    sole_in: str | None
    reason: str


class Swept(StrEnum):
    """What a sweep deletes."""

    ACCOUNTS = "accounts"
    """Whole accounts, each as if the person had asked for it."""
    ROWS = "rows"
    """Only rows of one table."""


@dataclass(frozen=True, slots=True)
class SweepRule:
    """What is deleted by itself `after_days` since the latest of the times in `last_used`; only rows that have
    something in every column of `only_with`. At most `at_most` a day, and none, but staff told, when more than
    `alarm_above_percent` of all rows are due."""

    id: str
    deletes: Swept
    table: str
    only_with: tuple[str, ...]
    last_used: tuple[str, ...]
    after_days: int
    at_most: int
    alarm_above_percent: int

    @property
    def evidence(self) -> str:
        """What stands as evidence in the requests that it brings up."""
        return f"sweep.{self.id}"


@dataclass(frozen=True, slots=True)
class AddressRules:
    """How addresses are compared on this platform."""

    case: CaseRule
    plus: PlusRule


@dataclass(frozen=True, slots=True)
class TextSearch:
    """After a deletion every text column that the map does not name is searched for the person's addresses,
    for at most `seconds`, apart from the tables in `leave_out`."""

    is_on: bool
    leave_out: frozenset[str]
    seconds: int


@dataclass(frozen=True, slots=True)
class DataMap:
    """The whole map. `journal_table` is mailbot's own, in the platform's database. `not_personal` names tables
    and "table.column" that somebody looked at and found nothing personal in."""

    journal_table: str
    addresses: AddressRules
    text_search: TextSearch
    not_personal: frozenset[str]
    user: SubjectRule
    visitor: SubjectRule | None
    places: tuple[Place, ...]
    promotions: tuple[Promotion, ...]
    limits: tuple[Limit, ...]
    vetoes: tuple[Veto, ...] = ()
    sweeps: tuple[SweepRule, ...] = ()
    transfers: str = ""
    """What people are told of data that leaves the European Economic Area (Art. 15(2) GDPR)."""
    automated_decisions: str = ""
    """What they are told of decisions that programs make about them (Art. 15(1)(h) GDPR)."""

    def places_of(self, capacity: Capacity) -> tuple[Place, ...]:
        """Every place that holds data of this kind of person, as ordered in the map."""
        return tuple(place for place in self.places if place.subject is capacity)

    def subject_rule(self, capacity: Capacity) -> SubjectRule | None:
        """How this kind of person is found; None where the platform has none."""
        return self.visitor if capacity is Capacity.VISITOR else self.user

    def correctable_fields(self) -> tuple[str, ...]:
        """The names of the fields that a correction may change, as ordered in the map."""
        rules = (rule for place in self.places for rule in place.columns if rule.validator and rule.field)
        return tuple(dict.fromkeys(rule.field for rule in rules if rule.field))

    def stores(self) -> frozenset[str]:
        """Every store of files that the map names."""
        named = {rule.store for place in self.places for rule in place.columns if rule.file}
        return frozenset(named | {rule.store for place in self.places for rule in place.files})

    def tables(self) -> frozenset[str]:
        """Every table that the map names."""
        rules = [rule for rule in (self.user, self.visitor) if rule]
        paths = [path for place in self.places for path in (place.path, place.scope)]
        paths += [limit.path for limit in self.limits] + [rule.host for rule in rules]
        paths += [veto.path for veto in self.vetoes]
        paths += [rule.event.path for rule in rules if rule.event]
        names = {hop.table for path in paths for hop in path}
        names |= {place.table for place in self.places} | {limit.table for limit in self.limits}
        names |= {veto.table for veto in self.vetoes} | {sweep.table for sweep in self.sweeps}
        names |= {promotion.table for promotion in self.promotions}
        names |= {former.table for rule in rules for former in rule.former}
        return frozenset(names | {rule.table for rule in rules})
