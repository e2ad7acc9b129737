"""What is particular to the native kernel: its threads, its build, the choice of it."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import SettingError, StaleBuild
from nilometer.core.wire import render
from nilometer.ingest import _kernel
from nilometer.ingest._reference import ReferenceKernel
from nilometer.testing.kernels import text_of
from nilometer.testing.waiting import settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.ingest.kernel import Kernel, Receiver


@pytest.fixture
def kernel() -> Kernel:
    return _kernel.native()


@pytest.fixture
def renderer() -> Iterator[None]:
    """Put the renderer back that was in use."""
    before = render._installed.renderer
    yield
    render.use(before)


def send(receiver: Receiver, count: int, data: bytes = b"a:1|c") -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", int(receiver.address.rpartition(":")[2])))
        for _ in range(count):
            sender.send(data)


def thread_names() -> list[str]:
    names = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # it has ended meanwhile
            names.append((task / "comm").read_text().strip())
    return sorted(name for name in names if name.startswith("nilo-"))


def expect_threads(*names: str) -> None:
    """Wait until the system shows these threads: it names and removes them a little later than they start and end."""
    assert settled(thread_names, list(names).__eq__) == list(names)


def test_each_socket_has_a_thread_until_stopped(kernel: Kernel, tmp_path: Path) -> None:
    udp = kernel.receive_udp("127.0.0.1", 0, buffer_bytes=0, threads=2, dialect="statsd")
    unix = kernel.receive_unix(str(tmp_path / "in.sock"), buffer_bytes=0, dialect="statsd")
    expect_threads("nilo-udp-1", "nilo-udp-2", "nilo-unix-3")
    udp.stop()
    expect_threads("nilo-unix-3")
    unix.stop()
    expect_threads()


def test_a_later_receiver_goes_on_where_an_earlier_one_stopped(kernel: Kernel) -> None:
    for _ in range(3):
        receiver = kernel.receive_udp("127.0.0.1", 0, buffer_bytes=0, threads=1, dialect="statsd")
        expect_threads("nilo-udp-1")
        send(receiver, 5)
        receiver.stop()
    assert text_of(kernel.flush(1))["counters.a.count"] == "15"


def test_a_receiver_that_nobody_refers_to_gives_its_port_back(kernel: Kernel) -> None:
    receiver = kernel.receive_udp("127.0.0.1", 0, buffer_bytes=0, threads=2, dialect="statsd")
    port = int(receiver.address.rpartition(":")[2])
    send(receiver, 5)
    del receiver
    kernel.receive_udp("127.0.0.1", port, buffer_bytes=0, threads=1, dialect="statsd").stop()
    assert text_of(kernel.flush(1))["counters.a.count"] == "5"


def test_sent_is_received_plus_dropped(kernel: Kernel) -> None:
    receivers = [kernel.receive_udp("127.0.0.1", 0, buffer_bytes=1, threads=2, dialect="statsd") for _ in range(2)]
    dropped = received = sent = 0
    while dropped < 100:
        for receiver in receivers:
            send(receiver, 1000)
        sent += 2000
        assert sent < 1_000_000, "the system never dropped a datagram"
        tally = kernel.flush(1).tally
        dropped, received = dropped + tally.kernel_drops, received + tally.packets
    for receiver in receivers:
        receiver.stop()
    tally = kernel.flush(1).tally
    assert received + tally.packets + dropped + tally.kernel_drops == sent


def test_an_errors_number_and_culprit_are_told(kernel: Kernel, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"cannot listen on unixgram:///.*/no/in\.sock"):
        kernel.receive_unix(str(tmp_path / "no" / "in.sock"), buffer_bytes=0, dialect="statsd")
    with pytest.raises(ValueError, match='unknown dialect "x"; known are auto, statsd'):
        kernel.receive_udp("127.0.0.1", 0, buffer_bytes=0, threads=1, dialect="x")
    with pytest.raises(ValueError, match="2 keys need as many values, not 1"):
        kernel.restore_gauges(["a", "b"], [1.0])


def test_the_pause_is_measured(kernel: Kernel) -> None:
    assert 0 < kernel.flush(1).tally.pause_ns < 1_000_000_000


def lets_others_run(call: Callable[[], object], seconds: float) -> bool:
    """Tell whether another thread gets the interpreter during such calls; nothing else here lets go of it."""
    ready, ran = threading.Event(), threading.Event()

    def run() -> None:
        ready.wait()
        ran.set()

    other = threading.Thread(target=run)
    interval = sys.getswitchinterval()
    other.start()
    sys.setswitchinterval(1000)
    try:
        ready.set()
        deadline = time.monotonic() + seconds
        while not ran.is_set() and time.monotonic() < deadline:
            call()
        return ran.is_set()
    finally:
        sys.setswitchinterval(interval)
        other.join()


def test_other_threads_run_while_lines_are_counted_and_flushed(kernel: Kernel) -> None:
    data = b"".join(b"a%d:1|c\n" % number for number in range(20_000))
    assert lets_others_run(lambda: kernel.feed(data), 60)
    assert lets_others_run(lambda: kernel.flush(1), 60)
    assert not lets_others_run(lambda: None, 0.05)


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch, renderer: None) -> None:  # noqa: ARG001 it puts back
    render.use(render.Plain())
    monkeypatch.setenv("NILOMETER_KERNEL", "reference")
    assert isinstance(_kernel.create(), ReferenceKernel)
    assert isinstance(render._installed.renderer, render.Plain)
    assert _kernel.describe() == f"reference {version('nilometer')} (asked for)"
    for choice in ("native", "auto", ""):
        monkeypatch.setenv("NILOMETER_KERNEL", choice)
        assert _kernel.create().name == "native"
        assert isinstance(render._installed.renderer, _kernel.NativeRenderer)
        assert _kernel.describe().startswith(f"native {version('nilometer')} (build ")
    monkeypatch.setenv("NILOMETER_KERNEL", "nativ")
    with pytest.raises(SettingError, match="did you mean 'native'"):
        _kernel.create()


def test_without_a_native_kernel_the_reference_runs_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_kernel, "find_spec", lambda _name: None)
    monkeypatch.setenv("NILOMETER_KERNEL", "auto")
    assert _kernel.create().name == "reference"
    assert "no native kernel is installed: make native" in _kernel.describe()
    monkeypatch.setenv("NILOMETER_KERNEL", "native")
    with pytest.raises(SettingError, match="make native"):
        _kernel.create()


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder laid out as ``native`` is."""
    for name in ("Cargo.lock", "core/Cargo.toml", "core/src/deep/line.rs", "python/build.rs", "receive/src/lib.rs"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_a_build_from_other_sources_or_of_another_version_is_refused(sources: Path, tmp_path: Path) -> None:
    ours = version("nilometer")
    _kernel.require_fit(_kernel.fingerprint(sources), ours, sources)
    with pytest.raises(StaleBuild, match="run: make native"):
        _kernel.require_fit("00000000", ours, sources)
    _kernel.require_fit("00000000", ours, tmp_path / "installed")
    with pytest.raises(StaleBuild, match=f"run: pip install nilometer-native=={ours}"):
        _kernel.require_fit("00000000", "0.0.1", tmp_path / "installed")


def test_the_fingerprint_is_of_what_is_built(sources: Path) -> None:
    first = _kernel.fingerprint(sources)
    for name in ("core/tests/test.rs", "target/x.rs", "core/src/notes.md", "python/stub.pyi"):
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        (sources / name).write_text("not built")
    assert _kernel.fingerprint(sources) == first
    (sources / "core/src/deep/line.rs").rename(sources / "core/src/line.rs")
    renamed = _kernel.fingerprint(sources)
    (sources / "core/src/line.rs").write_text("changed")
    assert len({first, renamed, _kernel.fingerprint(sources)}) == 3
