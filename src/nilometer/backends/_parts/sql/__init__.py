"""Events in tables of an SQL database, by SQLAlchemy Core; imported by the backends once a URL is opened."""
