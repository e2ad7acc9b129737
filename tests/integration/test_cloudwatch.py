"""CloudWatch as moto emulates it: what was written is what its statistics tell, by name and dimensions."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]
import pytest

from nilometer.backends import registry
from nilometer.core.record import Flush, Kind, block
from nilometer.ingest._reference import ReferenceKernel
from nilometer.ingest.kernel import Aggregation
from nilometer.testing import contract, flushes
from nilometer.testing.moto import Moto, moto

if TYPE_CHECKING:
    from collections.abc import Iterator

STATISTICS = ["SampleCount", "Sum", "Minimum", "Maximum"]


@pytest.fixture(scope="module")
def server() -> Iterator[Moto]:
    with moto() as started:
        yield started


def url(server: Moto, namespace: str) -> str:
    return f"cloudwatch://{namespace}?region=eu-west-1&endpoint=http://127.0.0.1:{server.port}&timeout=10s"


def told(server: Moto, namespace: str, name: str, end: float, **dimensions: str) -> dict[str, float]:
    """Return what CloudWatch tells of a metric around a second."""
    client: Any = boto3.client("cloudwatch", region_name="eu-west-1", endpoint_url=f"http://127.0.0.1:{server.port}")
    answer = client.get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=datetime.fromtimestamp(end - 60, UTC),
        EndTime=datetime.fromtimestamp(end + 60, UTC),
        Period=120,
        Statistics=STATISTICS,
    )
    client.close()
    return {statistic: point[statistic] for point in answer["Datapoints"] for statistic in STATISTICS}


def of(*values: float) -> dict[str, float]:
    return {"SampleCount": len(values), "Sum": sum(values), "Minimum": min(values), "Maximum": max(values)}


def test_counters_come_with_their_dimensions(server: Moto) -> None:
    end = float(int(time.time()))
    names = ["hits", "hits;zone=a", "hits;zone=b"]
    with contract.opened(url(server, "Dimensions")) as sink:
        sink.write(Flush(flushes.window(end), (block(Kind.COUNTER, {"rate": [1, 2, 3], "count": [10, 20, 30]}, names),)))
    assert told(server, "Dimensions", "hits", end, zone="a") == of(20.0)
    assert told(server, "Dimensions", "hits", end, zone="b") == of(30.0)


@pytest.mark.parametrize("timers", ["set", "values"])
def test_a_timers_samples_come_out_as_they_went_in(server: Moto, timers: str) -> None:
    samples = [5.0, 1.0, 2.5, 40.0, 8.0, 3.0, 3.0, 12.0, 7.5, 6.0]
    aggregating = ReferenceKernel()
    aggregating.configure(Aggregation(percentiles=(50.0, 90.0)))
    aggregating.feed(b"\n".join(b"wait:%r|ms" % value for value in samples), "test", "statsd")
    end = float(int(time.time()))
    with contract.opened(url(server, f"Timers/{timers}") + f"&timers={timers}") as sink:
        sink.write(Flush(flushes.window(end), aggregating.flush(10.0).blocks))
    assert told(server, f"Timers/{timers}", "wait", end) == pytest.approx(of(*samples))


def test_a_flush_written_again_adds_nothing(server: Moto) -> None:
    end = float(int(time.time()))
    with contract.opened(url(server, "Again")) as sink:
        for _ in range(3):
            sink.write(flushes.marked(end, 7.0))
    assert told(server, "Again", "contract.mark", end) == of(7.0)


def test_the_check_tells_the_region_and_how_many_metrics(server: Moto) -> None:
    health = registry.open(url(server, "Checked"), registry.HEALTH)
    assert health.check() == "CloudWatch in eu-west-1, namespace Checked, metrics: 0"
    with contract.opened(url(server, "Checked")) as sink:
        sink.write(flushes.every_kind(time.time()))
    assert health.check() == "CloudWatch in eu-west-1, namespace Checked, metrics: 14"
    health.close()
