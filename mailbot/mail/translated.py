"""Jinja templates whose sentences are translated when they are compiled, not each time they are written.

jinja2.ext.i18n looks every `_("…")` up while rendering, by three calls each; that was half the time of a
letter. Here there is one environment a language, and the translation stands in the compiled template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from gettext import NullTranslations
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes, select_autoescape
from jinja2.visitor import NodeTransformer

_PLACEHOLDER = re.compile(r"%(?:\((\w+)\)[sd]|%)")


class TranslatedEnvironment(Environment):
    """Templates of `folders` (an overriding one first) in one language: undefined names are errors, HTML is
    escaped, also the sentences. `_("…", name=value)` takes constant sentences only."""

    def __init__(self, translations: NullTranslations, folders: Sequence[Path]) -> None:
        self._translations = translations
        super().__init__(
            loader=FileSystemLoader([str(folder) for folder in folders]),
            autoescape=select_autoescape(("html",)),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template = super()._parse(source, name, filename)
        _Translator(self._translations).visit(template)
        return template


class _Translator(NodeTransformer):
    """Puts translations in the place of calls of `_`."""

    def __init__(self, translations: NullTranslations) -> None:
        self._translations = translations

    def visit_Output(self, node: nodes.Output) -> nodes.Output:  # noqa: N802  # the visitor's own naming
        node.nodes = [piece for child in node.nodes for piece in self._pieces(child)]
        self.generic_visit(node)
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:  # noqa: N802  # the visitor's own naming
        pieces = list(self._pieces(node))
        for piece in pieces:
            self.generic_visit(piece)
        whole = pieces[0] if len(pieces) == 1 else nodes.Concat(pieces, lineno=node.lineno)
        if node.environment is not None:
            whole.set_environment(node.environment)
        return whole

    def _pieces(self, node: nodes.Expr) -> Iterator[nodes.Expr]:
        """The translated text between the placeholders, and their values; any other node as it is."""
        if (sentence := _sentence(node)) is None:
            yield node
            return
        values = {one.key: one.value for one in node.kwargs}  # type: ignore[attr-defined]  # it is a Call
        text, end = self._translations.gettext(sentence), 0
        for place in _PLACEHOLDER.finditer(text):
            yield _constant(text[end : place.start()], node)
            yield values[place[1]] if place[1] else _constant("%", node)
            end = place.end()
        yield _constant(text[end:], node)


def _constant(text: str, place: nodes.Node) -> nodes.Const:
    return nodes.Const(text, lineno=place.lineno, environment=place.environment)


def _sentence(node: nodes.Node) -> str | None:
    """The sentence of a call of `_`, else None."""
    match node:
        case nodes.Call(node=nodes.Name(name="_"), args=[nodes.Const(value=str(sentence))]):
            return sentence
    return None
