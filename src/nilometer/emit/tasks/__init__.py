"""The metrics of background work: how long it took, how often it failed, how long it waited in a queue.

    measure    `Tasks`: a context manager and a decorator for any code
    celery     the same for every task of a Celery worker
    dramatiq   the same for every actor of a Dramatiq worker

Rules: the work is never hurt: what it raises goes on unchanged, and what fails here is counted.
"""

from nilometer.emit.tasks.measure import Activity, Tasks

__all__ = ["Activity", "Tasks"]
