"""``nilometer trace``: list, show, compare, copy and delete traces."""
