"""The server's HTTP interface: one file of routes for each room."""
