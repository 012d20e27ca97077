"""`mailbot rules`: the rules that understand mails."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import typer

from mailbot.cli.configured import read_config_or_defaults
from mailbot.cli.options import settings_of
from mailbot.cli.output import note, print_json, say
from mailbot.core.classify import ExampleFailure, check_examples
from mailbot.core.rules import Rulebook
from mailbot.knowledge import load_rulebooks

app = typer.Typer(no_args_is_help=True, add_completion=False)


@dataclass(frozen=True, slots=True)
class _Failure:
    """One example that is not read as its rule says."""

    language: str
    rule: str
    example: str
    happened: str


@app.callback()
def rules() -> None:
    """The rules that understand mails."""


@app.command()
def test(ctx: typer.Context) -> None:
    """Hold every rule against its own examples: those that must match and those that must not."""
    books = load_rulebooks(read_config_or_defaults(ctx))
    failures = [_failure(book, one) for book in books.values() for one in check_examples(book)]
    examples = sum(_examples(book) for book in books.values())
    counts = {"languages": len(books), "rules": sum(len(book.rules) for book in books.values())}
    if settings_of(ctx).json:
        shown = [asdict(one) for one in failures]
        print_json({"ok": not failures, **counts, "examples": examples, "failures": shown})
    else:
        for one in failures:
            say(f"{one.rule}: {one.happened}: “{one.example}”")
        say(f"{examples} examples of {counts['rules']} rules in {len(books)} languages: {_verdict(failures)}")
    if not books:
        note("no rulebook was found for the configured languages: look at [folders] rules")
    raise typer.Exit(1 if failures or not books else 0)


def _failure(book: Rulebook, one: ExampleFailure) -> _Failure:
    happened = "does not match, and must" if one.must_match else "matches, and must not"
    return _Failure(book.language.value, one.rule, one.example, happened)


def _examples(book: Rulebook) -> int:
    return sum(len(rule.matches) + len(rule.does_not_match) for rule in book.rules)


def _verdict(failures: list[_Failure]) -> str:
    return f"{len(failures)} are read wrongly" if failures else "all are read as they should be"
