"""The demo: a whole working system on one machine."""
