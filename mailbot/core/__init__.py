"""Pure heart of mailbot: no I/O, no clock, no randomness, and no import of the rest of the program."""
