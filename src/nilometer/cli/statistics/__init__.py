"""Statistics on the command line, and within a server."""
