"""What is asked of a place where files are, be it a folder or a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from mailbot.platform.interface import CheckLine


@dataclass(frozen=True, slots=True)
class Measure:
    """So many files (each version is one), and their bytes together."""

    files: int = 0
    bytes: int = 0

    def __add__(self, other: Measure) -> Measure:
        return Measure(self.files + other.files, self.bytes + other.bytes)


@dataclass(frozen=True, slots=True)
class S3Settings:
    """How one bucket is reached. `endpoint_url` empty: Amazon's own. Without `access_key` the keys are looked for
    where every program of Amazon's looks (environment, instance role). `prefix`: what stands before every path."""

    name: str
    bucket: str
    endpoint_url: str = ""
    region: str = ""
    path_style: bool = False
    prefix: str = ""
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    ca_file: str = ""
    attempts: int = 5
    timeout_seconds: float = 20
    page_size: int = 1000


class FileStore(Protocol):
    """Files by clean relative paths; one that ends in "/" means all below it. Every method raises
    PlatformTrouble when the store fails."""

    def is_safe(self, path: str) -> bool:
        """`path` is clean and leads nowhere else."""
        ...

    def exists(self, path: str) -> bool:
        """Something of it is there, be it an old version. A path that is not safe counts as nothing."""
        ...

    def measure(self, path: str) -> Measure:
        """What is there, every version of it."""
        ...

    def remove(self, path: str) -> None:
        """It is gone with every version, and was perhaps before."""
        ...

    def names(self, path: str) -> Iterator[str]:
        """The paths of the files that can be opened there."""
        ...

    def open(self, path: str) -> BinaryIO | None:
        """The file, opened to read as a stream; None when there is none."""
        ...

    def check(self) -> CheckLine | None:
        """Why the store cannot be used, with the mend."""
        ...
