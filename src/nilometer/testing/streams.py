"""Streams of lines to test kernels with: good ones, nearly good ones and garbage, over several windows. Needs hypothesis."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from nilometer.ingest.kernel import DIALECTS, GAUGES, Aggregation, Histogram, mode

NAMES = ["a", "a.b", "web.time", "x y", "x/y", "", "ü", "constructor", "a;t=1", "a;t=1;u=2", "0", "a\u00a0b", "a\x85b", "g$"]
NUMBERS = ["1", "0", "-1", "+1", "3.7", "1e3", "0x1F", "0.1", "0.2", "-0", " 7 ", "1e400", "-Infinity", "9007199254740993", ""]
NUMBERS += ["1e-7", "1e21", "123456789.123", "NaN", "1,5", "x", " ", "+0x1", "1_0", "5.", ".5", "1e16", "-1e16"]
TYPES = ["c", "ms", "g", "s", "h", "d", "", "x", "MS", " c", "ms ", "s\r", "g\t", "kv"]
RATES = [
    "@0.1",
    "@0.5",
    "@1",
    "@2e-1",
    "@0",
    "@.3",
    "@+1",
    "@ 1",
    "@",
    "@.",
    "@0x10",
    "",
    "0.5",
    "@-1",
    "@Infinity",
    "@1.2.3",
    "@1 ",
]
TAGS = ["k:v", "k", "", "k:v:w", "a;b", "sp ace:ü", "url:http://x", "k:v|@0.5", "#b:c", "k:", ":v", "a"]
NAME_TAGS = [";b=1;a=2", ";a;a", ",b=1,a=2", ",x", "#k=v,k=v", "#x", "[a=b,c]d", "[]", "[x", "x]", ";=v", "{"]
FIELDS = ["|c:id", "|c:", "|c", "|T1656581400", "|T", "|Tx", "|T0", "|e:x", "|card:low", "|x:1", "|X", "|", "|@1.0", "|#z:y"]
NOTICES = [
    "_e{1,1}:a|b",
    "_e{5,4}:title|te\\n|d:1700000000|h:web|p:low|t:error|s:src|k:key|#b:1,a|c:id|e:x|card:none",
    "_e{1,2}:a|ü|t:info",
    "_e{1,1}:a|b|t:info|t:info",
    "_e{2,1}:a|b",
    "_e{1,}:a|b",
    "_e{1,1}:a|b|p:high",
    "_e{0,1}:|b",
    "_e{1,1}:a|bc",
    "_e{1,1}:é|b",
    "_sc|a.b|0",
    "_sc|web/up|2|d:1700000000|h:host:1|h:web|#b:1,a|m:do\\nwn|c:id",
    "_sc|a.b|4",
    "_sc||0",
    "_sc|a.b|1||",
    "_sc|a.b|1|d:x",
]


def _often(usual: list[str], rare: list[str]) -> st.SearchStrategy[str]:
    """Draw mostly from `usual`, now and then from `rare` or any text."""
    return st.one_of(*[st.sampled_from(usual)] * 4, st.sampled_from(rare), st.text(max_size=6))


numbers = _often(NUMBERS[:12], NUMBERS) | st.floats().map(repr) | st.integers(-(10**18), 10**18).map(str)
values = st.builds(
    lambda number, type_, rest: "|".join([number, *type_, *rest]),
    numbers,
    st.lists(_often(["c", "ms", "g", "s"], TYPES), min_size=1, max_size=1) | st.just([]),
    st.lists(_often(["@0.1", "@0.5"], RATES), max_size=1) | st.lists(st.sampled_from(RATES), max_size=3),
)
tags = st.lists(_often(["k:v"], TAGS), min_size=1, max_size=3).map(lambda found: "|#" + ",".join(found))
lines = st.builds(
    lambda name, found, tail: ":".join([name, *found]) + "".join(tail),
    _often(NAMES[:3], NAMES),
    st.lists(values, min_size=1, max_size=1) | st.lists(values, max_size=4),
    st.just([]) | st.lists(tags, max_size=2),
)
tagged = st.builds(
    lambda name, own, found, fields: f"{name}{own}:{found}{''.join(fields)}",
    _often(NAMES[:3], NAMES),
    st.just("") | st.sampled_from(NAME_TAGS),
    values | st.lists(st.sampled_from(NUMBERS[:8]), max_size=3).map(":".join).map("{}|c".format),
    st.lists(st.sampled_from(FIELDS), max_size=3) | st.lists(tags, max_size=1),
)
ends = st.sampled_from(["\n", "\n", "\n", "\r\n", "\n\n"])
texts = st.builds(
    lambda line, end: (line.replace("\n", " ") + end).encode("utf-8", "replace"),
    st.one_of(lines, tagged, st.sampled_from(NOTICES)),
    ends,
)
garbage = st.binary(max_size=30).map(lambda data: data + b"\n")
chunks = st.lists(st.one_of(*[texts] * 8, garbage), max_size=25)

bins = st.lists(st.sampled_from([0.5, 1.0, 10.0, 100.0, -1.0, 1e21, float("inf")]), max_size=4).map(tuple)
histograms = st.lists(st.builds(Histogram, st.sampled_from(["", "a", "web", ";t="]), bins), max_size=3).map(tuple)
percentiles = st.lists(st.sampled_from([90.0, 50.0, 99.9, 0.0, -10.0, -100.0, 100.0, 150.0, -0.5, 33.3]), max_size=4).map(tuple)
words = st.lists(
    st.sampled_from(["mean", "count", "count_ps", "upper_percent", "lower_percent", "sum_squares_percent", "histogram", "std"]),
    max_size=3,
).map(tuple)
LIMITS = {
    "max_series": st.sampled_from([1_000_000, 1_000_000, 3, 5]),
    "max_series_per_prefix": st.sampled_from([0, 0, 1, 2]),
    "prefix_parts": st.integers(1, 2),
    "max_series_per_source": st.sampled_from([0, 0, 1, 4]),
    "max_tags": st.sampled_from([100, 100, 0, 1]),
    "max_name": st.sampled_from([4096, 4096, 1, 5]),
    "max_key_bytes": st.sampled_from([1 << 28, 1 << 28, 5, 20]),
    "overflow": st.sampled_from(["nilometer.overflow", "a"]),
    "max_samples": st.sampled_from([20_000_000, 20_000_000, 2, 20]),
    "max_samples_per_timer": st.sampled_from([100_000, 100_000, 0, 1, 3]),
    "max_set_members": st.sampled_from([5_000_000, 5_000_000, 0, 2]),
    "max_members_per_set": st.sampled_from([100_000, 100_000, 0, 2]),
    "sketch": st.booleans(),
    "cumulative": st.booleans(),
}
"""For each limit of an `Aggregation` usual values and tiny ones."""
rules = st.builds(
    Aggregation,
    percentiles=percentiles,
    histograms=histograms,
    timer_statistics=words,
    delete_counters=st.booleans(),
    delete_timers=st.booleans(),
    delete_sets=st.booleans(),
    delete_gauges=st.booleans(),
    gauge_ttl=st.integers(1, 3),
    keep=st.sampled_from([(), ("a",), ("web", "x")]),
    sanitize=st.sampled_from([True, True, False]),
    max_line=st.sampled_from([65_536, 65_536, 12]),
    **LIMITS,
)


@dataclass(frozen=True)
class Stage:
    """One window: new rules, if any, lines with their ends, and how long the window was."""

    rules: Aggregation | None
    lines: list[bytes]
    dialect: str
    seconds: float
    cuts: list[int] = field(default_factory=list)


stages = st.builds(
    Stage,
    rules=st.none() | rules,
    lines=chunks,
    dialect=st.builds(mode, st.sampled_from(DIALECTS), st.sampled_from(["", "", *GAUGES])),
    seconds=st.sampled_from([1.0, 10.0, 0.1, 2.5]),
    cuts=st.lists(st.integers(0, 25), max_size=4),
)
streams = st.lists(stages, min_size=1, max_size=4)
