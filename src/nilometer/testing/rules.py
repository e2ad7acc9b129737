"""Random rules to test kernels with. Needs hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from nilometer.ingest.kernel import ACTIONS, Aggregation, Rule

PATTERNS = [
    "^a$",
    r"^a\.([^.]*)$",
    "^(?:a)",
    "",
    "(b|e)",
    r"^([^.]*)\.?(.*)$",
    "x",
    "^web",
    r"[a-z]+?(\.|$)",
    "(?P<one>.)(?P<two>.)?",
]
NAMES = ["t", "k", "u", "env"]
templates = st.lists(st.sampled_from(["b", "new", ".", "--", "9", "v/ w", 0, 1, 2, 1]), max_size=3).map(tuple)
maybe = st.none


def _within(rule: Rule) -> Rule:
    """Leave out groups that the pattern does not have: `nilometer.core.rule` refuses such."""
    groups = rule.pattern.replace("(?:", "").count("(")

    def kept(template: tuple[str | int, ...]) -> tuple[str | int, ...]:
        return tuple(part for part in template if isinstance(part, str) or part <= groups)

    tags = tuple((name, kept(template)) for name, template in rule.tags)
    rename = None if rule.rename is None else kept(rule.rename)
    return Rule(**{field: getattr(rule, field) for field in rule.__slots__} | {"tags": tags, "rename": rename})


one = st.builds(
    Rule,
    pattern=st.sampled_from(PATTERNS),
    kind=st.sampled_from(["", "", "", "counter", "timer", "gauge", "set"]),
    with_tags=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["*", "v", "1", ""])), max_size=1).map(tuple),
    action=st.sampled_from([*ACTIONS, "map", "map"]),
    rename=maybe() | maybe() | templates,
    escape=st.booleans(),
    tags=st.lists(st.tuples(st.sampled_from(NAMES), templates), max_size=2).map(tuple),
    remove_tags=st.lists(st.sampled_from([*NAMES, "*"]), max_size=2).map(tuple),
    honor_tags=st.booleans(),
    scale=st.sampled_from([1.0, 1.0, 0.001, 1024.0, -1.0, 0.0]),
    sample=st.sampled_from([1.0, 1.0, 0.5, 0.1]),
    percentiles=maybe() | st.sampled_from([(), (50.0,), (90.0, 99.0)]),
    histogram=maybe() | st.sampled_from([(), (1.0, 10.0, float("inf"))]),
    cumulative=maybe() | st.booleans(),
    sketch=maybe() | st.booleans(),
    statistics=maybe() | st.sampled_from([(), ("mean", "upper_percent"), ("histogram", "count")]),
    expire=maybe() | st.integers(0, 3),
    every=st.sampled_from([1, 1, 2, 3]),
).map(_within)
static_tags = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["s", "v w"])), max_size=2).map(tuple)
expiries = st.integers(0, 3)
aggregations = st.builds(
    Aggregation,
    rules=st.lists(one, max_size=4).map(tuple),
    tags=st.just(()) | static_tags,
    expire_counters=expiries,
    expire_timers=expiries,
    expire_gauges=expiries,
    expire_sets=expiries,
    delete_counters=st.booleans(),
    delete_gauges=st.booleans(),
    gauge_ttl=st.integers(1, 3),
    keep=st.sampled_from([(), ("a",)]),
    sanitize=st.sampled_from([True, True, False]),
    max_series=st.sampled_from([1_000_000, 1_000_000, 3]),
    max_samples=st.sampled_from([20_000_000, 20_000_000, 3]),
    max_set_members=st.sampled_from([5_000_000, 5_000_000, 2]),
)
