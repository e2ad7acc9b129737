"""What an application imports: the client, request metrics, driver metrics, tasks. It takes the standard library alone.

Rules of this room: nothing here raises into the application, blocks it, or changes its objects; what is dropped is counted.
"""
