"""Routes over statistics of a bus, below ``/api/v1/statistics``. statscache's own are in `nilometer.web.statscache`."""

from nilometer.web.statistics.routes import router

__all__ = ["router"]
