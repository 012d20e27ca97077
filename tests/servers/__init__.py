"""Real servers that the tests start privately, on loopback and free ports."""
