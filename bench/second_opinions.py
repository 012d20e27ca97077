"""`python -m bench.second_opinions`: the linear model beside a small network, on the letters kept apart.

Both learn from the same examples and see the same hashed features. The network needs PyTorch, which nothing else here
does: `pip install torch` first. What came out is in docs/decisions/0006-linear-second-opinion.md.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from mailbot.config import load_config
from mailbot.core.features import DIMENSIONS, IdeaBook
from mailbot.core.newest_text import newest_text
from mailbot.core.opinion import KINDS, Floats, cut, rarities_of, score, values_of
from mailbot.core.request import Kind
from mailbot.core.training import Example
from mailbot.examples import load_examples
from mailbot.knowledge import rule_folders
from mailbot.second_opinion import load_ideas, load_model

EPOCHS = 16
BATCH = 64
EMBEDDING, HIDDEN = 32, 64
DROPPED = 0.4
"""Share of a letter's features that a training step does not see: else the network learns letters by heart."""


class Letters:
    """Labelled letters as hashed features."""

    def __init__(self, folder: Path, book: IdeaBook) -> None:
        self.examples = [_newest(one.example) for one in load_examples(folder)]
        self.cut = [cut(one.subject, one.text, book) for one in self.examples]
        self.asked = np.array([[kind in one.kinds for kind in KINDS] for one in self.examples])

    def bags(
        self, chosen: np.ndarray, rarities: np.ndarray
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The letters as one bag of weighted features each, as EmbeddingBag wants them."""
        seen = [self.cut[index].seen for index in chosen]
        starts = np.cumsum([0] + [len(one.places) for one in seen[:-1]])
        places = np.concatenate([one.places for one in seen])
        values = np.concatenate([values_of(one, rarities) for one in seen])
        return torch.from_numpy(places), torch.from_numpy(starts), torch.from_numpy(values)


class Network(nn.Module):
    """Hashed embeddings, summed, and one hidden layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded = nn.EmbeddingBag(DIMENSIONS, EMBEDDING, mode="sum")
        nn.init.normal_(self.embedded.weight, 0, 0.05)
        self.rest = nn.Sequential(
            nn.ReLU(),
            nn.Linear(EMBEDDING, HIDDEN),
            nn.ReLU(),
            nn.Dropout(DROPPED),
            nn.Linear(HIDDEN, len(KINDS)),
        )

    def forward(self, places: torch.Tensor, starts: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Logits for each kind."""
        if self.training:
            values = values * (torch.rand_like(values) > DROPPED) / (1 - DROPPED)
        logits: torch.Tensor = self.rest(self.embedded(places, starts, per_sample_weights=values))
        return logits


def main() -> None:
    """Prints what each model reads rightly, alone."""
    config = load_config(Path(__file__).parents[1] / "config.toml")
    places = rule_folders(config)
    model, ideas = load_model(places), load_ideas(places)
    assert model is not None, "there is no model: run `mailbot rules train`"
    book = IdeaBook({}, [IdeaBook(words) for words in ideas.values()])
    taught, apart = Letters(places[0] / "examples", book), Letters(places[0] / "held_out", book)
    every = np.concatenate([one.seen.places for one in taught.cut])
    rarities = rarities_of(np.bincount(every, minlength=DIMENSIONS), len(taught.cut))
    linear = np.array([score(model, one).kinds for one in apart.cut])
    network = _taught(taught, rarities)
    with torch.no_grad():
        deep = network(*apart.bags(np.arange(len(apart.cut)), rarities)).numpy()
    for name, logits in (("linear", linear), ("network", deep), ("their mean", linear + deep / 2)):
        _say(name, logits, apart.asked)


def _taught(letters: Letters, rarities: np.ndarray) -> Network:
    torch.manual_seed(0)
    drawn = np.random.default_rng(0)
    network, asked = Network(), torch.from_numpy(letters.asked.astype(np.float32))
    steps = EPOCHS * -(-len(letters.cut) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-4)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=steps)
    for _ in range(EPOCHS):
        order = drawn.permutation(len(letters.cut))
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            logits = network(*letters.bags(chosen, rarities))
            loss = nn.functional.binary_cross_entropy_with_logits(logits, asked[chosen], reduction="sum")
            optimiser.zero_grad()
            (loss / len(chosen)).backward()
            optimiser.step()
            pace.step()
    return network.eval()


def _say(name: str, logits: Floats, asked: np.ndarray) -> None:
    read = logits > 0
    nothing = ~read.any(axis=1)
    read[nothing, logits[nothing].argmax(axis=1)] = True
    deletion = KINDS.index(Kind.DELETION)
    false = (read[:, deletion] & ~asked[:, deletion]).sum()
    print(
        f"{name:<12} exact {(read == asked).all(axis=1).mean():.1%}  deletions read where none is asked: {false}"
    )


def _newest(example: Example) -> Example:
    return replace(example, text=newest_text(example.text))


if __name__ == "__main__":
    main()
