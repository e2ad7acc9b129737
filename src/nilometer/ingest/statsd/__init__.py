"""In place of statsd: its configuration file, and what a server that was started with one does in statsd's way."""
