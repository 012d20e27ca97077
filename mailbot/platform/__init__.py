"""The controller's platform: found, planned, changed, read back."""
