"""The embedded series store: hour blocks in SQLite."""
