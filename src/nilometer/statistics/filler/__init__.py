"""Filling gaps of a bus from an archive: what is not covered is asked for, newest first, and put into the inbox.

`windows`: how long a time is asked for at once; `reading`: one such window, until all of it came; `taking`: what of it goes
into the inbox; `todo`: what is still to be asked for; `asking`: one window after the other; `filler`: all of it beside what
buses bring; `backfill`: by hand.
"""
