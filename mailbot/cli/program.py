"""The program `mailbot` as a whole."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.core import TyperGroup
from typer.main import get_group

from mailbot import __version__
from mailbot.cli.nouns import Nouns

app = typer.Typer(
    cls=Nouns,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mailbot {__version__}")
        raise typer.Exit


@app.callback()
def mailbot(
    version: Annotated[  # its callback does it
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say it and end.")
    ] = False,
) -> None:
    """Answers a company's privacy mailbox: understands, proves, changes, reads back, replies."""


def program() -> TyperGroup:
    """The command of all commands."""
    return get_group(app)
