"""`mailbot platform`: the platform whose data is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from mailbot.app import files_root, load_data_map
from mailbot.cli.configured import read_config
from mailbot.cli.opened import no_platform_url
from mailbot.cli.options import settings_of
from mailbot.cli.output import print_json, print_status
from mailbot.config import Config
from mailbot.core.plan import PlatformTrouble
from mailbot.platform.draft_text import draft_text
from mailbot.platform.interface import CheckLine, CheckStatus
from mailbot.platform.sql import drafted, open_platform
from mailbot.resources import ResourceTrouble

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
        typer.echo(text, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        message = f"{output}: {error.strerror}; name a new file that can be written"
        raise ResourceTrouble(message) from None
    typer.echo(f"{output}: {text.count('[[places]]')} places drafted; decide what its comments ask", err=True)


def _drafted(url: str) -> str:
    try:
        return draft_text(drafted(url))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise no_platform_url(error) from None
    except PlatformTrouble as trouble:
        raise ResourceTrouble(str(trouble)) from None


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
