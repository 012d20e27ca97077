"""Everything mailbot remembers: tables, every query, migrations and encryption. One database holds all state."""
