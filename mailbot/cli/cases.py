"""`mailbot cases`: the staff's work without the web page."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import typer

from mailbot.cli.case_sheet import actions_in, read_sheet
from mailbot.cli.opened import open_app
from mailbot.cli.options import settings_of
from mailbot.cli.output import note, print_json, print_table, say
from mailbot.cli.staff_member import staff_id
from mailbot.cli.stored import open_store, utc_now
from mailbot.cli.trouble import Failed, WrongUsage
from mailbot.core.request import Capacity, FieldChange, Kind
from mailbot.core.workflow import OPEN_STATES, STAFF_STATES, State
from mailbot.desk import Desk
from mailbot.examples import Labelled, as_line, labelled_of
from mailbot.store import brakes
from mailbot.store import cases as stored
from mailbot.store.database import Store, Transaction
from mailbot.store.tables import Case, Request

app = typer.Typer(no_args_is_help=True, add_completion=False)

_STDIN = Path("-")
_COLUMNS = ("reference", "number", "kind", "capacity", "state", "due_on", "opened_at", "language", "reason")

Reference = Annotated[str, typer.Argument(metavar="REFERENCE", help="The case, such as K7Q2-9MXF.")]
Number = Annotated[
    int | None,
    typer.Option(
        "--request", metavar="N", min=1, help="Which request of the case; needed when several could be."
    ),
]
By = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Your staff account; else the one named like your user here."),
]
Braked = Annotated[Kind, typer.Argument(metavar="KIND", help="Such as deletion or correction.")]
Reason = Annotated[
    str, typer.Option("--reason", help="Why; in the person's language where they are told it.")
]


@app.callback()
def cases() -> None:
    """The staff's work without the web page."""


@app.command("list")
def list_cases(
    ctx: typer.Context,
    state: Annotated[State | None, typer.Option(help="Only requests in this state.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="Only requests of this kind.")] = None,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only what waits for staff, the most urgent first.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 100,
) -> None:
    """Requests with their cases, newest first. No personal data is shown."""
    with open_store(ctx).read() as tx:
        found = _found(tx, state, kind, limit, waiting=waiting)
        rows = [_row(tx, request, case) for request, case in found]
    if settings_of(ctx).json:
        print_json({"requests": rows})
    else:
        print_table(_COLUMNS, [[str(row[name])[:60] for name in _COLUMNS] for row in rows])


@app.command()
def show(
    ctx: typer.Context,
    reference: Reference,
    open_: Annotated[
        bool,
        typer.Option("--open", help="With what the person wrote; that you looked is kept in the ledger."),
    ] = False,
    by: By = None,
) -> None:
    """One case: requests, letters and every step. Personal data is masked without --open."""
    app_ = open_app(ctx)
    if open_:
        app_.desk.opened(reference, staff_id(app_.store, by, utc_now()), utc_now())
    today = utc_now().astimezone(ZoneInfo(app_.config.controller.timezone)).date()
    with app_.store.read() as tx:
        sheet = read_sheet(tx, _case(tx, reference), today, is_opened=open_)
    if settings_of(ctx).json:
        print_json(sheet)
    else:
        _print_sheet(sheet)


@app.command()
def approve(ctx: typer.Context, reference: Reference, request: Number = None, by: By = None) -> None:
    """Vouch for the person: the change is made."""
    seat = _sit_down(ctx, by)
    seat.desk.approve(seat.request(reference, request, "approve"), seat.by, seat.now)
    seat.tell(reference)


@app.command("ask-proof")
def ask_proof(ctx: typer.Context, reference: Reference, request: Number = None, by: By = None) -> None:
    """Ask the address on file to prove control."""
    seat = _sit_down(ctx, by)
    seat.desk.ask_proof(seat.request(reference, request, "ask-proof"), seat.by, seat.now)
    seat.tell(reference)


@app.command()
def refuse(
    ctx: typer.Context, reference: Reference, reason: Reason, request: Number = None, by: By = None
) -> None:
    """Tell the person no, why, and where to complain (GDPR Art. 12(4))."""
    seat = _sit_down(ctx, by)
    seat.desk.refuse(seat.request(reference, request, "refuse"), reason, seat.by, seat.now)
    seat.tell(reference)


@app.command()
def lift(
    ctx: typer.Context, reference: Reference, reason: Reason, request: Number = None, by: By = None
) -> None:
    """End a restriction or objection three days after the person is told so, with the reason (GDPR Art. 18(3))."""
    seat = _sit_down(ctx, by)
    seat.desk.lift(seat.request(reference, request, "lift"), reason, seat.by, seat.now)
    seat.tell(reference)


@app.command()
def reclassify(
    ctx: typer.Context,
    reference: Reference,
    kind: Annotated[Kind, typer.Option(help="What it is instead.")],
    capacity: Annotated[Capacity, typer.Option(help="As whom the person asks.")] = Capacity.UNKNOWN,
    field: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A field to correct, and its new value; may be repeated."),
    ] = None,
    request: Number = None,
    by: By = None,
) -> None:
    """The request is of another kind, and goes the way of that kind from the start."""
    changes = tuple(_change(written) for written in field or [])
    if changes and kind is not Kind.CORRECTION:
        raise WrongUsage("--field goes with --kind correction only")
    seat = _sit_down(ctx, by)
    found = seat.request(reference, request, "reclassify")
    seat.desk.reclassify(found, kind, capacity, seat.by, seat.now, changes)
    seat.tell(reference)


@app.command()
def reply(
    ctx: typer.Context,
    reference: Reference,
    text: Annotated[str | None, typer.Option(help="The answer.")] = None,
    text_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The answer is in this file; - for standard input.")
    ] = None,
    keep_open: Annotated[
        bool, typer.Option("--keep-open", help="The request waits for what the person writes back.")
    ] = False,
    request: Number = None,
    by: By = None,
) -> None:
    """Answer the person; the request is done, unless --keep-open."""
    answer = _answer(text, text_file)
    seat = _sit_down(ctx, by)
    found = seat.request(reference, request, "reply")
    seat.desk.reply(found, answer, seat.by, seat.now, closes=not keep_open)
    seat.tell(reference)


@app.command()
def extend(ctx: typer.Context, reference: Reference, reason: Reason, by: By = None) -> None:
    """Two further months, once, told with the reason (GDPR Art. 12(3))."""
    seat = _sit_down(ctx, by)
    seat.desk.extend(reference, reason, seat.by, seat.now)
    seat.tell(reference)


@app.command()
def example(
    ctx: typer.Context,
    reference: Reference,
    keep: Annotated[bool, typer.Option("--keep", help="Keep it; else it is only shown.")] = False,
    edited: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What to keep: the line as it was shown, edited; - for standard input."
        ),
    ] = None,
    by: By = None,
) -> None:
    """The case's mail as an example for the rules, without the person in it: one line of JSON."""
    program, now = open_app(ctx), utc_now()
    staff = staff_id(program.store, by, now)
    program.desk.opened(reference, staff, now)
    shown = program.keeper.draft(reference)
    if edited is not None:
        shown = _edited(_answer(None, edited), shown)
    if keep:
        shown = replace(
            shown, example=replace(shown.example, id=program.keeper.keep(reference, shown, staff, now))
        )
    print_json(as_line(shown))
    if not keep:
        note(
            "nothing is kept yet: read it, nothing in it may tell who wrote; then --keep, with --edited if need be"
        )


@app.command()
def dismiss(
    ctx: typer.Context, reference: Reference, reason: Reason, request: Number = None, by: By = None
) -> None:
    """Close one request without an answer (spam, a mail for somebody else)."""
    seat = _sit_down(ctx, by)
    seat.desk.dismiss(seat.request(reference, request, "dismiss"), reason, seat.by, seat.now)
    seat.tell(reference)


@app.command("let-in")
def let_in(ctx: typer.Context, reference: Reference, by: By = None) -> None:
    """Take in the mails of a flood, each as if it had just come. `close` closes them all instead."""
    seat = _sit_down(ctx, by)
    seat.desk.let_in(seat.request(reference, 1, "dismiss"), seat.by, seat.now)
    seat.tell(reference)


@app.command()
def hold(ctx: typer.Context, reference: Reference, by: By = None) -> None:
    """Legal hold: nothing of the case's person is deleted, whoever asks, until `release` (GDPR Art. 17(3)(e))."""
    seat = _sit_down(ctx, by)
    seat.desk.hold(reference, seat.by, seat.now)
    seat.tell(reference)


@app.command()
def release(ctx: typer.Context, reference: Reference, by: By = None) -> None:
    """Lift the legal hold on the case's person."""
    seat = _sit_down(ctx, by)
    seat.desk.release(reference, seat.by, seat.now)
    seat.tell(reference)


@app.command()
def stop(ctx: typer.Context, kind: Braked, by: By = None) -> None:
    """Emergency stop: changes of this kind are made no more; requests are still taken, acknowledged and timed."""
    seat = _sit_down(ctx, by)
    seat.desk.stop(kind, seat.by, seat.now)
    seat.tell_brakes()


@app.command()
def resume(ctx: typer.Context, kind: Braked, by: By = None) -> None:
    """Changes of this kind are made again, and what waited is done."""
    seat = _sit_down(ctx, by)
    seat.desk.resume(kind, seat.by, seat.now)
    seat.tell_brakes()


@app.command()
def close(ctx: typer.Context, reference: Reference, reason: Reason, by: By = None) -> None:
    """Close a whole case without an answer: every request that is open is dismissed."""
    seat = _sit_down(ctx, by)
    open_ = seat.open_requests(reference)
    if not open_:
        raise Failed(f"the case {reference} is closed already")
    stuck = [one for one in open_ if "dismiss" not in actions_in(State(one.state))]
    if stuck:
        raise Failed(f"a request is {stuck[0].state.replace('_', ' ')}: the case cannot be closed now")
    for one in open_:
        seat.desk.dismiss(one.id, reason, seat.by, seat.now)
    seat.tell(reference)


@dataclass(frozen=True, slots=True)
class _Seat:
    """A person at the desk: who, when, and how they are told what came of it."""

    store: Store
    desk: Desk
    by: str
    now: datetime
    json: bool

    def request(self, reference: str, number: int | None, action: str) -> UUID:
        """The request meant: number `number` of the case, else the only one that `action` is possible with."""
        with self.store.read() as tx:
            requests = stored.requests_of(tx, _case(tx, reference).id)
        if number is not None:
            if number > len(requests):
                raise WrongUsage(f"--request: the case {reference} has {len(requests)} requests")
            return requests[number - 1].id
        able = [one for one in requests if action in actions_in(State(one.state))] or list(requests)
        if len(able) != 1:
            raise WrongUsage(f"the case {reference} has several requests: name one with --request N")
        return able[0].id

    def open_requests(self, reference: str) -> list[Request]:
        """The requests that are not at their end."""
        with self.store.read() as tx:
            requests = stored.requests_of(tx, _case(tx, reference).id)
        return [one for one in requests if one.state in OPEN_STATES]

    def tell_brakes(self) -> None:
        """Which kinds staff have stopped."""
        with self.store.read() as tx:
            kinds = sorted(brakes.stopped(tx))
        if self.json:
            print_json({"stopped": kinds})
        else:
            say(f"stopped by staff: {', '.join(kinds) or 'nothing'}")

    def tell(self, reference: str) -> None:
        """How the case stands now."""
        with self.store.read() as tx:
            case = _case(tx, reference)
            rows = [_row(tx, one, case) for one in stored.requests_of(tx, case.id)]
        if self.json:
            print_json({"reference": case.reference, "due_on": case.due_on.isoformat(), "requests": rows})
            return
        for row in rows:
            state = str(row["state"]).replace("_", " ")
            say(f"{row['reference']}, request {row['number']}: {row['kind']}, {state}, due {row['due_on']}")
        note("what is to be sent or changed now is done by `mailbot run`")


def _sit_down(ctx: typer.Context, by: str | None) -> _Seat:
    program, now = open_app(ctx), utc_now()
    return _Seat(program.store, program.desk, staff_id(program.store, by, now), now, settings_of(ctx).json)


def _case(tx: Transaction, reference: str) -> Case:
    case = stored.by_reference(tx, reference)
    if case is None:
        raise Failed(f"there is no case {reference}")
    return case


def _found(
    tx: Transaction, state: State | None, kind: Kind | None, limit: int, *, waiting: bool
) -> Sequence[tuple[Request, Case]]:
    if not waiting:
        return stored.list_requests(tx, state=state, kind=kind, limit=limit)
    if state and state not in STAFF_STATES:
        raise WrongUsage(f"--waiting: staff never wait for {state.value}")
    found = stored.waiting_for_staff(tx, limit=100_000)
    wanted = [one for one in found if state in (None, one[0].state) and kind in (None, one[0].kind)]
    return wanted[:limit]


def _row(tx: Transaction, request: Request, case: Case) -> dict[str, object]:
    ids = [one.id for one in stored.requests_of(tx, case.id)]
    return {
        "reference": case.reference,
        "number": ids.index(request.id) + 1,
        "kind": request.kind,
        "capacity": request.capacity,
        "state": request.state,
        "since": request.since.isoformat(),
        "due_on": case.due_on.isoformat(),
        "opened_at": case.opened_at.isoformat(timespec="seconds"),
        "language": case.language,
        "channel": case.channel,
        "reason": request.reason,
    }


def _change(written: str) -> FieldChange:
    name, equals, value = written.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise WrongUsage("--field is written name=value, such as --field phone=+37060000000")
    return FieldChange(name.strip(), None, value.strip())


def _edited(line: str, draft: Labelled) -> Labelled:
    try:
        return labelled_of(json.loads(line), draft.example.language)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WrongUsage(f"--edited: not an example: {error}") from None


def _answer(text: str | None, file: Path | None) -> str:
    if (text is None) == (file is None):
        raise WrongUsage("give the answer by --text or by --text-file")
    if file is None:
        return text or ""
    try:
        return sys.stdin.read() if file == _STDIN else file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise WrongUsage(f"--text-file: {file} is not UTF-8 text") from None
    except OSError as error:
        raise WrongUsage(f"--text-file: {file} cannot be read ({error.strerror})") from None


def _print_sheet(sheet: dict[str, Any]) -> None:
    state = "open" if sheet["open"] else "closed"
    say(f"{sheet['reference']}  {state}, {sheet['language']}, by {sheet['channel']}, from {sheet['address']}")
    say(f"opened {sheet['opened_at'][:16]}, due {sheet['due_on']} ({sheet['days_left']} days left)")
    say(sheet["due_why"])
    for request in sheet["requests"]:
        _print_request(request)
    for mail in sheet.get("mails", []):
        _print_mail(mail)
    if "destroyed" in sheet:
        say(f"\n{sheet['destroyed']}")
    say("\nletters")
    for letter in sheet["letters"]:
        say(f"  {letter['written_at'][:16]}  {letter['template']}: {letter['state']} {letter['answer']}")
    say("\nsteps")
    for step in sheet["steps"]:
        say(f"  {step['at'][:16]}  {step['action']} by {step['actor']}: {step['grounds']}")


def _print_request(request: dict[str, Any]) -> None:
    kind, state = f"{request['kind']} as {request['capacity']}", request["state"].replace("_", " ")
    say(f"\nrequest {request['number']}: {kind}, {state} since {request['since'][:16]}")
    say(f"  {request['reason']}; proof: {request['proof']}")
    for one in request.get("fields", []):
        say(f"  {one['field']}: {one['old'] or '(nothing)'} → {one['new']}")
    for step in (request.get("plan") or {}).get("steps", []):
        say(f"  {step['place']}: {step['action']} {step['rows']}" + _kept_why(step))
    if request["can"]:
        say(f"  possible: {', '.join(request['can'])}")


def _kept_why(step: dict[str, Any]) -> str:
    return f" ({step['why']})" if step["action"] == "keep" and step["why"] else ""


def _print_mail(mail: dict[str, Any]) -> None:
    reading = mail["reading"] or {}
    say(f"\nmail of {mail['received_at'][:16]}: {reading.get('subject', '')}")
    for line in str(reading.get("new_text", "")).splitlines():
        say(f"  {line}")
