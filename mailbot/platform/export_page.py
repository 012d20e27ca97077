"""The page of an export: everything in one table each, readable without anything else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from mailbot.core.data_map import Place
from mailbot.core.plan import Subject

STYLE = (
    "body{font:1rem/1.5 sans-serif;margin:1rem;max-width:70rem}"
    "table{border-collapse:collapse;display:block;overflow-x:auto}"
    "td,th{border:1px solid #bbb;padding:.2rem .5rem;text-align:left;white-space:nowrap}"
)


def page_start(language: str, now: datetime) -> str:
    """Everything before the first section."""
    return (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Personal data</title>'
        f"<style>{STYLE}</style></head><body><h1>Personal data</h1><p>{now:%Y-%m-%d %H:%M} UTC</p>\n"
    )


def page_end() -> str:
    """Everything after the last section."""
    return "</body></html>\n"


def section_start(subject: Subject, place: Place, names: Sequence[str]) -> str:
    """Whose and what data (Art. 15(1) GDPR: purpose, category, recipients, retention), and column heads."""
    holder = f"{subject.address} ({subject.capacity}{_at_host(subject)})"
    facts = {
        "Person": holder,
        "Purpose": place.purpose,
        "Policy section": place.category,
        "Recipients": ", ".join(place.recipients) or "none",
        "Kept": place.retention,
    }
    listed = "".join(f"<li>{name}: {escape(value)}</li>" for name, value in facts.items())
    heads = "".join(f"<th>{escape(name)}</th>" for name in names)
    return f"<h2>{escape(place.table)}</h2><ul>{listed}</ul><table><tr>{heads}</tr>\n"


def section_row(cells: Sequence[object]) -> str:
    """One row."""
    inner = "".join(f"<td>{'' if cell is None else escape(str(cell))}</td>" for cell in cells)
    return f"<tr>{inner}</tr>\n"


def section_end() -> str:
    """The section is closed."""
    return "</table>\n"


def _at_host(subject: Subject) -> str:
    return f", {subject.host.name}" if subject.host else ""
