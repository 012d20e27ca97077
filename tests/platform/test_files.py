"""No stored path, however written, reaches anything outside the files root."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailbot.core.plan import PlatformTrouble
from mailbot.platform.files import Files

PARTS = st.sampled_from(["..", ".", "", "a", "b.txt", "out", "~", "\\", "\0", "C:", " ", "é"])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("uploads")
    (base / "secret.txt").write_text("not theirs")
    (base / "root" / "a").mkdir(parents=True)
    (base / "root" / "out").symlink_to(base)
    return base / "root"


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(parts=st.lists(PARTS, max_size=6), tail=st.sampled_from(["", "secret.txt", "x"]))
def test_a_safe_path_is_below_the_root_links_followed(root: Path, parts: list[str], tail: str) -> None:
    stored = "/".join([*parts, tail])
    if Files(root).is_safe(stored):
        assert root.resolve() in (root / stored).parent.resolve().joinpath("x").parents
    else:
        with pytest.raises(PlatformTrouble):
            Files(root).remove(stored)
    assert (root.parent / "secret.txt").exists()


@pytest.mark.parametrize(
    "stored", ["../secret.txt", "out/secret.txt", "/etc/passwd", "", ".", "a", "./a/b", "a//b"]
)
def test_known_tricks_are_not_safe(root: Path, stored: str) -> None:
    assert not Files(root).is_safe(stored)


def test_removing_twice_is_harmless(root: Path) -> None:
    (root / "a" / "once.txt").write_text("x")
    for _ in range(2):
        Files(root).remove("a/once.txt")
    assert not Files(root).exists("a/once.txt")


def test_without_a_root_nothing_is_touched() -> None:
    with pytest.raises(PlatformTrouble, match="no files root"):
        Files(None).remove("a/b.txt")
