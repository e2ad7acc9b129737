"""A token of OpenStack's identity service, Keystone v3: asked for when it is needed, kept until shortly before it ends.

Format: https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nilometer.core.clock import SYSTEM
from nilometer.core.errors import Unavailable

if TYPE_CHECKING:
    from nilometer.backends._parts.http import Answer, Http
    from nilometer.core.clock import Clock

CREATED = 201
VERSION = "/v3"
HEADER = "x-subject-token"
EARLY = 60.0
"""Seconds before its end from which on a token is not used any more."""
SHORTEST = 30.0
"""Seconds for which a token is used whose end is not told, or cannot be read."""
LONGEST = 8192


class Keystone:
    """Tokens for one login. `path` is that of the version's root; `name` stands in messages."""

    def __init__(self, http: Http, name: str, path: str, identity: dict[str, Any], clock: Clock = SYSTEM) -> None:
        self._http, self._name, self._clock = http, name, clock
        self._path = path.rstrip("/") + ("" if path.rstrip("/").endswith(VERSION) else VERSION)
        self._body = json.dumps({"auth": identity}).encode()
        self._token, self._until = "", 0.0

    def token(self) -> str:
        """Return a token that holds for a while. Raise `Unavailable`."""
        if not self._token or self._clock.time() >= self._until:
            self._renew()
        return self._token

    def forget(self) -> None:
        """Ask for another token the next time: this one was refused."""
        self._token = ""

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _renew(self) -> None:
        answer = self._http.send("POST", f"{self._path}/auth/tokens", self._body, kind="application/json")
        token = answer.headers.get(HEADER, "")
        if answer.status != CREATED or not token:
            message = f"{self._name}: no token: {answer.status}: {_reason(answer)}"
            raise Unavailable(message)
        if len(token) > LONGEST or not token.isascii() or not token.isprintable():
            message = f"{self._name}: no token: what it sends cannot be one"
            raise Unavailable(message)
        self._token, self._until = token, _until(answer.json(), self._clock.time())


def password(user: str, secret: str, user_domain: str, project: str, project_domain: str) -> dict[str, Any]:
    """Return what logs a user in, for a project where one is named."""
    who = {"name": user, "password": secret, "domain": {"name": user_domain}}
    identity: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": who}}}
    if project:
        identity["scope"] = {"project": {"name": project, "domain": {"name": project_domain}}}
    return identity


def credential(name: str, secret: str) -> dict[str, Any]:
    """Return what logs in by an application credential, its id and its secret."""
    return {
        "identity": {"methods": ["application_credential"], "application_credential": {"id": name, "secret": secret}},
    }


def _until(found: object, now: float) -> float:
    """Return the moment until which a token is used."""
    try:
        expires = found["token"]["expires_at"]  # type: ignore[index]  # whatever it is, what fails is caught
        moment = datetime.fromisoformat(expires)
        return max((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - EARLY, now + SHORTEST)
    except (KeyError, TypeError, ValueError, OverflowError):
        return now + SHORTEST


def _reason(answer: Answer) -> str:
    found = answer.json()
    if isinstance(found, dict) and isinstance(found.get("error"), dict) and isinstance(found["error"].get("message"), str):
        return str(found["error"]["message"])[:300]
    return answer.shown()
