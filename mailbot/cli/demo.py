"""`mailbot demo`: a whole working system on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli.logs import set_up_logging
from mailbot.cli.options import settings_of
from mailbot.config import Logging
from mailbot.demo.run import run_demo

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    ctx: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="Process the sample mails, show the table, end.")
    ] = False,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="The port of the web pages; else a free one.")
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Only write what the demo uses into DIR, to go on from there."),
    ] = None,
) -> None:
    """A whole working system on this machine: nothing to install, nothing to configure."""
    set_up_logging(Logging(level="error"))
    raise typer.Exit(run_demo(once, port, settings_of(ctx).json, files))
