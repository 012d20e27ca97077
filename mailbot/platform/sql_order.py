"""In which order rows go: whoever refers before who is referred to, and circles opened first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from sqlalchemy import ForeignKeyConstraint, Table

from mailbot.core.data_map import DataMap


@dataclass(frozen=True, slots=True)
class Cut:
    """A reference in a circle (or of a table to itself) that is set to null before its rows go. On a `pathway`
    of the map that must not happen before everything that it leads to is known."""

    table: str
    column: str
    pathway: bool


@dataclass(frozen=True, slots=True)
class DeletionOrder:
    """`tables`, children first. `stuck` are references in circles that cannot be null: they hold only where
    the database may check them late. Rows of the `held` tables are what such references, and pathways that are
    cut, refer to: they can only go together with those."""

    tables: tuple[str, ...]
    cuts: tuple[Cut, ...]
    stuck: tuple[str, ...]
    held: frozenset[str]

    def position(self, table: str) -> int:
        """Smaller goes before."""
        return self.tables.index(table)


Edge = tuple[str, str]
"""A table, and another whose rows may only go after its own."""


def deletion_order(tables: Mapping[str, Table], data_map: DataMap) -> DeletionOrder:
    """The order for these tables; references to others are not looked at.

    What the map leads over goes after what is found by it, as far as foreign keys let it; and where a circle
    must be opened, such links are not the ones that are cut if there is a choice.
    """
    keys: dict[Edge, list[ForeignKeyConstraint]] = defaultdict(list)
    for table in tables.values():
        for key in table.foreign_key_constraints:
            if key.referred_table.name in tables:
                keys[table.name, key.referred_table.name].append(key)
    own = [key for (table, to), found in keys.items() if table == to for key in found]
    edges = {edge for edge in keys if edge[0] != edge[1]}
    edges |= {way for way in _ways(data_map) if way[::-1] not in edges and set(way) <= tables.keys()}
    pathways = frozenset(_pathways(data_map))
    order, opened = _sorted(sorted(tables), edges, keys, pathways)
    circular = [*own, *(key for edge in opened for key in keys.get(edge, ()))]
    led = [key for key in circular if (key.table.name, frozenset(key.column_keys)) in pathways]
    stuck = [key for key in circular if _nullable(key) is None]
    return DeletionOrder(
        tuple(order),
        tuple(Cut(key.table.name, column, key in led) for key in circular if (column := _nullable(key))),
        tuple(f"{key.table.name}.{key.column_keys[0]}" for key in stuck),
        frozenset(key.referred_table.name for key in [*led, *stuck]),
    )


def _sorted(
    tables: list[str],
    edges: set[Edge],
    keys: dict[Edge, list[ForeignKeyConstraint]],
    pathways: frozenset[tuple[str, frozenset[str]]],
) -> tuple[list[str], list[Edge]]:
    """The order, and the edges that were left out of it to open circles."""

    def cost(edge: Edge) -> int:
        """What it takes to do without an edge: little for a reference that may be null."""
        found = keys.get(edge, [])
        if any(_nullable(key) is None for key in found):
            return 3
        led = any((key.table.name, frozenset(key.column_keys)) in pathways for key in found)
        return 2 if led else 0 if found else 1

    opened: list[Edge] = []
    while True:
        before: dict[str, list[str]] = {table: [] for table in tables}
        for child, parent in sorted(edges):
            before[parent].append(child)
        try:
            return list(TopologicalSorter(before).static_order()), opened
        except CycleError as error:
            circle = error.args[1]
            around = [edge for edge in pairwise(circle) if edge in edges]
            edge = min(around, key=lambda edge: (cost(edge), edge))
            opened.append(edge)
            edges = edges - {edge}


def _steps(data_map: DataMap) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Table, columns and target table of every hop towards a person."""
    for place in data_map.places:
        table = place.table
        for hop in place.path:
            yield table, hop.columns, hop.table
            table = hop.table


def _pathways(data_map: DataMap) -> Iterable[tuple[str, frozenset[str]]]:
    return ((table, frozenset(columns)) for table, columns, _ in _steps(data_map))


def _ways(data_map: DataMap) -> Iterator[Edge]:
    for place in data_map.places:
        if not place.shared:
            yield from ((place.table, hop.table) for hop in place.path if hop.table != place.table)


def _nullable(key: ForeignKeyConstraint) -> str | None:
    return next((column.name for column in key.columns if column.nullable), None)
