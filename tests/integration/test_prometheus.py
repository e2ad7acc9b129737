"""A real Prometheus scrapes the server, and has what was sent."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from urllib.request import urlopen

from nilometer.testing.missing import Missing
from nilometer.testing.ports import free_port
from nilometer.testing.serving import Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINES = (
    b"shop.hits:3|c|#dc:east\nshop.hits:4|c|#dc:west\nshop.stock:-2|g\nshop.users:ann|s\nshop.users:bob|s\n"
    + b"shop.wait:%d|ms\n" * 10 % tuple(range(10, 110, 10))
)
CONFIG = "scrape_configs: [{job_name: nilometer, scrape_interval: 1s, static_configs: [{targets: ['127.0.0.1:%d']}]}]"
HISTOGRAM = '--timers-histograms=[{match = "shop", bins = [25, 75, "inf"]}]'


@contextmanager
def prometheus(target: int, folder: Path) -> Iterator[int]:
    """Run a Prometheus that scrapes a port of this machine; give its own port. Raise `Missing`."""
    program = shutil.which("prometheus")
    if program is None:
        message = "no prometheus; as root: apt-get install prometheus"
        raise Missing(message, "prometheus")
    config, port = folder / "prometheus.yml", free_port()
    config.write_text(CONFIG % target)
    options = (f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}")
    with subprocess.Popen([program, *options], stderr=subprocess.DEVNULL) as process:
        try:
            yield port
        finally:
            process.kill()


def asked(port: int, query: str) -> dict[str, float]:
    """Return what a query gives now, by labels without those of the scrape."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/api/v1/query?{urlencode({'query': query})}", timeout=10) as answer:
            found = json.load(answer)["data"]["result"]
    except OSError:
        return {}
    own = {"job", "instance", "__name__"}
    return {
        ",".join(f"{k}={v}" for k, v in sorted(each["metric"].items()) if k not in own): float(each["value"][1])
        for each in found
    }


def test_prometheus_has_what_was_sent(tmp_path: Path) -> None:
    listen = ("--listen=udp://127.0.0.1:0", "--web-listen=http://127.0.0.1:0", "--flush-interval=10s", HISTOGRAM)
    server = Serving(*listen, state=tmp_path / "state").ready()
    try:
        with prometheus(server.interface("HTTP interface")[1], tmp_path) as port:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(LINES, server.address("udp"))
            expected = {"dc=east": 3, "dc=west": 4}
            until(lambda: asked(port, "shop_hits_total") == expected, "the counters are scraped", told=lambda: str(server.log))

            assert asked(port, "shop_stock") == {"": -2}
            assert asked(port, "max_over_time(shop_users_unique[1m])") == {"": 2}
            assert asked(port, "shop_wait_count") == {"": 10}
            assert asked(port, "shop_wait_sum") == {"": 550}
            assert asked(port, "max_over_time(shop_wait[1m])") == {"quantile=0.9": 90}
            buckets = {"le=25": 2, "le=75": 7, "le=+Inf": 10}
            assert asked(port, "shop_wait_histogram_bucket") == buckets
            assert asked(port, "nilometer_lines_total")[""] >= 14
            assert asked(port, "up") == {"": 1}
    finally:
        server.kill()
