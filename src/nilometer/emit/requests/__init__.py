"""Request metrics: what every request to a WSGI or ASGI application took, failed with, received and sent, as StatsD lines.

    measure    one request's measurements; no clock, no framework
    options    what is measured, how it is named, how often it is sent
    names      the metrics, and the names of their series in both styles
    endpoints  which endpoint and tenant a request belongs to; bounded, cleaned
    report     measurements to lines
    wsgi       the middleware; wsgi_input and wsgi_output are what application and server get in place of theirs
    asgi       the middleware; asgi_traffic is one request, asgi_scope notices its route, asgi_watch that its client leaves
    waits      how long a request waited before it was read
    backlog    how many connections wait to be accepted; listeners finds the sockets
    frameworks a file for each framework that names endpoints

Rules: the application and its server see what they would see without it; whatever fails here is swallowed and counted.
"""
