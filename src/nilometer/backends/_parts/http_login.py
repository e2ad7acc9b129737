"""Who we are to a server of HTTP: a bearer's token, or user and password of the URL."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from nilometer.core.options import refuse

if TYPE_CHECKING:
    from nilometer.core.url import Url


def login(url: Url, token: str) -> dict[str, str]:
    """Return the headers that go with each request. Raise `UrlError` for a token that cannot, or for both."""
    agent = {"User-Agent": "nilometer"}
    if token and url.user is not None:
        raise refuse(url, "has both a user and a token; give one")
    if token:
        if not token.isascii() or not token.isprintable():
            raise refuse(url, "option token holds characters that a header cannot")
        return agent | {"Authorization": f"Bearer {token}"}
    if url.user is None:
        return agent
    given = f"{url.user}:{url.password or ''}".encode()
    return agent | {"Authorization": f"Basic {base64.b64encode(given).decode()}"}
