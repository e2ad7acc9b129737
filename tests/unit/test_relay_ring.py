"""The ring is that of statsd's cluster proxy, as the real package of npm computes it."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

from nilometer.ingest.relay import ring
from nilometer.ingest.relay.ring import Node
from nilometer.testing import javascript
from nilometer.testing.missing import Missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.ingest.kernel import Kernel

STATSD = Path(os.environ.get("NILOMETER_STATSD_JS") or Path(__file__).parents[2] / ".cache/statsd/node_modules/statsd/stats.js")
HASHRING = STATSD.parents[1] / "hashring"
REAL = """input.map(({nodes, keys}) => {
  const HashRing = require(%s);
  const ring = new HashRing(Object.fromEntries(nodes), 'md5', {'max cache size': 10000, 'replicas': 0});
  return {points: ring.ring.map((point) => [point.value, point.server]), servers: keys.map((key) => ring.get(key))};
})"""


def nodes(draw: random.Random, count: int, weights: Sequence[float]) -> list[Node]:
    parts = [[draw.randrange(256) for _ in range(3)] for _ in range(count)]
    names = [f"10.{'.'.join(map(str, part))}:{draw.randrange(1, 65536)}" for part in parts]
    return [Node(name, draw.choice(weights)) for name in dict.fromkeys(names)]


def keys(draw: random.Random, count: int) -> list[str]:
    signs = "abcXYZ019._-/ ;=ü€\U0001f600"
    return ["".join(draw.choices(signs, k=draw.randrange(20))) for _ in range(count)]


def owners(found: Sequence[Node], names: Sequence[str]) -> list[str]:
    points = ring.points(found)
    return [found[number].name for name in names if (number := ring.target(points, name.encode() + b":1|c")) is not None]


def test_points_and_names_fall_where_hashring_puts_them() -> None:
    if not HASHRING.is_dir():
        message = f"the reference server's ring ({HASHRING}) is missing; type: make servers"
        raise Missing(message, "statsd")
    draw = random.Random(3)  # noqa: S311 a sample to test with
    cases = [(nodes(draw, count, [100]), keys(draw, 200)) for count in (*range(1, 31), 100)]
    cases += [(nodes(draw, count, [1, 2, 3, 100, 0.5]), keys(draw, 200)) for count in range(2, 22)]
    asked = [{"nodes": found, "keys": names} for found, names in cases]
    answers = javascript.evaluate(REAL % json.dumps(str(HASHRING)), asked)
    expected = [
        {"points": [[point, found[number].name] for point, number in ring.points(found)], "servers": owners(found, names)}
        for found, names in cases
    ]
    assert answers == expected


def test_names_of_nodes_that_stay_do_not_move() -> None:
    draw = random.Random(4)  # noqa: S311 a sample to test with
    found, names = nodes(draw, 6, [1]), keys(draw, 500)
    before, gone = owners(found, names), found[3].name
    after = owners([node for node in found if node.name != gone], names)
    assert gone in before
    assert gone not in after
    assert all(new == old for old, new in zip(before, after, strict=True) if old != gone)


def test_a_router_sends_each_line_where_the_ring_says(kernel: Kernel) -> None:
    draw = random.Random(5)  # noqa: S311 a sample to test with
    points = ring.points(nodes(draw, 5, [1, 2]))
    lines = [name.encode() + b":1|c" for name in keys(draw, 500)] + [b"\xff\xfe:1|c", b"no colon", b":", b"a\r"]
    router = kernel.relay([True] * 5, ring=True, queue_bytes=1 << 20)
    router.route(points)
    kernel.feed(b"\n".join(lines) + b"\n\n")
    router.stop()
    taken = [router.take(number, 0) or (b"", 0) for number in range(5)]
    wanted: list[list[bytes]] = [[] for _ in taken]
    for line in lines:
        wanted[ring.target(points, line) or 0].append(line)
    assert [(data.split(b"\n")[:-1], packets) for data, packets in taken] == [(each, len(each)) for each in wanted]
