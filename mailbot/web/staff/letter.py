"""A stranger's mail made safe to look at: marked text, stripped HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import nh3

from mailbot.web.staff.reading import EvidenceRead

MAX_HTML = 200_000
MAX_TEXT = 100_000

_KEPT_TAGS = frozenset(
    re.findall(
        r"\w+",
        "b blockquote br code dd del div dl dt em hr i ins li ol p pre s small span strong sub sup u ul "
        "table tbody td tfoot th thead tr",
    )
)
"""Nothing that loads, links, frames, runs, styles or posts; headings would break the page's own outline."""
_GONE_WITH_CONTENT = frozenset(
    re.findall(r"\w+", "head iframe math noscript object script select style svg template textarea title")
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `rules` are the rules it is evidence for, each with its sentence (none: plain text)."""

    text: str
    rules: tuple[str, ...] = ()


def marked(text: str, evidence: Sequence[EvidenceRead]) -> list[Piece]:
    """`text` cut where evidence begins and ends. Offsets that lie outside are cut to what is there."""
    text = text[:MAX_TEXT]
    found = [one for one in evidence if 0 <= one.start < min(one.end, len(text))]
    cuts = sorted({0, len(text), *(one.start for one in found), *(min(one.end, len(text)) for one in found)})
    pieces = (
        Piece(text[start:end], tuple(one.title for one in found if one.start <= start and end <= one.end))
        for start, end in pairwise(cuts)
    )
    return [piece for piece in pieces if piece.text]


def safe_html(html: str) -> str:
    """`html` without anything that loads, links, runs, styles or posts; attributes are all gone.

    What exceeds MAX_HTML characters is left out.
    """
    return nh3.clean(
        html[:MAX_HTML],
        tags=set(_KEPT_TAGS),
        clean_content_tags=set(_GONE_WITH_CONTENT),
        attributes={},
        link_rel=None,
        strip_comments=True,
    )
