"""Asks a server's HTTP interface."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from nilometer.core.errors import ConfigError, Unavailable, UrlError

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT = 10.0
MOST_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Answers:
    """What ``/stats`` and ``/top`` of the server at `url` say."""

    url: str
    stats: dict[str, Any]
    top: dict[str, Any]


def asker(url: str, limit: int, token_file: str | None) -> Callable[[], Answers]:
    """Return what asks the server at `url`. Raise `ConfigError` for a wrong URL or token file, the asker `Unavailable`."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        message = f"{url}: expected a URL such as http://127.0.0.1:8127"
        raise UrlError(message)
    headers = {"authorization": f"Bearer {_token(Path(token_file))}"} if token_file is not None else {}
    base = f"{url.rstrip('/')}/api/v1"
    return lambda: Answers(url, _get(f"{base}/stats", headers), _get(f"{base}/top?limit={limit}", headers))


def _token(file: Path) -> str:
    try:
        return file.expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"--token-file: {file} cannot be read: {error}"
        raise ConfigError(message) from error


def _get(url: str, headers: dict[str, str]) -> dict[str, Any]:
    """Return the JSON object at a URL. Raise `Unavailable`."""
    request = Request(url, headers=headers)  # noqa: S310 the scheme is checked
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=TIMEOUT) as answer:
            found = json.loads(answer.read(MOST_BYTES))
    except HTTPError as error:
        with error:
            message = f"{url}: {error.code}: {_reason(error.read(MOST_BYTES))}"
        raise Unavailable(message) from error
    except (OSError, http.client.HTTPException) as error:
        message = f"{url}: no answer: {getattr(error, 'reason', error)}; is a server running there, with web.listen set?"
        raise Unavailable(message) from error
    except ValueError as error:
        message = f"{url}: what answers is no Nilometer: {error}"
        raise Unavailable(message) from error
    if not isinstance(found, dict):
        message = f"{url}: what answers is no Nilometer"
        raise Unavailable(message)
    return found


def _reason(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return "what answers is no Nilometer"
