"""Files attached to mails, read in a process of their own that can be killed."""
