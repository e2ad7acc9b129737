"""Asks a server's management interface whether it is well, as statsd's cluster proxy does.

A server is well when it answers ``health`` with a text that holds ``up``; one that refuses, answers anything else, or does
not answer in time is not.
"""

from __future__ import annotations

import socket
import time

MOST = 1024
"""Bytes of an answer that are read."""


def fault(host: str, port: int, seconds: float) -> str:
    """Return why a server is not well; the empty string for one that is. Takes at most about `seconds`."""
    end = time.monotonic() + seconds
    try:
        with socket.create_connection((host, port), timeout=seconds) as link:
            link.sendall(b"health\r\n")
            answer = b""
            while b"\n" not in answer and len(answer) < MOST:
                link.settimeout(max(end - time.monotonic(), 0.001))
                if not (data := link.recv(MOST)):
                    break
                answer += data
    except OSError as error:
        return f"port {port}: {error.strerror or error}"
    return "" if b"up" in answer else f"port {port}: it answers {answer[:80].decode('ascii', 'replace')!r}"
