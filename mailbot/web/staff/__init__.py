"""Pages for staff: log in, the queue, one case, what can be done about it."""
