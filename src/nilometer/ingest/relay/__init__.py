"""Packets as they came in, forwarded to other servers: to all of them, or each line to one by a consistent ring."""
