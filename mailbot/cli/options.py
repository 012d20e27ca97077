"""Options that every command has, before or after its name: --config and --json."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


@dataclass(slots=True)
class Settings:
    """What was said by the common options. `config` None: $MAILBOT_CONFIG, else ./config.toml."""

    config: Path | None = None
    json: bool = False

    @property
    def config_file(self) -> Path:
        """The file that is meant, also when nobody named it."""
        return self.config or Path(os.environ.get("MAILBOT_CONFIG") or "config.toml")


def settings_of(ctx: typer.Context) -> Settings:
    """The common options of this call, wherever on the line they stood."""
    return ctx.find_root().ensure_object(Settings)


def _note_config(ctx: typer.Context, value: Path | None) -> None:
    if value is not None:
        settings_of(ctx).config = value


def _note_json(ctx: typer.Context, value: bool) -> None:
    if value:
        settings_of(ctx).json = True


def _declared(
    config: Annotated[  # Typer reads the options from here, callbacks take the values
        Path | None,
        typer.Option(
            "--config",
            metavar="PATH",
            callback=_note_config,
            expose_value=False,
            help="The configuration (default: $MAILBOT_CONFIG, else ./config.toml).",
        ),
    ] = None,
    json: Annotated[  # as above
        bool,
        typer.Option("--json", callback=_note_json, expose_value=False, help="Standard output for machines."),
    ] = False,
) -> None: ...


def with_common_options(command: TyperCommand | TyperGroup) -> None:
    """`command` and all below it take the common options."""
    source = typer.Typer(add_completion=False)
    source.command()(_declared)
    options = get_command(source).params
    command.params = [*command.params, *options]
    if isinstance(command, TyperGroup):
        for below in command.commands.values():
            if isinstance(below, TyperCommand | TyperGroup):
                with_common_options(below)
