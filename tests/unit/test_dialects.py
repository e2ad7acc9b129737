"""What lines mean in the dialects besides statsd's own, in both kernels: `explain`, keys, events, timestamps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nilometer.ingest.kernel import DIALECTS, MAX_NOTICES, Aggregation, Notice, mode, understood
from nilometer.testing.kernels import flushed

if TYPE_CHECKING:
    from nilometer.ingest.kernel import Kernel

TAGGING = [dialect for dialect in DIALECTS if dialect != "statsd"]


def one(kernel: Kernel, line: str, dialect: str = "auto") -> dict[str, Any]:
    (found,) = kernel.explain(line.encode(), dialect)
    return found


def fault(kernel: Kernel, line: str, dialect: str = "auto") -> str:
    return str(one(kernel, line, dialect)["error"])


@pytest.mark.parametrize("dialect", TAGGING)
def test_a_line_with_every_field(kernel: Kernel, dialect: str) -> None:
    line = "a:1:2|c|c:ci-1,in-2|card:low|T1656581400|#b,a:x:y|e:it-false|@0.5|z:new"
    assert one(kernel, line, dialect) == {
        "line": 1,
        "name": "a",
        "type": "counter",
        "values": [1.0, 2.0],
        "rate": 0.5,
        "tags": ["b", "a:x:y"],
        "key": "a;a=xy;b=true",
        "timestamp": 1656581400,
        "container": "ci-1,in-2",
        "external": "it-false",
        "cardinality": "low",
    }


@pytest.mark.parametrize(
    ("line", "dialects", "key"),
    [
        ("a;k=v;b=w:1|c", {"auto", "graphite"}, "a;b=w;k=v"),
        ("a,k=v,b=w:1|c", {"auto", "influx"}, "a;b=w;k=v"),
        ("a#k=v,b=w:1|c", {"auto", "librato"}, "a;b=w;k=v"),
        ("a[k=v,b=w]:1|c", {"auto", "signalfx"}, "a;b=w;k=v"),
        ("[k=v]a.[x=y]:1|c", {"auto", "signalfx"}, "a.x=y;k=v"),
        ("a:1|c|#k:v,b:w", set(TAGGING), "a;b=w;k=v"),
        ("a:1|c|#k:v,#b:w,k:v,,:x,z:", set(TAGGING), "a;b=w;k=v;z=true"),
    ],
)
def test_tags_join_the_key_in_order_and_once(kernel: Kernel, line: str, dialects: set[str], key: str) -> None:
    keyed = {dialect for dialect in TAGGING if one(kernel, line, dialect)["key"] == key}
    assert keyed == dialects
    for dialect in keyed:
        assert f"counters.{key.partition(';')[0]}.count;{key.partition(';')[2]}" in flushed(
            kernel, line.encode(), dialect=dialect
        )


def test_the_order_of_tags_makes_no_other_series(kernel: Kernel) -> None:
    seen = flushed(kernel, b"a:1|c|#x:1,y:2\na:1|c|#y:2,x:1\na;y=2;x=1:1|c\na,x=1,y=2:1|c", dialect="auto")
    assert seen == {"counters.a.rate;x=1;y=2": "4", "counters.a.count;x=1;y=2": "4"}


@pytest.mark.parametrize(
    ("line", "name"),
    [("a,b:1|c", "ab"), ("a#b:1|c", "ab"), ("[k=v,a:1|c", "k=va"), ("k=v]a:1|c", "k=va"), ("a b/c$:1|c", "a_b-c")],
)
def test_what_only_looks_like_tags_is_part_of_the_name(kernel: Kernel, line: str, name: str) -> None:
    found = one(kernel, line)
    assert (found["name"], found["tags"], found["key"]) == (name, [], name)


@pytest.mark.parametrize("line", ["[k=v]:1|c", ";k=v:1|c", "#k=v:1|c", ",k=v:1|c"])
def test_tags_need_a_name(kernel: Kernel, line: str) -> None:
    assert fault(kernel, line) == "no name"


@pytest.mark.parametrize("line", ["a#k=v:1|c|#b:w", "a;k=v:1|c|@0.5|#b:w", "a[k=v]:1|c|#b", "a,k=v:1|c|#b"])
def test_tags_in_two_styles_are_bad(kernel: Kernel, line: str) -> None:
    assert fault(kernel, line) == "tags in two styles"


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("a:200|ms:300|ms:5|c|@0.1:6|g", [("timer", [200], 1), ("timer", [300], 1), ("counter", [5], 0.1), ("gauge", [6], 1)]),
        ("a:1|c:101|c:1|c|@0.1", [("counter", [1], 1), ("counter", [101], 1), ("counter", [1], 0.1)]),
        ("a:1:2:|h", [("timer", [1, 2], 1)]),
        ("a:::|d", [("distribution", [], 1)]),
        ("a:1|c|c:2", [("counter", [1], 1)]),
        ("a:-1|h", [("timer", [-1], 1)]),
    ],
)
def test_values(kernel: Kernel, line: str, values: list[tuple[str, list[float], float]]) -> None:
    found = kernel.explain(line.encode(), "auto")
    assert [(each["type"], each["values"], each["rate"]) for each in found] == values


def test_a_member_of_a_set_may_hold_colons(kernel: Kernel) -> None:
    assert one(kernel, "a:b:c|s")["set_value"] == "b:c"
    assert flushed(kernel, b"a:b:c|s\na:b:d|s", dialect="dogstatsd")["sets.a.count"] == "2"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a", "no value"),
        ("a|b:1|c", "no value"),
        (":1|c", "no name"),
        ("a:1", "no type"),
        ("a:1|q", "unknown type"),
        ("a:|g", "not a number"),
        ("a:1:x|g", "not a number"),
        ("a:1e999|g", "not finite"),
        ("a:-1|ms", "negative time"),
        ("a:1|c|@0", "bad sample rate"),
        ("a:1|c|@1.1", "bad sample rate"),
        ("a:1|c|@+1", "bad sample rate"),
        ("a:1|c|", "nothing behind the |"),
        ("a:1|c||", "nothing behind the |"),
        ("a:1|c|@1|@1", "a field is given twice"),
        ("a:1|c|#a|#b", "a field is given twice"),
        ("a:1|c|c:a|c:b", "a field is given twice"),
        ("a:1|c|c:", "bad field"),
        ("a:1|c|c", "bad field"),
        ("a:1|c|T", "bad timestamp"),
        ("a:1|c|T-1", "bad timestamp"),
        ("a:1|c|T0", "bad timestamp"),
        ("a:1|c|T253402300800", "bad timestamp"),
    ],
)
def test_bad_lines(kernel: Kernel, line: str, reason: str) -> None:
    for dialect in TAGGING:
        assert fault(kernel, line, dialect) == reason
    kernel.feed(line.encode(), "peer", "auto")
    assert [bad.reason for bad in kernel.bad_lines()] == [reason]
    assert kernel.flush(1).blocks == ()


@pytest.mark.parametrize("line", ["a:1|c|x:", "a:1|c|:", "a:1|c||#", "a:1|c|#|", "a:1|c|Xnew", "a:1|c|?"])
def test_fields_of_the_future_are_ignored(kernel: Kernel, line: str) -> None:
    assert one(kernel, line)["values"] == [1.0]


@pytest.mark.parametrize("dialect", TAGGING)
def test_a_line_that_is_not_utf8_is_bad(kernel: Kernel, dialect: str) -> None:
    for line in (b"a\xc3(:1|c", b"a:1|c|#k:\xff", b"a:\xff|s"):
        assert [each["error"] for each in kernel.explain(line, dialect)] == ["not UTF-8"]
    assert flushed(kernel, b"a\xff:1|c\nb:1|c|#\xff\nc:1|c", dialect=dialect).keys() == {"counters.c.rate", "counters.c.count"}


def test_a_sign_moves_a_gauge_or_is_part_of_it(kernel: Kernel) -> None:
    for dialect in DIALECTS:
        moved = dialect != "dogstatsd"
        assert one(kernel, "g:-5|g", dialect).get("relative", False) is moved
        assert "relative" not in one(kernel, "g:-5|g", mode(dialect, "absolute"))
        assert one(kernel, "g:-5|g", mode(dialect, "delta"))["relative"] is True
    assert flushed(kernel, b"g:7|g\ng:-5|g", dialect="auto")["gauges.g"] == "2"
    assert flushed(kernel, b"g:7|g\ng:-5|g", dialect="auto/absolute")["gauges.g"] == "-5"
    assert flushed(kernel, b"g:7|g\ng:+5|g", dialect="statsd/absolute")["gauges.g"] == "5"


def test_lines_are_numbered(kernel: Kernel) -> None:
    found = kernel.explain(b"\na:1|c\r\n\r\n\nb:1|c:2|x\n", "auto")
    assert [(each["line"], each.get("error")) for each in found] == [(2, None), (5, None), (5, "unknown type")]
    assert found[-1] == {"line": 5, "error": "unknown type", "fields": "2,x", "text": "b:1|c:2|x"}
    assert kernel.flush(1).tally.lines == 0


def test_statsds_own_reading_is_explained_too(kernel: Kernel) -> None:
    assert kernel.explain(b"a b:1:x|h:+2|g|@2e-1|#b,a:1", "statsd") == [
        {"line": 1, "error": "no type", "fields": "1", "text": "a b:1:x|h:+2|g|@2e-1|#b,a:1"},
        {"line": 1, "error": "not a number", "fields": "x,h", "text": "a b:1:x|h:+2|g|@2e-1|#b,a:1"},
        {
            "line": 1,
            "name": "a_b",
            "type": "gauge",
            "values": [2.0],
            "rate": 2.0,
            "tags": ["b", "a:1"],
            "key": "a_b;b;a=1",
            "relative": True,
        },
    ]


def test_limits_and_cleaning_count_for_explain(kernel: Kernel) -> None:
    kernel.configure(Aggregation(sanitize=False, max_line=8))
    assert one(kernel, "a b$:1|c")["key"] == "a b$"
    assert fault(kernel, "a:123456|c") == "line too long"


EVENT = "_e{5,8}:t|tle|te\\nxtüé|d:21|h:web|k:key|p:low|s:src|t:error|#b,a:1|c:id|e:x|card:low|z:new"


def test_an_event(kernel: Kernel) -> None:
    line = EVENT.replace("{5,8}", "{5,10}")
    assert one(kernel, line, "dogstatsd") == {
        "line": 1,
        "type": "event",
        "title": "t|tle",
        "text": "te\nxtüé",
        "priority": "low",
        "alert_type": "error",
        "tags": ["b", "a:1"],
        "timestamp": 21,
        "hostname": "web",
        "aggregation_key": "key",
        "source_type": "src",
        "container": "id",
        "external": "x",
        "cardinality": "low",
    }
    kernel.feed(line.encode(), "peer:1")
    (notice,), lost = kernel.notices()
    assert (notice.source, notice.fields["title"], lost) == ("peer:1", "t|tle", 0)
    assert kernel.notices() == ([], 0)
    assert kernel.flush(1).blocks == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("_e{1,1}", "an event begins with _e{title length,text length}:"),
        ("_e{1}:a|b", "an event begins with _e{title length,text length}:"),
        ("_e{1,}:a|b", "an event begins with _e{title length,text length}:"),
        ("_e{9999999999,1}:a|b", "an event begins with _e{title length,text length}:"),
        ("_e{0,1}:|b", "no title"),
        ("_e{2,1}:a|b", "title or text is not as long as said"),
        ("_e{1,2}:a|b", "title or text is not as long as said"),
        ("_e{1,1}:a:b", "title or text is not as long as said"),
        ("_e{1,1}:a|bc", "title or text is not as long as said"),
        ("_e{1,1}:é|b", "title or text is not as long as said"),
        ("_e{1,1}:a|b||", "empty field"),
        ("_e{1,1}:a|b|d:x", "bad timestamp"),
        ("_e{1,1}:a|b|p:high", "unknown priority or alert type"),
        ("_e{1,1}:a|b|t:bad", "unknown priority or alert type"),
        ("_e{1,1}:a|b|t:info|t:info", "a field is given twice"),
        ("_sc|a", "the status is not 0, 1, 2 or 3"),
        ("_sc|a|5", "the status is not 0, 1, 2 or 3"),
        ("_sc||0", "no name"),
        ("_sc|a|0||", "empty field"),
        ("_sc|a|0|d:x", "bad timestamp"),
        ("_sc|a|0|h", "bad field"),
    ],
)
def test_bad_events_and_checks(kernel: Kernel, line: str, reason: str) -> None:
    assert fault(kernel, line) == reason
    kernel.feed(line.encode())
    assert kernel.notices() == ([], 0)
    assert kernel.flush(1).tally.bad_lines == 1


def test_an_event_may_have_no_text(kernel: Kernel) -> None:
    found = one(kernel, "_e{1,0}:a||t:warning")
    assert (found["text"], found["alert_type"]) == ("", "warning")


def test_a_service_check_is_a_gauge_too(kernel: Kernel) -> None:
    line = "_sc|web/up|2|d:21|h:x|h:web|#zone:a|m:it\\nis down"
    fields = {
        "type": "service_check",
        "name": "web/up",
        "status": 2,
        "tags": ["zone:a"],
        "timestamp": 21,
        "hostname": "web",
        "message": "it\nis down",
    }
    assert one(kernel, line) == {"line": 1, **fields}
    assert flushed(kernel, line.encode(), dialect="auto") == {"gauges.service_check.web-up;host=web;zone=a": "2"}
    assert kernel.notices() == ([Notice("peer:1", fields)], 0)


def test_notices_have_a_bound(kernel: Kernel) -> None:
    kernel.feed(b"_e{1,1}:a|b\n" * (MAX_NOTICES + 3))
    notices, lost = kernel.notices()
    assert (len(notices), lost) == (MAX_NOTICES, 3)
    long = b"_e{1,1}:a|b|h:" + b"x" * 60_000 + b"\n"
    kernel.feed(long * 100)
    notices, lost = kernel.notices()
    assert (len(notices) + lost, len(notices)) == (100, (4 << 20) // (len(long) - 1))


@pytest.mark.parametrize("text", ["nilometer", "auto/", "auto/up", "", "STATSD", "auto/delta/delta"])
def test_an_unknown_mode_is_refused_everywhere(kernel: Kernel, text: str) -> None:
    with pytest.raises(ValueError, match="unknown dialect"):
        understood(text)
    with pytest.raises(ValueError, match="unknown dialect"):
        kernel.explain(b"a:1|c", text)
    with pytest.raises(ValueError, match="unknown dialect"):
        kernel.feed(b"a:1|c", "", text)
