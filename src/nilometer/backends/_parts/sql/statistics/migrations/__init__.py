"""How tables of statistics of each version become those of the next: what Alembic runs, in a connection that it is given."""
