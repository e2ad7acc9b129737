"""A fake of Grafana's HTTP API: no package registry carries Grafana, so tests push to this instead, over real HTTP.

It keeps data sources, folders and dashboards in memory and enforces what Grafana documents and its ``pkg/api`` does: tokens and
their permissions, required fields, uids, versions (409 and 412), what is provisioned, secrets that nobody gets to see again. Of
versions it tells a list, or an object from Grafana 11 on.

Source: Grafana, "HTTP API reference": data source, folder, dashboard, dashboard versions; ``pkg/api`` and ``pkg/services`` of
Grafana 9 to 12.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

    Thing = dict[str, Any]

EDITOR = frozenset({"folders:read", "folders:create", "dashboards:read", "dashboards:create", "dashboards:write"})
ADMIN = EDITOR | {"datasources:read", "datasources:create", "datasources:write"}
SOURCE_FIELDS = {"user": "", "database": "", "url": "", "basicAuth": False, "basicAuthUser": ""}
SOURCE_FIELDS |= {"withCredentials": False, "isDefault": False}
UID = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Reply(NamedTuple):
    """A status and JSON, or text as it is."""

    status: int
    body: Any
    location: str = ""


class Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, code: int, message: str, **more: str) -> None:
        super().__init__(message)
        self.reply = Reply(code, {"message": message, **more})


class FakeGrafana:
    """Grafana, listening on a port of this machine: `tokens` says who may what, `writes` which requests changed something."""

    def __init__(self, base: str = "", *, major: int = 12, tls: ssl.SSLContext | None = None) -> None:
        self.tokens: dict[str, Iterable[str]] = {
            "admin": ADMIN,
            "editor": EDITOR,
            "viewer": {"folders:read", "dashboards:read"},
        }
        self.sources: dict[str, Thing] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        self.folders: dict[str, Thing] = {}
        self.boards: dict[str, list[Thing]] = {}
        self.metas: dict[str, Thing] = {}
        self.writes: list[str] = []
        self.instead: Callable[[str, str], Reply | None] = lambda _method, _path: None
        self._base, self._major = base, major
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        name = "http://127.0.0.1" if tls is None else "https://localhost"
        self.url = f"{name}:{self._server.server_port}{base}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, method: str, path: str, token: str, body: Any) -> Reply:  # noqa: ANN401 whatever JSON arrives
        """Return the answer to a request."""
        instead = self.instead(method, path)
        if instead is not None:
            return instead
        if not path.startswith(f"{self._base}/api/"):
            return Reply(404, "<html>Not found</html>")
        try:
            return Reply(200, self._routed(method, urlsplit(path[len(self._base) :]).path, token, body))
        except Refusal as refusal:
            return refusal.reply

    def _routed(self, method: str, path: str, token: str, body: Any) -> Any:  # noqa: ANN401 see above
        if path == "/api/health":
            return {"database": "ok", "version": f"{self._major}.0.0"}
        if token not in self.tokens:
            raise Refusal(401, "Unauthorized")
        for verb, pattern, needed, act in (
            ("GET", r"/api/datasources/uid/([^/]+)", "datasources:read", self._source),
            ("POST", r"/api/datasources()", "datasources:create", self._add_source),
            ("PUT", r"/api/datasources/uid/([^/]+)", "datasources:write", self._update_source),
            ("GET", r"/api/folders/([^/]+)", "folders:read", self._folder),
            ("POST", r"/api/folders()", "folders:create", self._add_folder),
            ("GET", r"/api/dashboards/uid/([^/]+)", "dashboards:read", self._board),
            ("GET", r"/api/dashboards/uid/([^/]+)/versions", "dashboards:write", self._versions),
            ("POST", r"/api/dashboards/db()", "dashboards:write", self._save),
        ):
            found = re.fullmatch(pattern, path)
            if found and verb == method:
                if needed not in self.tokens[token]:
                    message = f"You'll need additional permissions to perform this action. Permissions needed: {needed}"
                    raise Refusal(403, message)
                answer = act(found[1], body)
                self.writes += [f"{method} {path}"] if method != "GET" else []
                return answer
        raise Refusal(404, "Not found")

    def _source(self, uid: str, _: Any) -> Thing:  # noqa: ANN401 see above
        if uid not in self.sources:
            raise Refusal(404, "Data source not found")
        return {**self.sources[uid], "secureJsonFields": dict.fromkeys(self.secrets[uid], True)}

    def _add_source(self, _: str, body: Thing) -> Thing:
        _required(body, "name", "type", "access")
        if any(each["name"] == body["name"] for each in self.sources.values()):
            raise Refusal(409, "data source with the same name already exists")
        if body["uid"] in self.sources:
            raise Refusal(409, "data source with the same uid already exists")
        self._store_source(body["uid"], body, {}, version=1)
        return {"message": "Datasource added", "datasource": self._source(body["uid"], None)}

    def _update_source(self, uid: str, body: Thing) -> Thing:
        _required(body, "name", "type", "access")
        before = self._source(uid, None)
        if before["readOnly"]:
            raise Refusal(403, "Cannot update read-only data source")
        if body.get("version", 0) not in (0, before["version"]):
            raise Refusal(409, "Datasource has already been updated by someone else. Please reload and try again")
        self._store_source(uid, body, self.secrets[uid], version=before["version"] + 1)
        return {"message": "Datasource updated", "datasource": self._source(uid, None)}

    def _store_source(self, uid: str, body: Thing, secrets: dict[str, str], *, version: int) -> None:
        """Store what a request names; what it does not name is empty, but secrets stay."""
        named = {name: body.get(name, usual) for name, usual in SOURCE_FIELDS.items()}
        named |= {name: body[name] for name in ("name", "type", "access")} | {"jsonData": body.get("jsonData", {})}
        self.sources[uid] = {"id": 1, "uid": uid, "orgId": 1, "readOnly": False, "version": version, **named}
        self.secrets[uid] = secrets | body.get("secureJsonData", {})

    def _folder(self, uid: str, _: Any) -> Thing:  # noqa: ANN401 see above
        if uid not in self.folders:
            raise Refusal(404, "folder not found", status="not-found")
        return self.folders[uid]

    def _add_folder(self, _: str, body: Thing) -> Thing:
        if not body.get("title"):
            raise Refusal(400, "folder title cannot be empty")
        if body["uid"] in self.folders or any(each["title"] == body["title"] for each in self.folders.values()):
            raise Refusal(409, "a folder with the same name already exists in the current location")
        self.folders[body["uid"]] = {"id": 1, "uid": body["uid"], "title": body["title"], "version": 1}
        return self.folders[body["uid"]]

    def _board(self, uid: str, _: Any) -> Thing:  # noqa: ANN401 see above
        if uid not in self.boards:
            raise Refusal(404, "Dashboard not found")
        return {"dashboard": self.boards[uid][-1]["data"], "meta": {"provisioned": False, **self.metas[uid]}}

    def _versions(self, uid: str, _: Any) -> Any:  # noqa: ANN401 see above
        self._board(uid, None)
        told = [
            {"version": number, "message": "Initial save" if number == 1 else each["message"]}
            for number, each in enumerate(self.boards[uid], 1)
        ][::-1]
        return told if self._major < 11 else {"continueToken": "", "versions": told}  # noqa: PLR2004 see the top

    def _save(self, _: str, body: Thing) -> Thing:
        board, folder = dict(body["dashboard"]), body.get("folderUid", "")
        if not board.get("title"):
            raise Refusal(400, "Dashboard title cannot be empty", status="empty-name")
        if not UID.fullmatch(board["uid"]):
            raise Refusal(400, "uid contains illegal characters")
        if folder and folder not in self.folders:
            raise Refusal(400, "folder not found")
        saved = self.boards.setdefault(board["uid"], [])
        if saved and self.metas[board["uid"]].get("provisioned"):
            raise Refusal(400, "Cannot save provisioned dashboard")
        if saved and board.get("version") != len(saved) and not body.get("overwrite"):
            raise Refusal(412, "The dashboard has been changed by someone else", status="version-mismatch")
        data = board | {"id": list(self.boards).index(board["uid"]) + 1, "version": len(saved) + 1}
        saved.append({"data": data, "message": body.get("message", "")})
        self.metas[board["uid"]] = {**self.metas.get(board["uid"], {}), "folderUid": folder, "version": len(saved)}
        return {"status": "success", "uid": board["uid"], "version": len(saved), "id": data["id"]}


def _required(body: Thing, *names: str) -> None:
    if any(not body.get(name) for name in names):
        raise Refusal(400, "bad request data")


def _handler(grafana: FakeGrafana) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            reply = grafana.answer(self.command, self.path, token, json.loads(text) if text else None)
            body = reply.body.encode() if isinstance(reply.body, str) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(body)))
            if reply.location:
                self.send_header("Location", reply.location)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_GET  # noqa: N815 the names that http.server asks for

        def log_message(self, *_: object) -> None:
            """Keep standard error empty."""

    return Handler
