"""Asks a server's HTTP interface, with any method, headers and body."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.testing.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    json: Any


def ask(  # noqa: PLR0913 the parts of a request
    address: tuple[str, int],
    path: str,
    method: str = "GET",
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    base: str = "/api/v1",
) -> Answer:
    """Return the answer to one request; the body is JSON."""
    with closing(http.client.HTTPConnection(*address, timeout=PATIENCE)) as connection:
        connection.request(method, base + path, body=body, headers=dict(headers or {}))
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, json.loads(answer.read()))
