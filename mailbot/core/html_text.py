"""HTML letters become plain text as the reader sees it: hidden parts gone, quoted history marked with "> "."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_DEPTH = 400
"""Open elements at once. Deeper nesting makes every HTML5 parser slow (its cost grows with depth × tags), so the
tags beyond are dropped; their text stays."""
MAX_TAGS_UNCHECKED = 400
"""With fewer tags than this nothing can nest too deep."""
MAX_QUOTE_DEPTH = 20
"""Marks before one line; deeper quotes get no more."""
MAX_TEXT_LENGTH = 2 << 20
"""Output; prefixing must not let a small mail grow without bound."""

_DROPPED = frozenset({
    "script", "style", "head", "title", "template", "noscript", "svg", "math", "object", "embed", "iframe", "audio",
    "video", "canvas", "map", "meta", "link", "base", "select", "datalist", "dialog",
})  # fmt: skip
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dir", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html",
    "legend", "li", "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead",
    "tr", "ul", "caption", "title",
})  # fmt: skip
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre", "dl"})
"""Blocks that stand apart by an empty line."""

_VOID = frozenset(
    {"br", "img", "hr", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr"}
)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,40}+)[^>]{0,2000}+>")
"""Bounded, since a letter of tags without an end would else be searched to its end for each of them."""
_FORMATTING = re.compile(
    r"<(/?)(?:b|i|u|s|em|strong|font|a|big|small|code|nobr|strike|tt)(?=[\s/>])", re.IGNORECASE
)
_SPACE = re.compile(r"[ \t\n\r\f]+")

_QUOTE_CLASSES = frozenset({
    "gmail_attr", "yahoo_quoted", "protonmail_quote", "tutanota_quote", "moz-cite-prefix", "moz-forward-container",
    "mail-quote-collapse", "zmail_extra", "wordsection1_quote", "hs_reply", "front-blockquote", "freebirdquote",
})  # fmt: skip
_QUOTE_IDS = frozenset({
    "olk_src_body_section", "mail-app-auto-quote", "mail-editor-reference-message-container", "reply-intro",
    "isforwardcontent", "replycontent",
})  # fmt: skip
_REST_IDS = frozenset({
    "divrplyfwdmsg", "appendonsend", "stopspelling", "zwchr", "ms-outlook-mobile-body-separator-line",
})  # fmt: skip
_BORDER_TOP = re.compile(
    r"border-top:\s*solid\s+(?:#b5c4df|#e1e1e1)|border-top:\s*#(?:b5c4df|e1e1e1)\b[^;]*\bsolid"
)
_INDENT = re.compile(r"margin:\s*0(?:px)?\s+0(?:px)?\s+0(?:px)?\s+40px")
_ZERO_BOX = re.compile(
    r"(?:^|[;\s])(?:max-)?(?:height|width)\s*:\s*0(?:\.0+)?(?:px|pt|em|%)?\s*(?:!important\s*)?(?:;|\Z)"
)
_CLIPPED = re.compile(r"overflow(?:-[xy])?\s*:\s*(?:hidden|clip)")
_TRANSPARENT = re.compile(r"(?:^|[;\s])opacity\s*:\s*0*(?:\.0+)?\s*(?:!important\s*)?(?:;|\Z)")
_FONT_SIZE = re.compile(r"(?:^|[;\s])font-size\s*:\s*([\d.]+|[a-z])")
_HIDDEN_STYLE = re.compile(
    r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all)"
)
_COLOR = re.compile(r"(?:^|[;\s])color\s*:\s*([^;!]+)")
_BACKGROUND = re.compile(r"(?:^|[;\s])background(?:-color)?\s*:\s*([^;!]+)")

_COLOR_NAMES = {"white": "#ffffff", "black": "#000000", "#fff": "#ffffff", "#000": "#000000"}
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")
_UNSEEN: dict[int, str | None] = {
    **dict.fromkeys(map(ord, "\u200b\u200c\u2060\ufeff\u00ad\u034f")),
    **dict.fromkeys(map(ord, "\u00a0\u202f\u2007"), " "),
}
"""Characters that take no place are dropped, spaces that never break become plain ones."""


def html_to_text(html: str) -> str:
    """The letter in `html` as lines of plain text; quoted history stands behind "> " for each level. Never raises."""
    tree = LexborHTMLParser(_shallow(html))
    root = tree.root
    if root is None:
        return ""
    writer = _Writer()
    _walk(root, writer)
    return writer.text()


def _shallow(html: str) -> str:
    """The same letter without what makes an HTML5 parser slow: formatting tags (the parser reopens them in every
    paragraph) become plain spans, and tags that would nest too deep become line breaks."""
    html = _FORMATTING.sub(r"<\1span", html.replace("\x00", ""))
    if html.count("<") <= MAX_TAGS_UNCHECKED:
        return html
    return _TAG.sub(_DepthLimit().keep, html)


class _DepthLimit:
    """Counts open elements; counts too many rather than too few."""

    _UNCOUNTED = _VOID | {"p", "li", "td", "th", "tr", "dt", "dd", "option", "tbody", "thead", "tfoot"}

    def __init__(self) -> None:
        self.open: dict[str, int] = {}
        self.depth = 0

    def keep(self, match: re.Match[str]) -> str:
        name = match[2].lower()
        if name in self._UNCOUNTED or match[0].endswith("/>"):
            return match[0]
        if match[1]:
            if self.open.get(name, 0) > 0:
                self.open[name] -= 1
                self.depth -= 1
            return match[0]
        if self.depth >= MAX_DEPTH:
            return "<br>" if name in _BLOCKS else ""
        self.open[name] = self.open.get(name, 0) + 1
        self.depth += 1
        return match[0]


class _Writer:
    """Collects lines; a line gets as many marks as the quote depth at its end."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.current: list[str] = []
        self.quote_depth = 0
        self.length = 0
        self.gap = False

    @property
    def full(self) -> bool:
        return self.length > MAX_TEXT_LENGTH

    def add(self, text: str, preformatted: bool) -> None:
        if not self.current and text.isspace() and not preformatted:
            return
        if preformatted:
            first, *rest = text.split("\n")
            self.current.append(first)
            for line in rest:
                self.end_line()
                self.current.append(line)
            return
        self.current.append(text)

    def end_line(self, always: bool = True) -> None:
        """The current line is closed; an empty one is written only when `always` (as for <br>)."""
        text = _tidy("".join(self.current)) if self.current else ""
        self.current.clear()
        if text and self.gap and self.lines:
            self._write("")
        if text or always:
            self.gap = False
            self._write(text)

    def _write(self, text: str) -> None:
        line = f"{'>' * min(self.quote_depth, MAX_QUOTE_DEPTH)} {text}".rstrip() if self.quote_depth else text
        if not text and self.lines and self.lines[-1] == line:
            return
        self.length += len(line) + 1
        self.lines.append(line)

    def block(self, spaced: bool) -> None:
        if self.current:
            self.end_line(always=False)
        self.gap = self.gap or spaced

    def text(self) -> str:
        self.end_line(always=False)
        return "\n".join(self.lines).strip("\n")


def _tidy(line: str) -> str:
    """Without invisible characters, spaces of any kind single."""
    if not line.isascii():
        line = line.translate(_UNSEEN)
    return _SPACE.sub(" ", line).strip()


class _Frame:
    """An open element and the state to return to after it."""

    __slots__ = ("node", "preformatted", "quote_depth", "tag", "tiny")

    def __init__(
        self, node: LexborNode, tag: str, quote_depth: int | None, preformatted: bool, tiny: bool
    ) -> None:
        self.node = node
        self.tag = tag
        self.quote_depth = quote_depth
        self.preformatted = preformatted
        self.tiny = tiny


def _walk(root: LexborNode, writer: _Writer) -> None:
    """Depth first without recursion: letters nest as deep as their programs please."""
    stack = [_Frame(root, "html", None, False, False)]
    node = root.first_child
    while not writer.full:
        if node is None:
            frame = stack.pop()
            _leave(frame, writer)
            if not stack:
                return
            node = frame.node.next
            continue
        node = _visit(node, stack, writer)


def _visit(node: LexborNode, stack: list[_Frame], writer: _Writer) -> LexborNode | None:
    """What to look at after `node` was taken in: its first child when it was opened, else its sibling."""
    tag = node.tag or ""
    frame = stack[-1]
    if tag == "-text":
        if not frame.tiny:
            writer.add(node.text_content or "", frame.preformatted)
        return node.next
    if tag == "br":
        writer.end_line()
        return node.next
    if tag in _DROPPED or tag[:1] == "-":
        return node.next
    attributes = node.attributes
    style = (attributes.get("style") or "").lower() if attributes else ""
    if "hidden" in attributes or (style and _is_hidden(style)):
        return node.next
    quote_depth = _enter(node, tag, attributes, style, writer)
    tiny = _is_tiny(style, frame.tiny) if style else frame.tiny
    stack.append(_Frame(node, tag, quote_depth, frame.preformatted or tag == "pre", tiny))
    return node.first_child


def _enter(
    node: LexborNode, tag: str, attributes: dict[str, str | None], style: str, writer: _Writer
) -> int | None:
    """The element's beginning is written; the quote depth to return to after it where it is a quote."""
    if tag in _BLOCKS:
        writer.block(tag in _SPACED)
    elif tag in ("td", "th"):
        writer.add(" ", False)
    before = writer.quote_depth
    if attributes and _is_separator(attributes, style):
        writer.block(False)
        writer.quote_depth += 1  # up to the end of the quote around it, or of the letter
        return None
    if (attributes or tag == "blockquote") and _is_quote(node, tag, attributes, style):
        writer.block(False)
        writer.quote_depth += 1
        return before
    if tag == "li":
        writer.add("- ", False)
    return None


def _leave(frame: _Frame, writer: _Writer) -> None:
    if frame.tag in _BLOCKS or frame.quote_depth is not None:
        writer.block(frame.tag in _SPACED)
    if frame.quote_depth is not None:
        writer.quote_depth = frame.quote_depth


def _is_separator(attributes: dict[str, str | None], style: str) -> bool:
    if "id" in attributes and _plain_id(attributes) in _REST_IDS:
        return True
    return "border-top" in style and bool(_BORDER_TOP.search(style))


def _plain_id(attributes: dict[str, str | None]) -> str:
    """The id without the "x_" that Outlook puts before ids of mails it quotes."""
    identity = (attributes.get("id") or "").lower()
    while identity.startswith("x_"):
        identity = identity[2:]
    return identity


def _is_quote(node: LexborNode, tag: str, attributes: dict[str, str | None], style: str) -> bool:
    if tag == "blockquote":
        return not (
            style and _INDENT.search(style) and "border-left" not in style and "type" not in attributes
        )
    classes = (attributes.get("class") or "").lower().split() if "class" in attributes else ()
    if "gmail_quote" in classes:
        return not _holds_blockquote(node)
    if not _QUOTE_CLASSES.isdisjoint(classes) or ("id" in attributes and _plain_id(attributes) in _QUOTE_IDS):
        return True
    return attributes.get("name") == "quote"


def _holds_blockquote(node: LexborNode) -> bool:
    """Gmail's container holds the attribution, the quote and answers typed below it; a forward holds no blockquote."""
    child = node.first_child
    while child is not None:
        if child.tag == "blockquote":
            return True
        child = child.next
    return False


def _is_hidden(style: str) -> bool:
    if _HIDDEN_STYLE.search(style) or ("opacity" in style and _TRANSPARENT.search(style)):
        return True
    if "overflow" in style and _CLIPPED.search(style) and _ZERO_BOX.search(style):
        return True
    return "background" in style and _same_colors(style)


def _is_tiny(style: str, inherited: bool) -> bool:
    """font-size:0 hides text until an element inside sets a size again (newsletters use it against gaps)."""
    size = _FONT_SIZE.search(style) if "font-size" in style else None
    if size is None:
        return inherited
    return not size[1].isalpha() and not size[1].strip("0.")


def _same_colors(style: str) -> bool:
    color, background = _COLOR.search(style), _BACKGROUND.search(style)
    return bool(color and background and _color(color[1]) == _color(background[1]))


def _color(value: str) -> str:
    value = value.strip()
    rgb = _RGB.fullmatch(value)
    if rgb:
        return "#" + "".join(f"{min(int(part), 255):02x}" for part in rgb.groups())
    return _COLOR_NAMES.get(value, value)
