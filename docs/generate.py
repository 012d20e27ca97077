"""Documentation that is made from the code: `python -m docs.generate` writes it, a test holds it against the code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from docs.attacks import BEGIN, END, attacks_section
from mailbot.core.workflow import OPEN_STATES, STAFF_STATES, Effect, State, Step, transitions
from mailbot.platform.http_contract import openapi

FOLDER = Path(__file__).parent
_HEAD = """# Workflow of a request

Made by `make docs` from the table in `mailbot/core/workflow.py`; do not edit.

A request stands in one state; an event moves it, and what follows from it is saved with the new state in one
transaction. A pair that is not here cannot happen. A case is open while one of its requests is.
"""


def workflow_page() -> str:
    """The state diagram and the table of every step, as Markdown."""
    parts = (_HEAD, "## Diagram\n", *_diagram(), "\n## States\n", *_states(), "\n## Steps\n", *_table())
    return "\n".join(parts) + "\n"


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {State.RECEIVED}"
    for (start, end), events in _arrows().items():
        yield f"    {start} --> {end}: {'<br>'.join(events)}"
    for state in State:
        if state not in OPEN_STATES:
            yield f"    {state} --> [*]"
    yield "```"


def _arrows() -> dict[tuple[State, State], list[str]]:
    """One arrow for each pair of states, with all its events: single arrows could not be read."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for state, event, step in transitions():
        arrows.setdefault((state, step.to), []).append(event.value)
    return arrows


def _states() -> Iterator[str]:
    yield "| State | Case open | In the staff queue |"
    yield "|---|---|---|"
    for state in State:
        yield f"| `{state}` | {_mark(state in OPEN_STATES)} | {_mark(state in STAFF_STATES)} |"


def _table() -> Iterator[str]:
    yield "| State | Event | State after | Called for |"
    yield "|---|---|---|---|"
    for state, event, step in transitions():
        yield f"| `{state}` | `{event}` | `{step.to}` | {_effects(step)} |"


def _effects(step: Step) -> str:
    effects: tuple[Effect, ...] = step.effects
    return ", ".join(f"`{effect}`" for effect in effects) or "–"


def _mark(holds: bool) -> str:
    return "yes" if holds else "no"


def security_page() -> str:
    """docs/security.md with the tables of attacks as the tests try them today."""
    written = (FOLDER / "security.md").read_text(encoding="utf-8")
    before, _, rest = written.partition(BEGIN)
    return before + attacks_section() + rest.partition(END)[2]


def platform_openapi() -> str:
    """docs/platform-openapi.json: what mailbot expects of a platform's API."""
    return json.dumps(openapi(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (FOLDER / "platform-openapi.json").write_text(platform_openapi(), encoding="utf-8")
    (FOLDER / "workflow.md").write_text(workflow_page(), encoding="utf-8")
    (FOLDER / "security.md").write_text(security_page(), encoding="utf-8")
