"""The child that `workers` starts: opens a URL, then answers calls over the socket whose number is its argument."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pickle
import sys
import traceback
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from nilometer.backends import registry
from nilometer.core.errors import NilometerError

if TYPE_CHECKING:
    from nilometer.core.capability import Backend, SeriesReader

NEEDED = ("nilometer.query.listing", "nilometer.query.table")
"""What answers the page; Python takes some tenths of a second to import it."""
NICER = 5
"""How much rather the system runs the server than a query."""


def main() -> None:
    """Answer until the other end closes."""
    os.nice(NICER)
    with Connection(int(sys.argv[1])) as link, contextlib.suppress(EOFError, ConnectionError):
        url, capability = _received(link)
        reader: Backend | None = None
        gc.freeze()
        while True:
            call = _received(link)
            try:
                reader = reader or registry.open(url, capability)
                answer = answered(reader, *call)
            except NilometerError as error:
                answer = pickle.dumps(("error", error))
            link.send_bytes(answer)


def answered(reader: Backend, function: str, arguments: tuple[Any, ...]) -> bytes:
    """Return what a call gives, pickled: ``("value", value)``, ``("error", error)`` or ``("fault", text)``."""
    try:
        module, _, name = function.partition(":")
        return pickle.dumps(("value", getattr(importlib.import_module(module), name)(reader, *arguments)))
    except NilometerError as error:
        return pickle.dumps(("error", error))
    except Exception:  # noqa: BLE001 the caller is told, whatever it is
        return pickle.dumps(("fault", traceback.format_exc()))


def prepare(reader: SeriesReader) -> None:
    """Do once what the first call would wait for: import what answers, open the store."""
    for module in NEEDED:
        importlib.import_module(module)
    reader.find("*", 1)


def _received(link: Connection) -> Any:  # noqa: ANN401 whatever the server sent
    return pickle.loads(link.recv_bytes())  # noqa: S301 the server's own socket
