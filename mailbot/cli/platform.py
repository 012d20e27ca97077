"""`mailbot platform`: the platform whose data is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from mailbot.advance import CLOCK
from mailbot.alarms import Alarms
from mailbot.app import load_data_map, platform_of
from mailbot.cli.configured import read_config
from mailbot.cli.opened import no_platform_url, open_app, walked
from mailbot.cli.options import settings_of
from mailbot.cli.output import note, print_json, print_status, say
from mailbot.cli.staff_member import staff_id
from mailbot.cli.stored import utc_now
from mailbot.cli.trouble import WrongUsage
from mailbot.config import Config
from mailbot.core.plan import Deletion, Plan, PlatformTrouble
from mailbot.core.request import Kind
from mailbot.platform.draft_text import draft_text
from mailbot.platform.http_contract import openapi as openapi_document
from mailbot.platform.interface import CheckLine, CheckStatus, Platform
from mailbot.platform.sql import drafted
from mailbot.replaying import Limits, Replayed, Replaying
from mailbot.resources import ResourceTrouble

_TELL_EVERY = 10_000
app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def platform() -> None:
    """The platform whose data is changed."""


@app.command()
def check(ctx: typer.Context) -> None:
    """Hold the data map against the live schema: what vanished, what is not mapped, what will be slow."""
    lines = check_platform(read_config(ctx))
    is_ok = all(line.status is not CheckStatus.FAILED for line in lines)
    if settings_of(ctx).json:
        checks = [{"status": line.status.value, "message": line.what, "mend": line.mend} for line in lines]
        print_json({"ok": is_ok, "checks": checks})
    else:
        for line in lines:
            print_status("platform", line.status.value, line.what, line.mend)
    raise typer.Exit(0 if is_ok else 1)


@app.command()
def sweep(
    ctx: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what is due; nothing is deleted.")
    ] = False,
    even_if_many: Annotated[
        bool, typer.Option("--even-if-many", help="You have looked: also where a sweep stopped itself.")
    ] = False,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Your staff account, for --even-if-many.")
    ] = None,
) -> None:
    """Delete what has ended by its age, as the data map says; `mailbot run` does the same once a day."""
    if even_if_many and dry_run:
        raise WrongUsage("--even-if-many does nothing with --dry-run")
    program = open_app(ctx)
    who = f"staff:{staff_id(program.store, by, utc_now())}" if even_if_many or by else CLOCK
    try:
        reports = (
            program.sweeping.look() if dry_run else program.sweeping.sweep(by=who, even_if_many=even_if_many)
        )
    except PlatformTrouble as trouble:
        raise ResourceTrouble(str(trouble)) from None
    if settings_of(ctx).json:
        print_json({"dry_run": dry_run, "sweeps": [asdict(one) for one in reports]})
    else:
        for one in reports:
            did = "would take" if dry_run else "took"
            say(f"{one.id}: {one.due} of {one.total} due; {one.stopped or f'{did} {one.taken}'}")
    raise typer.Exit(1 if any(one.stopped for one in reports) else 0)


@app.command()
def draft(
    ctx: typer.Context,
    url: Annotated[str, typer.Option(help="SQLAlchemy URL; without it [platform] url of config.toml")] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A new file; without it standard output")
    ] = None,
) -> None:
    """Write a first data map from a live schema: who, what refers to them, what looks personal, what to decide."""
    text = _drafted(url or read_config(ctx).platform_url())
    if output is None:
        say(text.rstrip("\n"))
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        message = f"{output}: {error.strerror}; name a new file that can be written"
        raise ResourceTrouble(message) from None
    note(f"{output}: {text.count('[[places]]')} places drafted; decide what its comments ask")


def _drafted(url: str) -> str:
    try:
        return draft_text(drafted(url))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise no_platform_url(error) from None
    except PlatformTrouble as trouble:
        raise ResourceTrouble(str(trouble)) from None


@app.command()
def plan(
    ctx: typer.Context,
    address: Annotated[str, typer.Argument(help="An address of somebody on the platform")],
) -> None:
    """Show what deleting a person would do, place by place with counts. Changes nothing, tells no value."""
    with _opened(read_config(ctx)) as platform:
        try:
            plans = [platform.plan(Deletion(subject)) for subject in platform.find(address)]
        except PlatformTrouble as trouble:
            raise ResourceTrouble(str(trouble)) from None
    if settings_of(ctx).json:
        print_json({"found": [_described(one) for one in plans]})
    else:
        for one in plans:
            _print_plan(one)
    if not plans:
        note("nobody on the platform is found by this address")
        raise typer.Exit(1)


@app.command()
def openapi() -> None:
    """Print what mailbot expects of a platform that is reached by its API, as OpenAPI."""
    print_json(openapi_document())


@app.command()
def replay(
    ctx: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    most_percent: Annotated[
        float,
        typer.Option(help="More deletions than this share of all accounts stop the run.", min=0, max=100),
    ] = 5,
    yes_delete_all: Annotated[
        int | None, typer.Option(metavar="N", help="Delete all the same, if they are exactly so many.")
    ] = None,
    despite_vetoes: Annotated[
        bool, typer.Option("--despite-vetoes", help="Also who staff must look at first, as they did before.")
    ] = False,
) -> None:
    """After a restored backup of the platform: delete the deleted again, unsubscribe the unsubscribed, by keyed hashes.

    People who registered again after their deletion stay. Doing it again finds only what is left.
    """
    opened = open_app(ctx)
    if not dry_run and opened.knowledge.policy.kinds[Kind.DELETION].stopped:
        raise ResourceTrouble(
            "policy.toml: deletions are stopped (kinds.deletion.stopped); --dry-run is possible"
        )
    tell = _every(_TELL_EVERY, lambda count: note(f"{count} addresses looked at …"))
    alarms = Alarms(opened.advance, opened.config.controller)
    replaying = Replaying(opened.store, walked(opened.platform), opened.clock, alarms, tell)
    try:
        done = replaying.run(Limits(most_percent, yes_delete_all, despite_vetoes), dry=dry_run)
    except PlatformTrouble as trouble:
        raise ResourceTrouble(f"{trouble}; run it again: it goes on where it was") from None
    if settings_of(ctx).json:
        print_json({"dry_run": dry_run, **asdict(done)})
    else:
        _print_replayed(done, dry_run=dry_run)
    raise typer.Exit(0 if done.is_clean else 1)


def _every(many: int, tell: Callable[[int], None]) -> Callable[[int], None]:
    """Calls `tell` once for each so many."""
    told = 0

    def told_at(count: int) -> None:
        nonlocal told
        if count - told >= many:
            told = count
            tell(count)

    return told_at


def _print_replayed(done: Replayed, *, dry_run: bool) -> None:
    deleted, unsubscribed = (
        f"{found} to {what} again" if dry_run else f"{did} of {found} {what}d again"
        for what, did, found in (
            ("delete", done.deleted, done.to_delete),
            ("unsubscribe", done.unsubscribed, done.to_unsubscribe),
        )
    )
    say(
        f"{done.addresses} addresses looked at: {deleted}, {unsubscribed}, {done.registered_again} registered again."
    )
    for one in done.left:
        say(f"  for staff: {one.key}: {one.why}")
    if done.stopped:
        say(f"Stopped: {done.stopped}")


def _described(plan: Plan) -> dict[str, object]:
    return {
        "capacity": _capacity(plan),
        "steps": [
            {"place": step.place, "action": step.action.value, "rows": step.rows, "bytes": step.bytes,
             "why": step.why,
             "columns": [field.column for field in step.fields],
             "until": step.until.isoformat() if step.until else None}
            for step in plan.steps
        ],
        "needs_staff": list(plan.vetoes),
    }  # fmt: skip


def _print_plan(plan: Plan) -> None:
    say(f"as {_capacity(plan)}: {plan.rows} rows and {len(plan.files)} files would be changed or go")
    for step in plan.steps:
        columns = f" ({', '.join(field.column for field in step.fields)})" if step.fields else ""
        until = f", until {step.until}" if step.until else ""
        size = f", {step.bytes} bytes" if step.bytes else ""
        say(f"  {step.action.value:<10} {step.rows:>7}  {step.place}{columns}{size}  {step.why}{until}")
    for veto in plan.vetoes:
        say(f"  staff look first: {veto}")


def _capacity(plan: Plan) -> str:
    return plan.change.subject.capacity.value if isinstance(plan.change, Deletion) else plan.change.type


def check_platform(config: Config) -> tuple[CheckLine, ...]:
    """What was found. Raises ConfigTrouble or ResourceTrouble when there is nothing to compare."""
    with _opened(config) as platform:
        return platform.check()


@contextmanager
def _opened(config: Config) -> Iterator[Platform]:
    try:
        platform = platform_of(config, load_data_map(config))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise no_platform_url(error) from None
    try:
        yield platform
    finally:
        platform.close()
