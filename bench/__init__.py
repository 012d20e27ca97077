"""How fast mailbot is, beside a bare loop that does the least such a program can do: `make bench`."""
