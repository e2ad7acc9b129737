"""Graphite's read API, so that what reads a Graphite reads this server: `/render`, `/metrics`, `/tags`, `/functions`.

Rules:

* Paths, parameters and answers are graphite-web's; errors are text, as its are. A question may be asked with GET or, as a form,
  with POST.
* Series are read in processes of their own: see `reading`.
* These routes stand outside of the description of ``/api/v1``: Graphite's API has its own documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from nilometer.core.errors import NilometerError
from nilometer.query import answers
from nilometer.web.reading import status
from nilometer.web.reply import HEADERS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nilometer.query.answers import Answer, Pairs
    from nilometer.web.parts import Parts

    Handler = Callable[[Request], Awaitable[Response]]

ANSWERS = "nilometer.query.answers:"
MOST_FIELDS = 1000
METHODS = ["GET", "POST"]
FORM = "application/x-www-form-urlencoded"
PATHS = {
    "/render": "render",
    "/metrics/find": "find",
    "/metrics/expand": "expand",
    "/metrics/index.json": "index",
    "/tags": "tags",
    "/tags/findSeries": "find_series",
    "/tags/autoComplete/tags": "complete_tags",
    "/tags/autoComplete/values": "complete_values",
}
"""What answers each path."""


class _Refused(Exception):
    """A request that is not read to its end."""


def router(parts: Parts) -> APIRouter:
    """Return the routes of Graphite's read API."""
    found, asked = APIRouter(include_in_schema=False), _Graphite(parts)
    for path, name in PATHS.items():
        for form in (path, f"{path}/"):
            found.add_api_route(form, asked.reading(name), methods=METHODS, name=f"graphite {form}", response_class=Response)
    found.get("/tags/{tag}", response_class=Response)(asked.tag)
    found.get("/functions", response_class=Response)(asked.functions)
    found.get("/functions/", response_class=Response)(asked.functions)
    found.get("/functions/{name}", response_class=Response)(asked.function)
    found.get("/version", response_class=Response)(asked.version)
    found.get("/version/", response_class=Response)(asked.version)
    return found


class _Graphite:
    """The handlers."""

    def __init__(self, parts: Parts) -> None:
        self._call = parts.reading.call

    def reading(self, name: str) -> Handler:
        """Return the handler that answers by a function of `answers`."""

        async def answer(request: Request) -> Response:
            try:
                pairs = await _pairs(request)
            except _Refused as refusal:
                return _text(400, str(refusal))
            return await run_in_threadpool(self._answer, name, pairs)

        return answer

    def _answer(self, name: str, *arguments: Any) -> Response:  # noqa: ANN401 whatever can be pickled
        try:
            return _response(self._call(f"{ANSWERS}{name}", *arguments))
        except NilometerError as error:
            return _text(status(error), str(error))

    def tag(self, tag: str, request: Request) -> Response:
        """``GET /tags/NAME``: the values of a tag."""
        return self._answer("tag", tag, _query(request))

    def functions(self, request: Request) -> Response:
        """``GET /functions``: the functions, for editors of targets."""
        return _response(answers.functions(_query(request)))

    def function(self, name: str, request: Request) -> Response:
        """``GET /functions/NAME``: one function."""
        return _response(answers.function(name, _query(request)))

    def version(self) -> Response:
        """``GET /version``: the version of graphite-web whose API this is."""
        return _response(answers.version())


def _query(request: Request) -> Pairs:
    return request.query_params.multi_items()


async def _pairs(request: Request) -> Pairs:
    """Return what query and form say. Raise `_Refused`."""
    pairs = _query(request)
    if request.method == "POST" and request.headers.get("content-type", FORM).partition(";")[0].strip().lower() == FORM:
        try:
            text = (await request.body()).decode("utf-8", "replace")
            pairs += parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
        except ClientDisconnect as error:
            message = "the form has no end"
            raise _Refused(message) from error
        except ValueError as error:
            message = f"the form has more than {MOST_FIELDS} fields"
            raise _Refused(message) from error
    return pairs


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, HEADERS, answer.kind)


def _text(number: int, message: str) -> Response:
    return Response(f"{message}\n", number, HEADERS, answers.TEXT)
