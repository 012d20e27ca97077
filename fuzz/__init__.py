"""Coverage-guided fuzzing of what strangers' bytes meet first: see `python -m fuzz --help`."""
