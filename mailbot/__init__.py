"""Mailbot answers a company's privacy mailbox."""

__version__ = "0.1.0"
