"""The demonstration: a server, the example service and its customers, as processes that live and end together.

    parts      what the processes are, and what they are told
    process    one process: its output, its end
    tied       makes a process end when the one that started it is gone
    stage      the processes together: up in order, down in order, nothing left behind
    signals    what ends it
    figures    what the summary says, asked from the server
    page       the address to look at

This package starts programs; it imports none of what they run.
"""
