"""Driver metrics: what the libraries under an application measure already, sent through the application's client.

    poller      reads sources on a timer, and sends what they say
    cassandra   requests, errors, timeouts, retries and connections of a `Cluster`
    sqlalchemy  an engine's pool and statements
    redis       a client's connections

Rules: the libraries' public hooks only, nothing of theirs is wrapped or changed; whoever passes an object in imported them.
"""

from nilometer.emit.drivers.poller import Poller
from nilometer.emit.drivers.sample import Sample

__all__ = ["Poller", "Sample"]
