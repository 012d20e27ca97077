"""A file's bytes as they come over the network, for those who read files."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, Protocol

_AT_ONCE = 1 << 20


class Source(Protocol):
    """What gives the bytes."""

    def read(self, amount: int, /) -> bytes:
        """At most so many; none at the end."""
        ...

    def close(self) -> None:
        """The connection is given back."""
        ...


def streamed(source: Source, said: Callable[[], AbstractContextManager[None]]) -> BinaryIO:
    """`source` as a file; what goes wrong on the way is said by `said`."""
    return io.BufferedReader(_Raw(source, said), _AT_ONCE)


class _Raw(io.RawIOBase):
    def __init__(self, source: Source, said: Callable[[], AbstractContextManager[None]]) -> None:
        self._source = source
        self._said = said

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with self._said():
            read = self._source.read(len(buffer))
        buffer[: len(read)] = read
        return len(read)

    def close(self) -> None:
        self._source.close()
        super().close()
