"""What must hold, one sentence each; the same tree as the code."""
