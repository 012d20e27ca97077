"""What a person may see and take along (Art. 15 and 20 GDPR): one ZIP, written row by row."""

from __future__ import annotations

import csv
import io
import json
import mimetypes
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import IO, Any, BinaryIO, Protocol
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from sqlalchemy import Row, select
from sqlalchemy.engine import Connection

from mailbot.core.data_map import Access, ColumnRule, DataMap, Place
from mailbot.core.file_paths import DEFAULT_STORE, is_clean, store_and_path
from mailbot.core.plan import Subject
from mailbot.core.wording import Wording
from mailbot.platform.export_page import page_end, page_start, section_end, section_row, section_start
from mailbot.platform.files import Files
from mailbot.platform.interface import Output
from mailbot.platform.sql_files import named_by, sources_of
from mailbot.platform.sql_find import Who, rows_of
from mailbot.platform.sql_schema import Schema, column_of, primary_key
from mailbot.platform.sql_write import inside_of

Cell = str | int | float | bool | None
Opening = Callable[[], BinaryIO | None]
FORMULA = re.compile(r"^(?:[=@\t\r]|[+-](?![\d\s().-]*$))")
"""Cells that a spreadsheet would run; a phone number's plus is none."""
COPIED_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Section:
    """One person's rows in one place, as far as they may be shown."""

    subject: Subject
    place: Place
    rules: tuple[ColumnRule, ...]
    number: int


def write_export(
    connection: Connection,
    schema: Schema,
    files: Files,
    people: Sequence[Who],
    out: Output,
    now: datetime,
    wording: Wording,
) -> None:
    """`out` has got a ZIP from its start to its end: index.html, data.json, a CSV for each section, the person's
    files. Rows and files pass through a few at a time, however many there are."""
    rows = _SqlRows(connection, schema, people)
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        subjects = [who.subject for who in people]
        _write_sections(archive, schema.data_map, subjects, rows, now, wording)
        _write_files(archive, files, people, rows)


def write_tables(
    data_map: DataMap,
    subjects: Sequence[Subject],
    rows: Rows,
    files: Iterable[tuple[str, Opening]],
    out: Output,
    now: datetime,
    wording: Wording,
) -> None:
    """The same of rows and files (path and what opens it) that come from anywhere."""
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        _write_sections(archive, data_map, subjects, rows, now, wording)
        for path, opened in files:
            _write_file(archive, DEFAULT_STORE, path, opened)


class Rows(Protocol):
    """Where the rows of a section come from, few at a time."""

    def cells(self, section: Section) -> Iterator[dict[str, Cell]]:
        """Each row, column by column, as it may be shown."""
        ...


def _write_sections(
    archive: ZipFile,
    data_map: DataMap,
    subjects: Sequence[Subject],
    rows: Rows,
    now: datetime,
    wording: Wording,
) -> None:
    sections = list(_sections(data_map, subjects))
    with archive.open("index.html", "w", force_zip64=True) as entry:
        entry.write(page_start(wording, data_map, now).encode())
        _write_page(entry, sections, rows, wording)
    with archive.open("data.json", "w", force_zip64=True) as entry:
        _write_json(entry, sections, rows, now)
    for section in sections:
        _write_csv(archive, section, rows)


class _SqlRows:
    """The rows of a section, few at a time."""

    def __init__(self, connection: Connection, schema: Schema, people: Sequence[Who]) -> None:
        self.connection = connection
        self.schema = schema
        self.people = {who.subject: who for who in people}

    def cells(self, section: Section) -> Iterator[dict[str, Cell]]:
        for row in self.raw(section, section.rules):
            yield {rule.name: _shown(rule, value) for rule, value in zip(section.rules, row, strict=True)}

    def raw(self, section: Section, rules: Sequence[ColumnRule]) -> Iterator[Row[Any]]:
        table = self.schema.table(section.place.table)
        columns = [column_of(table, rule.column) for rule in rules]
        query = select(*columns).where(rows_of(self.schema, section.place, self.people[section.subject]))
        yield from self.connection.execute(
            query.order_by(*primary_key(table)).execution_options(yield_per=500)
        )


def _sections(data_map: DataMap, subjects: Sequence[Subject]) -> Iterator[Section]:
    number = 0
    for subject in subjects:
        for place in data_map.places_of(subject.capacity):
            rules = tuple(rule for rule in place.columns if rule.access is not Access.LEAVE_OUT)
            if rules:
                number += 1
                yield Section(subject, place, rules, number)


def _csv_name(section: Section) -> str:
    return f"csv/{section.number:02}-{section.subject.capacity}-{section.place.table}.csv"


def _shown(rule: ColumnRule, value: object) -> Cell:
    if rule.inside:
        value = inside_of(value, rule.inside)
    if rule.access is Access.MASK and value is not None:
        return "…" + str(value)[-4:]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _write_json(entry: IO[bytes], sections: Sequence[Section], rows: Rows, now: datetime) -> None:
    """Written by hand around each row, so that no section has to fit into memory."""
    entry.write(f'{{"generated_at": {json.dumps(now.isoformat())}, "sections": ['.encode())
    for number, section in enumerate(sections):
        head = json.dumps(_described(section), ensure_ascii=False)
        entry.write((", " if number else "").encode() + head[:-1].encode() + b', "rows": [')
        for index, cells in enumerate(rows.cells(section)):
            entry.write((",\n" if index else "\n").encode() + json.dumps(cells, ensure_ascii=False).encode())
        entry.write(b"]}")
    entry.write(b"]}\n")


def _described(section: Section) -> dict[str, object]:
    subject, place = section.subject, section.place
    return {
        "capacity": subject.capacity,
        "address": subject.address,
        "host": subject.host.name if subject.host else None,
        "table": place.table,
        "category": place.category,
        "purpose": place.purpose,
        "recipients": place.recipients,
        "retention": place.retention,
        "source": place.source or None,
    }


def _write_csv(archive: ZipFile, section: Section, rows: Rows) -> None:
    with archive.open(_csv_name(section), "w", force_zip64=True) as entry:
        text = io.TextIOWrapper(entry, encoding="utf-8-sig", newline="")
        writer = csv.writer(text)
        writer.writerow([rule.name for rule in section.rules])
        for cells in rows.cells(section):
            writer.writerow([_harmless(cell) for cell in cells.values()])
        text.flush()
        text.detach()


def _harmless(cell: Cell) -> Cell:
    return "'" + cell if isinstance(cell, str) and FORMULA.match(cell) else cell


def _write_page(entry: IO[bytes], sections: Sequence[Section], rows: Rows, wording: Wording) -> None:
    for section in sections:
        names = [wording.field(rule.field or rule.name) for rule in section.rules]
        entry.write(section_start(section.subject, section.place, names, wording).encode())
        is_empty = True
        for cells in rows.cells(section):
            entry.write(section_row(names, list(cells.values())).encode())
            is_empty = False
        entry.write(section_end(is_empty, wording).encode())
    entry.write(page_end().encode())


def _write_files(archive: ZipFile, files: Files, people: Sequence[Who], rows: _SqlRows) -> None:
    """Paths that are not safe are left out: they may be somebody else's."""
    for who in people:
        for place in rows.schema.data_map.places_of(who.rule.capacity):
            mine = rows_of(rows.schema, place, who)
            for source in sources_of(place):
                if Access.LEAVE_OUT not in (place.access, source.access):
                    named = named_by(rows.connection, rows.schema.table(place.table), mine, source)
                    for path in sorted({path for path in named.values() if path and files.is_safe(path)}):
                        _write_all(archive, files, path)


def _write_all(archive: ZipFile, files: Files, path: str) -> None:
    for written in files.names(path):
        store, name = store_and_path(written)
        _write_file(archive, store, name, partial(files.open, written))


def _write_file(archive: ZipFile, store: str, name: str, opened: Opening) -> None:
    """The file, as a stream, once. In the archive none has a name that could lead out of the folder it is unpacked
    in."""
    inside = name if is_clean(name) else f"file-{len(archive.filelist)}"
    entry_name = f"files/{inside}" if store == DEFAULT_STORE else f"files/{store}/{inside}"
    source = None if entry_name in archive.NameToInfo else opened()
    if source is not None:
        info = ZipInfo(entry_name)
        info.compress_type = ZIP_STORED if _is_packed(name) else ZIP_DEFLATED
        with source, archive.open(info, "w", force_zip64=True) as entry:
            shutil.copyfileobj(source, entry, COPIED_AT_ONCE)


def _is_packed(name: str) -> bool:
    """Pictures, films, archives and PDF are packed already: to try again costs minutes and saves nothing."""
    kind, encoding = mimetypes.guess_type(name)
    return encoding is not None or (kind or "").startswith(("image/", "video/", "audio/", "application/"))
