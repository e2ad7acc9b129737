"""Where each framework keeps the name of the endpoint that a request went to.

A file has `find`, which looks into the environ or scope that the framework has left behind, or a hook that the application
names in its set-up, where nothing is left behind. A hook measures the dispatch time, too.

Rules: no framework is imported before an application that uses it has imported it; nothing of the framework's is changed.
"""
