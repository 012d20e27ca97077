"""What the person wrote anew: quoted history, signatures and what programs add are left out."""

from __future__ import annotations

from mailbot.core.quote_marks import (
    STANDARD,
    QuoteMarks,
    has_date,
    is_banner,
    is_quoted,
    is_rule,
    is_signature_mark,
)

MAX_HEADER_BLOCK_LINES = 14
"""From, Sent, To, Cc and Subject with their continuation lines."""
MAX_CONTINUATION_LINES = 4
"""Lines without a label between two labels: long lists of recipients."""
MAX_ATTRIBUTION_LINES = 4
MAX_BLANKS_BELOW_ATTRIBUTION = 4
MAX_SIGNATURE_LINES = 15
"""Below "--" without its space; longer text is a section of the letter."""
MAX_BANNER_LINE = 12
"""A gateway's warning stands at the top."""
MIN_WRAPPED_LINE = 70
MAX_WRAPPED_END = 25
"""Mail programs break lines at 72 to 78 characters; only the last words of a line wrap."""
MIN_DISCLAIMER_LENGTH = 120


def newest_text(text: str, marks: QuoteMarks = STANDARD) -> str:
    """The lines of `text` that its sender wrote now, in order; "" when all of it is forwarded or quoted.

    Every line returned is a line of `text`. Time grows linearly with its length.
    """
    letter = _Letter(text.replace("\r\n", "\n").split("\n"), marks)
    letter.drop_quotes()
    letter.drop_history()
    letter.drop_signature()
    letter.drop_trailing_notes()
    return "\n".join(letter.kept()).strip("\n")


class _Letter:
    """The lines of one letter and which of them are dropped."""

    def __init__(self, lines: list[str], marks: QuoteMarks) -> None:
        self.lines = lines
        self.marks = marks
        self.dropped = [False] * len(lines)

    def kept(self) -> list[str]:
        return _without_outer_blanks(
            [line for line, gone in zip(self.lines, self.dropped, strict=True) if not gone]
        )

    def drop(self, start: int, end: int) -> None:
        self.dropped[start:end] = [True] * (end - start)

    # Quotes with marks, and the attribution above each.

    def drop_quotes(self) -> None:
        previous = False
        for number, line in enumerate(self.lines):
            quoted = is_quoted(line)
            if quoted:
                self.dropped[number] = True
                if not previous:
                    self._drop_attribution(number)
            elif number < MAX_BANNER_LINE and is_banner(line):
                self.dropped[number] = True
            previous = quoted
        self._drop_wrapped_ends()

    def _drop_wrapped_ends(self) -> None:
        """The end of a long quoted line that wrapped: a small piece, directly between two quoted lines."""
        for number in range(1, len(self.lines) - 1):
            line, above = self.lines[number], self.lines[number - 1]
            if self.dropped[number] or len(line) > MAX_WRAPPED_END or len(above) < MIN_WRAPPED_LINE:
                continue
            between_quotes = is_quoted(above) and is_quoted(self.lines[number + 1])
            if between_quotes and line[:1].islower() and above.rstrip()[-1:] not in ".!?:":
                self.dropped[number] = True

    def _drop_attribution(self, quote: int) -> None:
        last = self._previous_written(quote, MAX_BLANKS_BELOW_ATTRIBUTION)
        if last is None or not self.lines[last].rstrip(" \t*_\u00a0<").endswith((":", "：")):
            return
        first = self._attribution_start(last)
        if first is not None:
            self.drop(first, last + 1)

    def _previous_written(self, number: int, blanks: int) -> int | None:
        """The nearest line above that is not blank, if at most `blanks` lines lie between and it is not dropped."""
        for above in range(number - 1, max(-1, number - 2 - blanks), -1):
            if self.lines[above].strip():
                return None if self.dropped[above] else above
        return None

    def _attribution_start(self, last: int) -> int | None:
        """The first line of the attribution that ends at `last`, or None where it is none.

        It grows upwards while that is needed for a date, since long ones are wrapped."""
        block = ""
        start = None
        for number in range(last, max(-1, last - MAX_ATTRIBUTION_LINES), -1):
            line = self.lines[number]
            if not line.strip() or self.dropped[number]:
                break
            block = f"{line.strip()} {block}".strip()
            if self.marks.is_attribution(block):
                start = number
                if has_date(block) and (
                    self.marks.starts_attribution(line) or not self._goes_on_above(number)
                ):
                    break
        return self._tightened(start, last)

    def _goes_on_above(self, number: int) -> bool:
        return number > 0 and self.marks.starts_attribution(self.lines[number - 1])

    def _tightened(self, start: int | None, last: int) -> int | None:
        """Lines above the one with the date are the person's own words, unless the attribution starts there."""
        if start is None or start == last:
            return start
        for number in range(last, start - 1, -1):
            block = " ".join(self.lines[number : last + 1])
            starts = self.marks.starts_attribution(self.lines[number])
            if starts and has_date(block) and self.marks.is_attribution(block):
                return number
        if has_date(" ".join(self.lines[start : last + 1])):
            return start
        return last if self.marks.is_attribution(self.lines[last]) else start

    # History without marks: everything below its beginning is old.

    def drop_history(self) -> None:
        start = self._history_start()
        if start is not None:
            self.drop(start, len(self.lines))

    def _history_start(self) -> int | None:
        blocks = _HeaderBlocks(self.lines, self.dropped, self.marks)
        for number, line in enumerate(self.lines):
            if self.dropped[number] or not line.strip():
                continue
            if self.marks.is_separator(line) or blocks.begins_at(number):
                return self._with_lines_above(number)
            if line.rstrip(" *_\u00a0").endswith(":") and self._is_unmarked_attribution(number):
                return self._attribution_start(number) or number
            if is_rule(line) and self._is_list_footer(number):
                return number
        return None

    def _is_unmarked_attribution(self, number: int) -> bool:
        above = max(0, number - MAX_ATTRIBUTION_LINES + 1)
        for start in range(number, above - 1, -1):
            if not self.lines[start].strip() or self.dropped[start]:
                return False
            if self.marks.is_sure_attribution(
                " ".join(line.strip() for line in self.lines[start : number + 1])
            ):
                return True
        return False

    def _with_lines_above(self, number: int) -> int:
        """A rule and an introduction ("Begin forwarded message:") right above belong to the history."""
        start = number
        for _ in range(2):
            above = self._previous_written(start, 2)
            if above is None:
                return start
            line = self.lines[above]
            if not is_rule(line) and not self.marks.is_separator(line) and not self._is_introduction(line):
                return start
            start = above
        return start

    def _is_introduction(self, line: str) -> bool:
        return (
            len(line) < 60
            and line.rstrip().endswith(":")
            and len(line.split()) <= 5
            and _announces_forward(line, self.marks)
        )

    def _is_list_footer(self, number: int) -> bool:
        below = " ".join(self.lines[number + 1 : number + 5]).lower()
        return "mailing list" in below and ("@" in below or "://" in below)

    # Signatures and notes of programs.

    def drop_signature(self) -> None:
        """From "-- " down to the next dropped line, where something is written above it."""
        written = False
        following = self._next_dropped()
        number = 0
        while number < len(self.lines):
            line = self.lines[number]
            if written and not self.dropped[number] and is_signature_mark(line):
                end = following[number]
                if line == "-- " or self._is_short(number, end):
                    self.drop(number, end)
                    number = end
                    continue
            written = written or (not self.dropped[number] and bool(line.strip()))
            number += 1

    def _next_dropped(self) -> list[int]:
        """For each line the next dropped one, or the end."""
        following = [len(self.lines)] * len(self.lines)
        nearest = len(self.lines)
        for number in range(len(self.lines) - 1, -1, -1):
            if self.dropped[number]:
                nearest = number
            following[number] = nearest
        return following

    def _is_short(self, start: int, end: int) -> bool:
        if end - start > MAX_SIGNATURE_LINES * 3:
            return False
        return sum(1 for line in self.lines[start:end] if line.strip()) <= MAX_SIGNATURE_LINES

    def drop_trailing_notes(self) -> None:
        for number, line in enumerate(self.lines):
            if line and not self.dropped[number] and self.marks.is_phone_signature(line):
                self.dropped[number] = True
        end = len(self.lines)
        while end > 0:
            start, end = self._last_paragraph(end)
            if not start or not self._drop_note(start, end):
                return
            end = start

    def _last_paragraph(self, below: int) -> tuple[int, int]:
        """Where the last written paragraph above `below` begins and ends."""
        end = below
        while end and (self.dropped[end - 1] or not self.lines[end - 1].strip()):
            end -= 1
        start = end
        while start and self.lines[start - 1].strip() and not self.dropped[start - 1]:
            start -= 1
        return start, end

    def _drop_note(self, start: int, end: int) -> bool:
        """The paragraph is dropped when it is a disclaimer or says what the mail was sent from."""
        if not _is_program_note(" ".join(self.lines[start:end]), self.marks):
            return False
        self.drop(start, end)
        above = self._previous_written(start, 2)
        if above is not None and self.marks.is_disclaimer_heading(self.lines[above]):
            self.dropped[above] = True
        return True


class _HeaderBlocks:
    """Finds "From: / Sent: / To: / Subject:" blocks. Three different headers, one of them From, make one."""

    def __init__(self, lines: list[str], dropped: list[bool], marks: QuoteMarks) -> None:
        self.lines = lines
        self.roles = [
            "" if gone else marks.header_role(line) for line, gone in zip(lines, dropped, strict=True)
        ]

    def begins_at(self, number: int) -> bool:
        if not self.roles[number]:
            return False
        seen = {self.roles[number]}
        without_label = 0
        for below in range(number + 1, min(len(self.lines), number + MAX_HEADER_BLOCK_LINES)):
            role = self.roles[below]
            if role:
                seen.add(role)
                without_label = 0
            elif self.lines[below].strip():
                without_label += 1
            if without_label > MAX_CONTINUATION_LINES or _is_header_block(seen):
                break
        return _is_header_block(seen)


def _is_header_block(roles: set[str]) -> bool:
    return "from" in roles and len(roles) >= 3 and ("subject" in roles or "sent" in roles)


def _is_program_note(paragraph: str, marks: QuoteMarks) -> bool:
    is_lawyers = len(paragraph) >= MIN_DISCLAIMER_LENGTH and marks.is_disclaimer(paragraph)
    return is_lawyers or marks.is_sent_from(paragraph)


def _announces_forward(line: str, marks: QuoteMarks) -> bool:
    return marks.is_separator(f"-- {line.rstrip().rstrip(':')} --")


def _without_outer_blanks(lines: list[str]) -> list[str]:
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return lines[start:end]
