"""Request metrics under every server: what is written here once holds for each, but for what `sight.BLIND` says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from nilometer.testing.apps.kinds import TRIALS
from nilometer.testing.apps.paths import CHUNK, DISPATCH, HOST, PROCESSING, RESPONDING, TIMEOUT

if TYPE_CHECKING:
    from nilometer.testing.apps.site import Site

pytestmark = pytest.mark.parametrize("measured", TRIALS, indirect=True)
MILLISECONDS = 1000
CLOCK = 0.95
"""A sleep is not much shorter than it says, whatever the clock."""
PAUSE = TIMEOUT * 3
"""Seconds of a pause that counts as a timeout, however long the server took to come to wait."""
SMALL = 1 << 14
"""Bytes of a receive buffer."""
MANY = 512
"""Chunks that no buffer holds."""


def at_least(seconds: float) -> float:
    """Return milliseconds that a sleep of so many seconds reaches."""
    return seconds * MILLISECONDS * CLOCK


def test_requests_are_counted_for_the_node_and_for_the_endpoint(measured: Site) -> None:
    before = len(measured.seen("timing"))
    for _ in range(5):
        assert measured.ask("/hello/hello").body == b"hello\n"
    assert len(measured.values("timing", "hello", 5)) == 5
    assert len(measured.values("timing", count=before + 5)) >= before + 5
    assert measured.values("resp_size_bytes", "hello", 5) == [6] * 5
    assert not measured.seen("errors", "hello") + measured.seen("failures", "hello")


def test_only_counters_and_milliseconds_are_sent_each_with_the_node_in_its_name(measured: Site) -> None:
    measured.ask("/kinds/hello")
    measured.values("resp_size_bytes", "kinds")
    lines = [line for line in measured.catcher.lines() if not line.name.startswith("entered.")]
    assert {line.kind for line in lines} == {"c", "ms"}
    assert {line.name.partition(".")[0] for line in lines} == {HOST}
    assert not measured.catcher.bad


@pytest.mark.parametrize(("what", "status", "counter"), [("refuse", 403, "errors"), ("fail", 503, "failures")])
def test_answers_that_tell_of_errors_are_counted_by_status(measured: Site, what: str, status: int, counter: str) -> None:
    assert measured.ask(f"/{what}/{what}").status == status
    assert len(measured.values(f"timing.error.{status}", what)) == 1
    assert measured.values(counter, what) == [1]
    assert not measured.seen("exceptions", what)


def test_an_exception_before_the_answer_is_a_failure(measured: Site) -> None:
    assert not 200 <= measured.ask("/boom_before/boom-before").status < 500
    assert measured.values("failures", "boom_before") == [1]
    assert measured.values("exceptions", "boom_before") == [1]
    assert len(measured.values("timing.error.500", "boom_before")) == 1


def test_an_exception_within_the_answer_is_a_failure(measured: Site) -> None:
    assert measured.ask("/boom_body/boom-body").body == b"half\n"
    assert measured.values("failures", "boom_body") == [1]
    assert measured.values("exceptions", "boom_body") == [1]
    assert measured.values("resp_size_bytes", "boom_body") == [5]


def test_what_nobody_knows_is_one_series(measured: Site) -> None:
    before = len(measured.seen("errors", "unmatched"))
    for path in ("/secret-1/nothing", "/secret-2/such", "/secret-3/thing?token=secret-4"):
        assert measured.ask(path).status == 404
    assert len(measured.values("errors", "unmatched", before + 3)) == before + 3
    assert not [name for name in measured.catcher.names() if "secret" in name]


def test_the_tenant_of_a_request_has_its_series(measured: Site) -> None:
    measured.ask("/tenants/hello", X_Project_Id="acme")
    assert len(measured.values("timing", "tenants.acme")) == 1
    assert len(measured.values("timing", "acme")) >= 1


def test_an_upload_is_measured_while_it_comes(measured: Site) -> None:
    with measured.connect() as connection:
        connection.head("POST", "/upload/echo", Content_Length=4000)
        if measured.sees("slow upload"):
            measured.entered("upload")
        connection.pieces([bytes(1000)] * 4, pause=TIMEOUT / 2)
        assert connection.answer().body == b"4000\n"
    assert measured.values("size_bytes", "upload") == [4000]
    (waited,), (latency,) = measured.values("receive_timing", "upload"), measured.seen("timing", "upload")
    assert latency >= waited
    if measured.sees("slow upload"):
        assert waited >= at_least(TIMEOUT)
    assert not measured.seen("receive_errors", "upload")


def test_a_chunked_upload_is_measured(measured: Site) -> None:
    if not measured.sees("chunked upload"):
        assert measured.ask("/chunked/echo", "POST", Transfer_Encoding="chunked").body == b"0\n"
        return
    with measured.connect() as connection:
        connection.head("POST", "/chunked/echo", Transfer_Encoding="chunked")
        connection.pieces([bytes(1000)] * 3, chunked=True)
        assert connection.answer().body == b"3000\n"
    assert measured.values("size_bytes", "chunked") == [3000]
    assert not measured.seen("receive_errors", "chunked")


@pytest.mark.parametrize(("sight", "reset"), [("upload ended early", False), ("upload reset", True)])
def test_an_upload_that_is_cut_off_is_an_error(measured: Site, sight: str, *, reset: bool) -> None:
    endpoint = "cut_rst" if reset else "cut_fin"
    connection = measured.connect()
    connection.head("POST", f"/{endpoint}/echo", Content_Length=4000)
    connection.pieces([bytes(1000)])
    if measured.sees(sight):
        measured.entered(endpoint)
    (connection.reset if reset else connection.finish)()
    if measured.sees(sight):
        assert measured.values("receive_errors", endpoint) == [1]
        assert len(measured.values("timing", endpoint)) == 1
    else:
        measured.ask("/after/hello")
        measured.values("timing", "after")
        assert not measured.seen("timing", endpoint)


def test_a_pause_within_an_upload_is_a_timeout(measured: Site) -> None:
    with measured.connect() as connection:
        connection.head("POST", "/pause/echo", Content_Length=10)
        if measured.sees("slow upload"):
            measured.entered("pause")
        connection.pieces([b"0123456789"], pause=PAUSE)
        assert connection.answer().status == 200
    assert measured.values("size_bytes", "pause") == [10]
    assert measured.seen("receive_timeouts", "pause") == ([1] if measured.sees("slow upload") else [])
    assert not measured.seen("receive_errors", "pause")


def test_a_big_answer_is_counted_whole(measured: Site) -> None:
    assert len(measured.ask("/whole/big?chunks=40").body) == 40 * len(CHUNK)
    assert measured.values("resp_size_bytes", "whole") == [40 * len(CHUNK)]
    assert not measured.seen("send_errors", "whole")


def test_a_slow_reader_is_measured_and_is_a_timeout(measured: Site) -> None:
    with measured.connect(SMALL) as connection:
        connection.head("GET", f"/reader/big?chunks={MANY}", Connection="close")
        measured.entered("reader")
        time.sleep(PAUSE)
        assert connection.drain() > MANY * len(CHUNK)
    (waited,), (latency,) = measured.values("send_timing", "reader"), measured.values("timing", "reader")
    assert latency >= waited
    assert measured.values("resp_size_bytes", "reader") == [MANY * len(CHUNK)]
    assert waited >= at_least(TIMEOUT)
    assert measured.seen("send_timeouts", "reader") == [1]


def test_a_download_that_is_cut_off_is_an_error(measured: Site) -> None:
    connection = measured.connect(SMALL)
    connection.head("GET", f"/download/big?chunks={4 * MANY}")  # granian's Python is far ahead of its sockets
    measured.entered("download")
    connection.read_slowly(1000, 0.0, 1)
    connection.reset()
    assert measured.values("resp_size_bytes", "download")[0] < 4 * MANY * len(CHUNK)
    assert measured.values("send_errors", "download") == [1]
    assert measured.sees("download cut off")


def test_the_parts_of_a_request_make_up_its_latency(measured: Site) -> None:
    with measured.connect() as connection:
        connection.head("POST", "/timed/timed", Content_Length=1000, Connection="close")
        if measured.sees("slow upload"):
            measured.entered("timed")
        connection.pieces([bytes(500)] * 2, pause=0.2)
        assert connection.answer().body == b"piece\n" * 2
    metrics = ("receive_timing", "processing_timing", "resp_processing_timing", "send_timing")
    receive, processing, responding, sending = (measured.values(metric, "timed")[0] for metric in metrics)
    (dispatch,), (latency,) = measured.values("dispatch_timing", "timed"), measured.values("timing", "timed")
    assert dispatch >= at_least(DISPATCH)
    assert processing >= at_least(DISPATCH + PROCESSING)
    assert processing - dispatch >= at_least(PROCESSING)
    assert responding >= at_least(2 * RESPONDING)
    assert receive + processing + responding + sending == pytest.approx(latency, abs=0.1)
    if measured.sees("slow upload"):
        assert receive >= at_least(0.2)


def test_a_streamed_answer_is_measured_to_its_end(measured: Site) -> None:
    assert measured.ask("/stream/stream?count=3&pause=0.05").body == b"piece\n" * 3
    assert measured.values("timing", "stream")[0] >= at_least(0.15)
    assert measured.values("resp_size_bytes", "stream") == [18]


def test_a_slow_application_is_processing(measured: Site) -> None:
    assert measured.ask("/slow/slow?seconds=0.2").body == b"slept\n"
    assert measured.values("processing_timing", "slow")[0] >= at_least(0.2)
    assert measured.values("timing", "slow")[0] >= at_least(0.2)


def test_the_wait_in_front_of_the_server_is_taken_from_the_proxys_header(measured: Site) -> None:
    measured.ask("/waited/hello", X_Request_Start=f"t={time.time() - 2:.3f}")
    assert measured.values("wait_timing", "waited")[0] >= at_least(2)


def test_connections_are_used_again_and_each_request_is_told_once(measured: Site) -> None:
    with measured.connect() as connection:
        answers = [connection.request("GET", "/again/hello")]
        while len(answers) < 3 and answers[-1].headers.get("connection") != "close" and measured.name != "uWSGI":
            answers.append(connection.request("GET", "/again/hello"))
    assert {answer.body for answer in answers} == {b"hello\n"}
    assert len(measured.values("timing", "again", len(answers))) == len(answers)


def test_a_client_that_waits_for_100_continue_gets_it(measured: Site) -> None:
    with measured.connect() as connection:
        connection.head("POST", "/continue/echo", Content_Length=5, Expect="100-continue")
        if measured.name != "uWSGI":  # its own HTTP socket knows no Expect
            assert connection.wait_for_continue().startswith(b"HTTP/1.1 100")
        connection.pieces([b"12345"])
        assert connection.answer().body == b"5\n"
    assert measured.values("size_bytes", "continue") == [5]


@pytest.mark.parametrize(("method", "path", "header", "status"), [
    ("HEAD", "/bare_head/head", {}, 200),
    ("GET", "/bare_304/unchanged", {"If_None_Match": '"1"'}, 304),
])  # fmt: skip
def test_answers_without_a_body_pass_untouched(
    measured: Site, method: str, path: str, header: dict[str, str], status: int
) -> None:
    answer = measured.ask(path, method, b"", **header)
    assert (answer.status, answer.body) == (status, b"")
    endpoint = path.split("/")[1]
    assert len(measured.values("send_timing", endpoint)) == 1
    assert not measured.seen("resp_size_bytes", endpoint)
    assert not measured.seen("send_errors", endpoint)
