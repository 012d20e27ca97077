"""`mailbot rules`: the rules that understand mails."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli.configured import read_config_or_defaults
from mailbot.cli.options import settings_of
from mailbot.cli.output import note, print_json, print_table, say
from mailbot.cli.shadow import shadow
from mailbot.config import Config
from mailbot.core.classify import ExampleFailure, check_examples
from mailbot.core.rules import Rulebook
from mailbot.examples import Labelled, example_files, load_examples
from mailbot.knowledge import load_knowledge, load_rulebooks, rule_folders
from mailbot.measuring import Measure, as_markdown, confusions, measure, measure_varied
from mailbot.reading import Reader
from mailbot.resources import ResourceTrouble
from mailbot.second_opinion import MODEL_FILE, load_ideas, save_model
from mailbot.teaching import digests_of, teach

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.command()(shadow)


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


_HeldOut = Annotated[
    Path | None,
    typer.Option(
        "--held-out", help="Folder of labelled letters to measure on (default: held_out beside the rules)."
    ),
]
_Write = Annotated[
    Path | None, typer.Option("--write", help="Write figures and confusion matrices to this file.")
]


_Varied = Annotated[
    bool,
    typer.Option(
        "--varied",
        help="Measure the same letters as other hands would type them: no accents, capitals, typos, …",
    ),
]


@app.command()
def test(
    ctx: typer.Context, held_out: _HeldOut = None, write: _Write = None, varied: _Varied = False
) -> None:
    """Hold every rule against its own examples, and measure the whole reading on labelled letters."""
    config = read_config_or_defaults(ctx)
    books = load_rulebooks(config)
    failures = [_failure(book, one) for book in books.values() for one in check_examples(book)]
    examples = sum(_examples(book) for book in books.values())
    folder, letters = _labelled(config, held_out)
    reader = Reader(load_knowledge(config), None)
    measures = measure(letters, reader) if letters else {}
    if varied and letters:
        measures |= measure_varied(letters, reader)
    counts = {"languages": len(books), "rules": sum(len(book.rules) for book in books.values())}
    if settings_of(ctx).json:
        shown = [asdict(one) for one in failures]
        found = {"ok": not failures, **counts, "examples": examples, "failures": shown}
        print_json({**found, **_figures(measures)})
    else:
        for one in failures:
            say(f"{one.rule}: {one.happened}: “{one.example}”")
        say(f"{examples} examples of {counts['rules']} rules in {len(books)} languages: {_verdict(failures)}")
        _say_figures(measures)
    if write is not None and measures:
        write.write_text(as_markdown(measures, f"{len(letters)} letters of {folder.name}"), encoding="utf-8")
    if not books:
        note("no rulebook was found for the configured languages: look at [folders] rules")
    raise typer.Exit(1 if failures or not books else 0)


@app.command()
def train(
    ctx: typer.Context,
    examples: Annotated[
        Path | None,
        typer.Option("--examples", help="Folder of examples (default: examples beside the rules)."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where the model goes (default: model.npz beside the rules).")
    ] = None,
) -> None:
    """Learn the second opinion from labelled examples. The same examples give the same file."""
    config = read_config_or_defaults(ctx)
    places = rule_folders(config)
    folders = [examples] if examples else [place / "examples" for place in places]
    file = out or places[0] / MODEL_FILE
    kept = [config.path(config.rules.examples)] if config.rules.examples else []
    labelled = load_examples(*folders) + load_examples(*kept)
    if len(labelled) < _FEWEST_EXAMPLES:
        raise ResourceTrouble(
            f"{folders[0]}: {len(labelled)} examples, at least {_FEWEST_EXAMPLES} are needed"
        )
    digests = digests_of([*example_files(*folders), *example_files(*kept)], places)
    trained = teach(labelled, load_knowledge(config, with_second=False), load_ideas(places), digests)
    save_model(trained.model, file)
    if settings_of(ctx).json:
        print_json({"ok": True, "file": str(file), "learnt_from": len(labelled), **digests})
    else:
        say(f"{file}: learnt from {len(labelled)} examples")


_FEWEST_EXAMPLES = 50
_CONFUSIONS_SHOWN = 15


def _labelled(config: Config, held_out: Path | None) -> tuple[Path, list[Labelled]]:
    """The folder of labelled letters and what is in it. Raises ResourceTrouble when a named one is missing."""
    folders = [held_out] if held_out else [place / "held_out" for place in rule_folders(config)]
    if held_out is not None and not held_out.is_dir():
        raise ResourceTrouble(f"{held_out}: there is no such folder")
    return folders[0], load_examples(*folders)


def _figures(measures: dict[str, Measure]) -> dict[str, object]:
    figures = {language: one.figures() for language, one in measures.items()}
    wrong = confusions([measures["all"]] if measures else [], _CONFUSIONS_SHOWN)
    mistakes = [{"asked": asked, "read": read, "letters": count} for asked, read, count in wrong]
    return {"measured": figures, "confusions": mistakes}


def _say_figures(measures: dict[str, Measure]) -> None:
    if not measures:
        return
    names = list(Measure().figures())
    rows = [
        [language, *(str(value) for value in one.figures().values())] for language, one in measures.items()
    ]
    print_table(["language", *(name.replace("_", " ") for name in names)], rows)
    for asked, read, count in confusions([measures["all"]], _CONFUSIONS_SHOWN):
        say(f"{count:4}  {asked} read as {read}")


def _failure(book: Rulebook, one: ExampleFailure) -> _Failure:
    happened = "does not match, and must" if one.must_match else "matches, and must not"
    return _Failure(book.language, one.rule, one.example, happened)


def _examples(book: Rulebook) -> int:
    return sum(len(rule.matches) + len(rule.does_not_match) for rule in book.rules)


def _verdict(failures: list[_Failure]) -> str:
    return f"{len(failures)} are read wrongly" if failures else "all are read as they should be"
