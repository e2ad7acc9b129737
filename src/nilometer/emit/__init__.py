"""What an application imports: the client, request metrics, driver metrics, tasks. The standard library and `core`, nothing else.

Rules of this room: nothing here raises into the application, blocks it, or changes its objects; what is dropped is counted.
"""
