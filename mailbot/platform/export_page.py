"""The page of an export: what is kept about a person and why, readable on a phone and without anything else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from mailbot.core.data_map import DataMap, Place
from mailbot.core.plan import Subject
from mailbot.core.request import Capacity
from mailbot.core.wording import Fact, Wording

N_ = str
"""Marks a sentence for extraction; it is translated where it is written."""

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:64rem;overflow-wrap:anywhere}"
    "h2{margin-top:2.5rem;border-top:1px solid #8888;padding-top:1rem}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{font-weight:600}dd{margin:0}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{border:1px solid #8888;padding:.3rem .5rem;text-align:left;vertical-align:top}"
    "@media(max-width:40rem){dl{display:block}dd{margin:0 0 .5rem}thead{display:none}"
    "tr{display:block;border:1px solid #8888;border-radius:.4rem;margin:0 0 1rem;padding:.4rem}"
    "td{display:block;border:0;padding:.1rem .3rem}td:empty{display:none}"
    "td::before{content:attr(data-name);display:block;font-weight:600;font-size:.85rem}}"
)
_CAPACITIES = {
    Capacity.USER: N_("as the holder of an account"),
    Capacity.VISITOR: N_("as a visitor of webinars"),
}


def page_start(wording: Wording, data_map: DataMap, now: datetime) -> str:
    """Everything before the first section."""
    said = wording.said
    facts = (
        *wording.about,
        Fact(said(N_("Outside the European Economic Area")), said(data_map.transfers)),
        Fact(said(N_("Decisions by programs alone")), said(data_map.automated_decisions)),
    )
    title = escape(said(N_("Your data")))
    return (
        f'<!doctype html>\n<html lang="{escape(wording.language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>"
        f"<p>{escape(wording.moment(now))}</p>\n{_facts(facts)}"
    )


def page_end() -> str:
    """Everything after the last section."""
    return "</body></html>\n"


def section_start(subject: Subject, place: Place, names: Sequence[str], wording: Wording) -> str:
    """Whose and what data, with what Art. 15(1) GDPR asks of it, and the heads of the columns."""
    said = wording.said
    facts = (
        Fact(said(N_("Whose data")), f"{subject.address}, {_capacity(subject, wording)}"),
        Fact(said(N_("What for")), said(place.purpose)),
        Fact(said(N_("Section of our privacy policy")), place.category),
        Fact(said(N_("Who gets it")), ", ".join(map(said, place.recipients)) or said(N_("nobody else"))),
        Fact(said(N_("How long it is kept")), said(place.retention)),
        Fact(
            said(N_("Where it comes from")),
            said(place.source or N_("from you, or from your use of the service")),
        ),
    )
    heads = "".join(f"<th>{escape(name)}</th>" for name in names)
    return (
        f"<h2>{escape(wording.thing(place.table))}</h2>{_facts(facts)}"
        f"<table><thead><tr>{heads}</tr></thead><tbody>\n"
    )


def section_row(names: Sequence[str], cells: Sequence[object]) -> str:
    """One row; on a phone each cell says its name."""
    inner = "".join(
        f'<td data-name="{escape(name)}">{"" if cell is None else escape(str(cell))}</td>'
        for name, cell in zip(names, cells, strict=True)
    )
    return f"<tr>{inner}</tr>\n"


def section_end(is_empty: bool, wording: Wording) -> str:
    """The section is closed; of an empty one it says so."""
    nothing = f"<p>{escape(wording.said(N_('Nothing is stored here.')))}</p>" if is_empty else ""
    return f"</tbody></table>{nothing}\n"


def _facts(facts: Sequence[Fact]) -> str:
    lines = "".join(f"<dt>{escape(one.heading)}</dt><dd>{_text(one)}</dd>" for one in facts if one.text)
    return f"<dl>{lines}</dl>\n" if lines else ""


def _text(fact: Fact) -> str:
    text = escape(fact.text)
    return f'<a href="{escape(fact.link)}">{text}</a>' if fact.link else text


def _capacity(subject: Subject, wording: Wording) -> str:
    sentence = _CAPACITIES.get(subject.capacity)
    said = wording.said(sentence) if sentence else str(subject.capacity)
    return f"{said} ({subject.host.name})" if subject.host else said
