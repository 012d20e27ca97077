"""Mail in and out: intake, letters, sending."""
