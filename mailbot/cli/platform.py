"""`mailbot platform`: the platform whose data is changed."""

from __future__ import annotations

import typer
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from mailbot.app import files_root, load_data_map
from mailbot.cli.configured import read_config
from mailbot.cli.opened import no_platform_url
from mailbot.cli.options import settings_of
from mailbot.cli.output import print_json, print_status
from mailbot.config import Config
from mailbot.platform.interface import CheckLine, CheckStatus
from mailbot.platform.sql import open_platform

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


def check_platform(config: Config) -> tuple[CheckLine, ...]:
    """What was found. Raises ConfigTrouble or ResourceTrouble when there is nothing to compare."""
    try:
        platform = open_platform(config.platform_url(), load_data_map(config), files_root(config))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise no_platform_url(error) from None
    try:
        return platform.check()
    finally:
        platform.close()
