"""statscache's own routes, for whoever asked a statscache: feeds below ``/api/``, pages below ``/web/``.

Rules:

* They answer as statscache 0.0.4 was documented to. Where it failed, they do not: pages hold what they should, links keep all
  that was asked, what is wrong is 400 and names the parameter, CSV is quoted, rows in no order get one.
* Errors are plain text.

Source: statscache 0.0.4, ``statscache/app.py`` and its pages.
"""

from nilometer.web.statscache.routes import front, router

__all__ = ["front", "router"]
