"""What libraries under an application do, as spans: a file for each, with `trace`, which begins, and gives what ends it.

Nothing is imported that the application does not have. Spans go to the tracer that is named, or to that of the process.
"""
