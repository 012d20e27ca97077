"""What is raised for every mistake in the configuration."""

from __future__ import annotations


class ConfigTrouble(Exception):
    """The configuration cannot be used; the text names file, key and mend."""
