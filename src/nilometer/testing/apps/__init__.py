"""Applications under real server processes, for tests of what an application imports.

`kinds` lists the servers and how each is started, `server` runs one. `wsgi` and `asgi` are the applications: a request names
its endpoint and what happens to it (`paths`). `client` speaks HTTP as badly as clients do, `catcher` what StatsD was sent.
"""
