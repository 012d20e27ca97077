"""Pages that are made from the code are as the code is."""

from __future__ import annotations

from docs.generate import FOLDER, security_page


def test_the_tables_of_attacks_are_those_that_the_tests_try_today() -> None:
    """`make docs` writes them."""
    assert (FOLDER / "security.md").read_text(encoding="utf-8") == security_page()
