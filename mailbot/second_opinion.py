"""The second opinion's files: rules/model.npz, rules/ideas/<language>.toml."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mailbot.core.agreement import SecondOpinion, inputs_of
from mailbot.core.features import DIMENSIONS
from mailbot.core.opinion import KINDS, OUTPUTS, Model
from mailbot.core.request import Language
from mailbot.core.training import VERSION
from mailbot.resources import ResourceTrouble, files_in, read_toml

MODEL_FILE = "model.npz"
Ideas = Mapping[Language, Mapping[str, str]]


def load_second_opinion(places: tuple[Path, ...]) -> SecondOpinion | None:
    """The second opinion; None when there is no model file. Raises ResourceTrouble when a file is wrong."""
    model = load_model(places)
    return SecondOpinion(model, load_ideas(places)) if model else None


def load_ideas(places: tuple[Path, ...]) -> Ideas:
    """The words of each language that has ideas. Raises ResourceTrouble naming the file."""
    ideas: dict[Language, dict[str, str]] = {}
    for language in sorted(files_in("ideas", places)):
        name = f"ideas/{language}.toml"
        ideas[Language(language)] = _words(read_toml(name, places), name)
    return ideas


def _words(table: Mapping[str, object], name: str) -> dict[str, str]:
    words = {idea: text for idea, text in table.items() if idea != "language" and isinstance(text, str)}
    if len(words) + 1 != len(table):
        raise ResourceTrouble(f"{name}: every value must be a text, and language must be named")
    return words


def load_model(places: tuple[Path, ...]) -> Model | None:
    """The first model file in `places`. Raises ResourceTrouble when it is not one of this program's."""
    file = next((place / MODEL_FILE for place in places if (place / MODEL_FILE).is_file()), None)
    if file is None:
        return None
    try:
        with np.load(file, allow_pickle=False) as arrays:
            model = Model(
                arrays["weights"],
                arrays["scales"],
                arrays["bias"],
                arrays["rarities"],
                arrays["agreement"],
                str(arrays["about"]),
            )
        version = json.loads(model.about)["version"]
    except (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ResourceTrouble(f"{file}: not a model: {error}") from None
    if version != VERSION or _shapes(model) != _SHAPES:
        raise ResourceTrouble(f"{file}: made for another version: run `mailbot rules train`")
    return model


_INPUTS = len(inputs_of(np.zeros(len(KINDS), np.float32), None))
_SHAPES = ((DIMENSIONS, OUTPUTS), (_INPUTS, len(KINDS)))


def _shapes(model: Model) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return model.weights.shape, model.agreement.shape


def save_model(model: Model, file: Path) -> None:
    """The model is in `file`; the same model is the same bytes."""
    with file.open("wb") as out:
        np.savez_compressed(
            out,
            weights=model.weights,
            scales=model.scales,
            bias=model.bias,
            rarities=model.rarities,
            agreement=model.agreement,
            about=np.array(model.about),
        )


def digest_of(files: Sequence[Path]) -> str:
    """One digest of the names and contents of files, whatever folder they are in."""
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda one: one.name):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.name} {content}\n".encode())
    return digest.hexdigest()
