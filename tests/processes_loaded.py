"""Imported by the server of processes only: reads the rules before anything is started from it."""

from tests.processes import knowledge

knowledge()
