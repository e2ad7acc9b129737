"""Puts the data source, a folder and the dashboards into a running Grafana.

Rules:

* Each is found by its uid, so nothing is there twice. What is as it should be is left alone: a second push changes nothing.
* What Grafana or a person adds stays: of a data source only what is named is changed, of a dashboard only what is in ours is
  compared. Which values are chosen for its variables does not count.
* A dashboard whose last version was not saved by a push has been changed by someone: it is left as it is, with an error, unless
  it is to be overwritten. It stays in the folder that it was moved to.
* A secret that is not sent stays: Grafana keeps those that an update does not name. Whether it is the right one is told by a
  short hash of it, kept among what the data source shows.
* What is provisioned from files can only be changed there.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from nilometer.cli.grafana.api import Grafana, Need
from nilometer.core.errors import Rejected
from nilometer.query.dashboards import SOURCE_TYPE, UID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nilometer.cli.link import Access

TITLE = "Nilometer"
MESSAGE = "nilometer dashboards"
FIRST = "Initial save"
"""What Grafana says of each first version, whatever was said."""
LOOKED_AT = 20
"""Versions, of which the last is one; in which order they come is not relied on."""
CREATED, UPDATED, UNCHANGED, REFUSED = "created", "updated", "unchanged", "refused"
HEADER, VALUE, MARK = "httpHeaderName", "httpHeaderValue", "nilometerToken"
KEPT = {"name", "type", "access", "url", "user", "database", "basicAuth", "basicAuthUser", "withCredentials", "isDefault"} | {
    "jsonData",
    "version",
    "uid",
}
"""What an update of a data source takes; what it does not name would be emptied."""
READ_SOURCE = Need("data source Nilometer", "datasources:read, or the role Admin")
MAKE_SOURCE = Need("data source Nilometer", "datasources:create, or the role Admin")
WRITE_SOURCE = Need("data source Nilometer", "datasources:write, or the role Admin")
CONFLICT, UNMET = 409, 412


class Target(NamedTuple):
    """Where to push: Grafana's URL, how to ask it, the folder's uid, and whether to overwrite what people changed."""

    url: str
    access: Access
    folder: str = UID
    overwrite: bool = False


class Source(NamedTuple):
    """The data source: the URL of a new one, the one that it must have if it was named, the token that it sends, if any."""

    url: str
    named: str | None = None
    token: str = ""


class Done(NamedTuple):
    """What became of a thing: `CREATED`, `UPDATED`, `UNCHANGED`, or `REFUSED` with the reason."""

    state: str
    what: str


def push(target: Target, boards: Mapping[str, dict[str, Any]], source: Source) -> Iterator[Done]:
    """Put everything into Grafana, and yield what became of each. Raise `NilometerError` when nothing further can be done."""
    grafana = Grafana(target.url, target.access)
    grafana.check()
    yield _tried(lambda: Done(_source(grafana, source, again=target.overwrite), READ_SOURCE.what))
    yield Done(_folder(grafana, target.folder), f"folder {target.folder}")
    for board in boards.values():
        yield _tried(partial(_dashboard, grafana, target, board))


def _tried(act: Callable[[], Done]) -> Done:
    try:
        return act()
    except Rejected as error:
        return Done(REFUSED, str(error))


def _source(grafana: Grafana, source: Source, *, again: bool) -> str:
    path = f"/api/datasources/uid/{UID}"
    found = grafana.get(path, READ_SOURCE)
    if found is None:
        made = {"name": TITLE, "uid": UID, "type": SOURCE_TYPE, "access": "proxy", "url": source.url}
        json_data, secret = _with_token({"graphiteVersion": "1.1"}, source.token)
        cures = {CONFLICT: f"rename or delete the data source {TITLE} that is there with another uid"}
        grafana.put("POST", "/api/datasources", made | {"jsonData": json_data, "secureJsonData": secret}, MAKE_SOURCE, cures)
        return CREATED
    if found.get("type") != SOURCE_TYPE:
        message = f"{READ_SOURCE.what}: the uid {UID} is that of a data source of type {found.get('type')}; delete that one"
        raise Rejected(message)
    kept = {name: value for name, value in found.items() if name in KEPT}
    json_data, secret = _with_token({**(kept.get("jsonData") or {}), "graphiteVersion": "1.1"}, source.token)
    wanted = kept | {"access": "proxy", "jsonData": json_data} | ({"url": source.named} if source.named else {})
    stored = found.get("secureJsonFields") or {}
    if wanted == kept and all(name in stored for name in secret) and not (again and secret):
        return UNCHANGED
    if found.get("readOnly"):
        message = f"{READ_SOURCE.what}: it is provisioned from a file and differs; change it there, or remove it there"
        raise Rejected(message)
    cures = {CONFLICT: "someone saved it at the same moment; push again"}
    grafana.put("PUT", path, wanted | ({"secureJsonData": secret} if secret else {}), WRITE_SOURCE, cures)
    return UPDATED


def _with_token(json_data: dict[str, Any], token: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what a data source shows, and what it hides, when it sends a token; another header that it sends stays."""
    if not token:
        return json_data, {}
    number = 1
    while str(json_data.get(f"{HEADER}{number}", "Authorization")).lower() != "authorization":
        number += 1
    mark = hashlib.sha256(f"{MARK}:{token}".encode()).hexdigest()[:12]
    return json_data | {f"{HEADER}{number}": "Authorization", MARK: mark}, {f"{VALUE}{number}": f"Bearer {token}"}


def _folder(grafana: Grafana, uid: str) -> str:
    what = f"folder {uid}"
    if grafana.get(f"/api/folders/{quote(uid, safe='')}", Need(what, "folders:read, or the role Editor")) is not None:
        return UNCHANGED
    cure = f"rename the folder {TITLE} that is there, or name its uid with --folder"
    title = TITLE if uid == UID else uid
    need = Need(what, "folders:create, or the role Editor; or name another one with --folder")
    grafana.put("POST", "/api/folders", {"uid": uid, "title": title}, need, {CONFLICT: cure, UNMET: cure})
    return CREATED


def _dashboard(grafana: Grafana, target: Target, board: dict[str, Any]) -> Done:
    what, path = f"dashboard {board['title']}", f"/api/dashboards/uid/{board['uid']}"
    shown = f"{what}  {grafana.url}/d/{board['uid']}"
    found = grafana.get(path, Need(what, "dashboards:read, or the role Editor"))
    if found is None:
        _save(grafana, what, board, target.folder, overwrite=False)
        return Done(CREATED, shown)
    theirs, meta = found.get("dashboard") or {}, found.get("meta") or {}
    if holds(theirs, board):
        return Done(UNCHANGED, shown)
    if meta.get("provisioned"):
        message = f"{what}: it is provisioned from a file and differs; write the files anew with --output, or remove it there"
        raise Rejected(message)
    if not target.overwrite and not _ours(grafana, what, path, theirs.get("version")):
        message = f"{what}: someone has changed it in Grafana; --overwrite replaces it, its older versions stay in Grafana"
        raise Rejected(message)
    known = {name: theirs[name] for name in ("id", "version") if theirs.get(name)}
    _save(grafana, what, board | known, str(meta.get("folderUid") or ""), overwrite=target.overwrite)
    return Done(UPDATED, shown)


def _save(grafana: Grafana, what: str, board: dict[str, Any], folder: str, *, overwrite: bool) -> None:
    body = {"dashboard": board, "folderUid": folder, "message": MESSAGE, "overwrite": overwrite}
    need = Need(what, "dashboards:create and dashboards:write in that folder, or the role Editor")
    cure = "someone saved it at the same moment, or the folder has another one of that title; look at it, and push again"
    grafana.put("POST", "/api/dashboards/db", body, need, {UNMET: cure})


def _ours(grafana: Grafana, what: str, path: str, version: object) -> bool:
    """Say whether a version of a dashboard, the last, was saved by a push."""
    need = Need(what, "dashboards:write, or the role Editor")
    found = grafana.get(f"{path}/versions?limit={LOOKED_AT}", need, kinds=(dict, list))
    listed = found.get("versions") if isinstance(found, dict) else found  # an object since Grafana 11, before that a list
    versions = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    message = next((each.get("message") for each in versions if each.get("version") == version), None)
    return message == MESSAGE or (version == 1 and message == FIRST)


def holds(theirs: Any, ours: Any) -> bool:  # noqa: ANN401 any JSON
    """Say whether a dashboard in Grafana says what ours does; what else it says, and what is chosen in it, does not count."""
    if isinstance(ours, dict):
        compared = {name: value for name, value in ours.items() if name not in ("schemaVersion", "current")}
        return isinstance(theirs, dict) and all(name in theirs and holds(theirs[name], each) for name, each in compared.items())
    if isinstance(ours, list):
        return isinstance(theirs, list) and len(theirs) == len(ours) and all(map(holds, theirs, ours))
    return bool(theirs == ours)
