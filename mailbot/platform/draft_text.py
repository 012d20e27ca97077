"""A drafted data map as the TOML file that somebody goes through and decides on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from mailbot.core.data_map_reading import MapFaults
from mailbot.platform.draft import Draft, DraftColumn, DraftPlace, DraftSubject, NoSubject
from mailbot.platform.live_schema import Link
from mailbot.platform.map_file import parse_data_map

HEAD = """\
# A first data map, drafted from the live schema by: mailbot platform draft
# Nothing here is decided. Go through it from top to bottom; every "?" and every comment wants an answer, and
# docs/data-map.md explains each key. People read the name of a place (name = "…"; else the table's) on the page
# where they confirm and in the answer. Then hold it against the schema: mailbot platform check
#
# Tables that are not here neither refer to an account nor hold anything that looks like an address. Is there
# personal data in them nevertheless (numbers, names, free text)? Add them.

version = 1
journal_table = "mailbot_changes"

# Tables, and "table.column", in which you found nothing personal: platform check is silent about them.
not_personal = []

[addresses]
case = "any"        # "lower": the platform keeps addresses trimmed and in lower case, so that a plain index serves
plus = "distinct"   # "same": anna+shop@example.org and anna@example.org are one account to the platform

[text_search]
leave_out = []      # tables too large or too technical to be searched for addresses after a deletion
seconds = 120
"""

NOBODY = """\
# Undecided: none of the {count} tables holds anything that looks like e-mail addresses, so there is nobody whom a
# mail could lead to. Write [subjects.user] and [[places]] yourself; docs/data-map.md has a complete example.
"""

VISITORS = """
# Undecided: people who left data with an account's owner (visitors, guests, customers of customers), whom the
# owner answers for. If there are such, describe [subjects.visitor] and their places; see docs/data-map.md.
"""

BARE = re.compile(r"[A-Za-z0-9_-]+")


def draft_text(draft: Draft | NoSubject) -> str:
    """The file. What keeps it from being a valid map, if anything, is said in comments at its top."""
    if isinstance(draft, NoSubject):
        return HEAD + "\n" + NOBODY.format(count=draft.tables)
    text = "".join(
        [HEAD, *_subject(draft.subject), VISITORS, *_promotions(draft), *_places(draft.places), *_open(draft)]
    )
    found = parse_data_map(text)
    faults = (
        "".join(f"# Undecided: {fault}\n" for fault in found.faults) if isinstance(found, MapFaults) else ""
    )
    return faults + text


def _subject(subject: DraftSubject) -> Iterator[str]:
    yield "\n# ---- Who ----\n\n[subjects.user]\n"
    if subject.others:
        yield f"# Decide: is it this table, or {', '.join(subject.others)}?\n"
    yield f"table = {_value(subject.table)}\n"
    key = subject.key[0] if len(subject.key) == 1 else list(subject.key)
    yield f"key = {_value(key)}\n"
    yield f"address = {_value(subject.address)}   # the address on file: proof is asked of it\n"
    yield f"name = {_value(subject.name)}\n"
    if subject.language:
        yield f"language = {_value(subject.language)}\n"
    if subject.created:
        yield f"created_at = {_value(subject.created)}\n"
    yield "# address_changed_at = …   # the column that says when the address was last changed, if there is one\n"
    if subject.deactivate:
        inner = ", ".join(f"{_key(name)} = {_value(value)}" for name, value in subject.deactivate)
        yield f"deactivate = {{ {inner} }}   # Decide: does this end log-ins at once?\n"
    for table, address, link in subject.former:
        yield "\n[[subjects.user.former_addresses]]   # Decide: is whoever writes from one of these the owner?\n"
        yield f"table = {_value(table)}\naddress = {_value(address)}\nlink = {_path([link])}\n"


def _promotions(draft: Draft) -> Iterator[str]:
    yield "\n# ---- Promotional mail ----\n"
    if not draft.promotions:
        yield "# Undecided: which column or row says that somebody gets promotional mail? See docs/data-map.md\n"
    for table, address, column in draft.promotions:
        yield "\n[[promotions]]   # Decide: does true mean that the person gets promotional mail?\n"
        yield f"table = {_value(table)}\naddress = {_value(address)}\n"
        yield f'switch = "boolean"\ncolumn = {_value(column)}\n'


def _places(places: Sequence[DraftPlace]) -> Iterator[str]:
    yield "\n# ---- Where ----\n# on_deletion: delete | anonymise (rows stay, columns go) | keep (on a legal ground)\n"
    for place in places:
        yield from _place(place)


def _open(draft: Draft) -> Iterator[str]:
    if draft.open_references:
        yield "\n# ---- References that may lead to any table ----\n# Decide: which of these lead to a person?\n"
    for table, kind, number in draft.open_references:
        path = (
            f"{number} = {draft.subject.table}.{draft.subject.key[0]} and {kind} = 'what stands for accounts'"
        )
        yield f'# {table}: path = ["{path}"]\n'


def _place(place: DraftPlace) -> Iterator[str]:
    yield "\n[[places]]\n"
    yield from (f"# {comment}\n" for comment in place.comments)
    yield f"table = {_value(place.table)}\n"
    if place.name != place.table:
        yield f"name = {_value(place.name)}\n"
    yield 'subject = "user"\n'
    if place.path:
        yield f"path = {_path(place.path)}\n"
    if place.match:
        yield f"match = {_value(list(place.match))}\n"
    yield 'category = "?"    # the section of your privacy policy\npurpose = "?"\nrecipients = []\nretention = "?"\n'
    yield f"on_deletion = {_value(place.on_deletion)}\n"
    if place.may_grow:
        yield "may_grow = true   # new rows between showing and doing are no surprise\n"
    if place.logs_out:
        yield "logs_out = true\n"
    yield "[places.columns]\n"
    yield from map(_column, place.columns)


def _column(column: DraftColumn) -> str:
    inner = ", ".join(f"{name} = {_value(value)}" for name, value in column.keys)
    keys = f"{{ {inner} }}" if inner else "{}"
    comment = f"   # {column.comment}" if column.comment else ""
    return f"{'' if column.decided else '# '}{_key(column.name)} = {keys}{comment}\n"


def _path(path: Sequence[Link]) -> str:
    return _value([str(link) for link in path])


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else _value(name)


def _value(value: object) -> str:
    """As TOML writes it: its texts, lists of texts and booleans are JSON's."""
    return json.dumps(value, ensure_ascii=False)
