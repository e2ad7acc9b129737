"""Statistics in a database: the inbox, the rows that statistics made of it, how far each is, what is covered of each source."""
