"""What `nilometer tables`, `nilometer health` and the server share: they collect, and wire the room `collect` to the others.

opening    sources and checks, from what the user named
sending    samples, as lines: to a StatsD server, or into a kernel
showing    readings and checks as a table, as JSON and as CSV
running    once, or again and again until a signal; the options for that
serving    collecting within a server
"""
