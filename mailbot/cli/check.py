"""`mailbot check`: every part of the configuration tried for real."""

from __future__ import annotations

import typer

from mailbot.cli.configured import read_config
from mailbot.cli.logs import set_up_logging
from mailbot.cli.options import settings_of
from mailbot.cli.output import note, print_json, print_status
from mailbot.cli.trouble import DONE, WRONG
from mailbot.cli.trouble import FAILED as EXIT_FAILED
from mailbot.cli.trying import FAILED, Check, try_everything

app = typer.Typer(add_completion=False)


@app.command()
def check(ctx: typer.Context) -> None:
    """Try every part of the configuration for real and name the mend of what fails."""
    config = read_config(ctx)
    set_up_logging(config.logging)
    checks: list[Check] = []
    for one in try_everything(config):
        checks.append(one)
        if not settings_of(ctx).json:
            print_status(one.part, one.status, one.message, one.mend)
    is_ok = all(one.status != FAILED for one in checks)
    if settings_of(ctx).json:
        print_json({"ok": is_ok, "checks": [_as_json(one) for one in checks]})
    for one in checks:
        if one.is_wrong:
            note(f"mailbot: {settings_of(ctx).config_file}: {one.message}")
    raise typer.Exit(_exit_code(checks))


def _as_json(one: Check) -> dict[str, str]:
    return {"part": one.part, "status": one.status, "message": one.message, "mend": one.mend}


def _exit_code(checks: list[Check]) -> int:
    """A key that is wrong or a secret that is missing is 2 here as everywhere."""
    if any(one.is_wrong for one in checks):
        return WRONG
    return EXIT_FAILED if any(one.status == FAILED for one in checks) else DONE
