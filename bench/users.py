"""People who look at the page, as the server sees them: each opens it, follows the stream of flushes, and asks again and again.

A user is two connections: one for the stream, one kept for questions. All users are in one loop of asyncio.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

PAUSE = 2.0
"""Seconds between two questions of a user."""
FOLLOWED = 4
RANGE = (("from", "-15min"), ("points", 360))
OPENING = 5.0
"""Seconds over which the users come."""
Link = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Seen:
    """What the users saw: milliseconds of the answers by question, of each flush after its window's end; errors."""

    answers: dict[str, list[float]] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def questions(chance: random.Random, paths: Sequence[str]) -> dict[str, str]:
    """Return the questions that the page asks, by name, about some of the series."""
    some = [("path", path) for path in chance.sample(paths, FOLLOWED)]
    return {
        f"values of {FOLLOWED} series, 15 min": f"/api/v1/series/data?{urlencode([*some, *RANGE])}",
        "find series": f"/api/v1/series?{urlencode({'match': f'*{paths[0][-20:]}*', 'limit': 100})}",
        "top talkers": "/api/v1/top",
        "status": "/api/v1/status",
    }


async def _open(port: int) -> Link:
    return await asyncio.open_connection("127.0.0.1", port)


async def _request(link: Link, target: str) -> tuple[int, dict[str, str]]:
    """Send a request; return status and headers of the answer."""
    reader, writer = link
    writer.write(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: identity\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    pairs = (line.partition(": ") for line in head[1:] if line)
    return int(head[0].split()[1]), {name.lower(): value for name, _, value in pairs}


async def get(link: Link, target: str) -> bytes:
    """Return the answer's content. Raise RuntimeError for a status other than 200."""
    status, headers = await _request(link, target)
    content = await link[0].readexactly(int(headers["content-length"]))
    if status != 200:  # noqa: PLR2004 OK
        message = f"{status} {target}: {content[:200]!r}"
        raise RuntimeError(message)
    return content


async def events(link: Link, paths: Sequence[str]) -> AsyncIterator[tuple[float, float]]:
    """Follow the stream; yield for each flush the end of its window, and when it came."""
    await _request(link, f"/api/v1/live?{urlencode([('path', path) for path in paths])}")
    while line := await link[0].readline():
        if line.startswith(b"data: "):
            yield float(json.loads(line[6:])["time"]), time.time()


async def _ask(port: int, chance: random.Random, paths: Sequence[str], seen: Seen) -> None:
    """Open the page, then ask one question after the other."""
    link = await _open(port)
    try:
        await get(link, "/")
        while True:
            for name, target in questions(chance, paths).items():
                begun = time.perf_counter()
                await get(link, target)
                took = time.perf_counter() - begun
                seen.answers.setdefault(name, []).append(took * 1000)
                await asyncio.sleep(max(PAUSE - took, 0))
    finally:
        link[1].close()


async def _follow(port: int, chance: random.Random, paths: Sequence[str], seen: Seen) -> None:
    link = await _open(port)
    try:
        async for end, came in events(link, chance.sample(paths, FOLLOWED)):
            seen.delays.append((came - end) * 1000)
    finally:
        link[1].close()


async def _user(number: int, users: int, port: int, paths: Sequence[str], seen: Seen) -> None:
    chance = random.Random(number)  # noqa: S311 not a secret
    await asyncio.sleep(OPENING * number / users)
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_ask(port, chance, paths, seen))
            both.create_task(_follow(port, chance, paths, seen))
    except* (OSError, RuntimeError, asyncio.IncompleteReadError) as errors:
        seen.errors += map(str, errors.exceptions)


async def look(users: int, port: int, paths: Sequence[str], seconds: float) -> Seen:
    """Let so many users look at the page of the server on `port` for a while; return what they saw."""
    seen = Seen()
    async with asyncio.TaskGroup() as everyone:
        tasks = [everyone.create_task(_user(number, users, port, paths, seen)) for number in range(users)]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
    return seen
