"""An archive of made messages that answers as datagrepper does, as fast as it can: ``python bench/bus_archive.py COUNT BEGIN``.

Its pages are written beforehand, so that it is not what is measured. It prints its URL, and serves until it is ended.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING

from bus import STEP, records

from nilometer.testing.answering import Answering, Reply

if TYPE_CHECKING:
    from nilometer.testing.answering import Asked

PATH = "/datagrepper"


class Archive:
    """Messages, one every `STEP` seconds from `begin` on, each as it is sent."""

    def __init__(self, count: int, begin: int) -> None:
        self._texts, self._begin = [json.dumps(record).encode() for record in records(count, begin)], begin

    def answer(self, asked: Asked) -> Reply:
        """Return a page, oldest first, both ends included."""
        if asked.path != f"{PATH}/v2/search":
            return Reply(404, {"error": "not_found"})
        start, end = float(asked.query["start"]), float(asked.query["end"])
        first = max(-int(-(start - self._begin) // STEP), 0)
        behind = min(max(int((end - self._begin) // STEP) + 1, first), len(self._texts))
        rows, page = int(asked.query["rows_per_page"]), int(asked.query["page"])
        total = max(behind - first, 0)
        shown = self._texts[first:behind][(page - 1) * rows : page * rows]
        told = f'"total":{total},"pages":{-(-total // rows)},"count":{len(shown)},"arguments":{{}}'
        return Reply(200, b'{"raw_messages":[' + b",".join(shown) + f"],{told}}}".encode())


def main() -> None:
    """Serve."""
    server = Answering(Archive(int(sys.argv[1]), int(sys.argv[2])).answer)
    print(f"datagrepper+http://{server.address}{PATH}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
