"""Tables and items in SQLite or PostgreSQL."""
