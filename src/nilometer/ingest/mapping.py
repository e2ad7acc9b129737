"""Mappings of Prometheus's statsd_exporter, read as rules.

Rules:

* What statsd_exporter refuses is refused here, with the mapping's number. What has no meaning here is named in a warning.
* Globs go before regular expressions, each in order; with ``glob_disable_ordering`` the more specific glob goes first.
* Labels become tags, names become what Prometheus takes; names that no mapping matches stay as they are.
* Times stay in milliseconds, so that bounds of histograms, which are in seconds there, are multiplied by 1000.

Format: https://github.com/prometheus/statsd_exporter#metric-mapping-and-configuration
"""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nilometer.core import pattern
from nilometer.core.errors import SettingError, did_you_mean
from nilometer.core.quantity import SECONDS, Duration, Expiry
from nilometer.core.rules import RuleTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOG = logging.getLogger(__name__)
LARGEST = 1 << 20
PART = r"(\$\{?\d+\}?)"
GLOB = re.compile(r"(\*|[a-zA-Z_]([a-zA-Z0-9_\-])*)(\.\*|\.[a-zA-Z0-9_]([a-zA-Z0-9_\-])*)*")
NAME = re.compile(rf"([a-zA-Z_]|{PART})([a-zA-Z0-9_]|{PART})*")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
REFERENCE = re.compile(r"\$\{?([a-zA-Z0-9_$]+)\}?")
REGEX_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
TIME = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, **{unit: SECONDS[unit] for unit in ("ms", "s", "m", "h")}}
TYPES = {"": "", "counter": "counter", "gauge": "gauge", "observer": "timer", "timer": "timer"}
QUANTILES = (0.5, 0.9, 0.99)
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
OBSERVED = {"observer_type", "timer_type", "ttl", "summary_options", "histogram_options", "buckets", "quantiles", "match_type"}
DEFAULTS = OBSERVED | {"glob_disable_ordering"}
KEYS = OBSERVED | {"match", "name", "labels", "honor_labels", "help", "action", "match_metric_type", "scale"}
SUMMARY = {"quantiles", "max_age", "age_buckets", "buf_cap"}
HISTOGRAM = {"buckets", "native_histogram_bucket_factor", "native_histogram_max_buckets"}
IDLE = {"help"} | (SUMMARY | HISTOGRAM) - {"quantiles", "buckets"}
"""What has no meaning here."""


def load(file: Path) -> tuple[RuleTable, ...]:
    """Return the rules of a file. Raise `SettingError` when it cannot be read, or something in it is wrong."""
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        message = f"rules.mapping: {file}: cannot be read: {error.strerror}"
        raise SettingError(message) from error
    try:
        if len(data) > LARGEST:
            message = f"larger than {LARGEST} bytes"
            raise SettingError(message)  # noqa: TRY301 all faults of the file are named alike
        return parse(data.decode(), str(file))
    except (SettingError, UnicodeDecodeError) as error:
        message = f"rules.mapping: {file}: {error}"
        raise SettingError(message) from error


def parse(text: str, name: str = "mapping") -> tuple[RuleTable, ...]:
    """Return the rules of a text; `name` stands in warnings. Raise `SettingError`."""
    document = _table(_yaml(text), {"defaults", "mappings"}, "the file")
    defaults = _table(document.get("defaults"), DEFAULTS, "defaults")
    mappings = document.get("mappings") or []
    if not isinstance(mappings, list):
        message = "mappings: expected a list"
        raise SettingError(message)
    rules = []
    for number, given in enumerate(mappings, 1):
        try:
            rules.append(_rule(_table(given, KEYS, "the mapping"), defaults))
        except SettingError as error:
            message = f"mapping {number}: {error}"
            raise SettingError(message) from error
    _warn(name, [defaults, *mappings])
    ttl = _time(defaults.get("ttl") or "0")
    return (*_ordered(rules, _truth(defaults.get("glob_disable_ordering"))), *([RuleTable(expire=ttl)] if ttl.seconds else []))


def _ordered(rules: list[RuleTable], by_detail: object) -> Iterator[RuleTable]:
    globs = [rule for rule in rules if not rule.regex]
    if by_detail:
        globs.sort(key=lambda rule: [part == "*" for part in rule.match.split(".")])
    yield from globs
    yield from (rule for rule in rules if rule.regex)


def _yaml(text: str) -> object:
    """Return the document; every scalar is a text."""
    try:
        import yaml  # noqa: PLC0415 only who has such a file needs its driver
    except ImportError as error:
        message = "reading YAML needs PyYAML; run: pip install 'nilometer[server]'"
        raise SettingError(message) from error

    class Texts(yaml.SafeLoader):
        yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 as PyYAML has it

    try:
        return yaml.load(text, Loader=Texts)  # noqa: S506 a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        message = f"not YAML: {' '.join(str(error).split())}"
        raise SettingError(message) from error


def _table(value: object, known: set[str], what: str) -> dict[str, Any]:
    """Return a table all of whose keys are known."""
    if value in (None, "", "~", "null"):
        return {}
    if not isinstance(value, dict):
        message = f"{what}: expected a table"
        raise SettingError(message)
    for key in value:
        if key not in known:
            message = f"{what}: unknown key {key!r}{did_you_mean(str(key), known)}"
            raise SettingError(message)
    return value


def _rule(given: dict[str, Any], defaults: dict[str, Any]) -> RuleTable:
    by_regex = _choice(given, "match_type", ("glob", "regex"), defaults.get("match_type") or "glob") == "regex"
    rule = _matching(_text(given, "match"), by_regex=by_regex)
    name, labels = _text(given, "name"), _table(given.get("labels"), set(given.get("labels") or ()), "labels")
    if not NAME.fullmatch(name):
        message = f"name = {name!r}: {'it is missing' if not name else 'not a name of Prometheus'}"
        raise SettingError(message)
    for label in labels:
        if not LABEL.fullmatch(str(label)):
            message = f"labels: {label!r} is not the name of a label"
            raise SettingError(message)
    ttl = _time(_text(given, "ttl") or defaults.get("ttl") or "0")
    rename = _template(name, rule, by_regex=by_regex)
    action = _choice(given, "action", ("map", "drop"), "map")
    expire: Any = ttl if ttl.seconds else None
    return replace(
        rule,
        type=TYPES[_choice(given, "match_metric_type", tuple(TYPES), "")],
        action=action if rename else "drop",  # there as here, what has no name is dropped
        rename=rename,
        tags=tuple(f"{label}:{_template(_plain(value), rule, by_regex=by_regex)}" for label, value in labels.items()),
        honor_tags=_truth(given.get("honor_labels")),
        prometheus_names=True,
        scale=_number(given["scale"], "scale") if "scale" in given else 1.0,
        expire=expire,
        **_observer(given, defaults),
    )


def _matching(match: str, *, by_regex: bool) -> RuleTable:
    if by_regex:
        rule = RuleTable(regex=match or "(?:)")
        rule.pattern()
        return rule
    if not GLOB.fullmatch(match):
        message = f"match = {match!r}: not a glob of dot-separated parts, each a name or *"
        raise SettingError(message)
    return RuleTable(match=match)


def _template(text: str, rule: RuleTable, *, by_regex: bool) -> str:
    """Return a template without references to what the pattern does not have: there these come out empty."""
    found = rule.pattern()

    def known(match: re.Match[str]) -> str:
        name = next(filter(None, match.groups()))
        number = int(name) if name.isdigit() else found.names.get(name, -1)
        return f"${{{number}}}" if (0 if by_regex else 1) <= number <= found.groups else ""

    fixed = (REGEX_REFERENCE if by_regex else REFERENCE).sub(known, text)
    pattern.template(fixed, found)
    return fixed


def _observer(given: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Return percentiles and histogram as the kind of observer asks."""
    own = _choice(given, "observer_type", ("summary", "histogram", ""), _text(given, "timer_type"))
    kind = own or defaults.get("observer_type") or defaults.get("timer_type") or "summary"
    if kind not in {"summary", "histogram"}:
        message = f"observer_type = {kind!r}: expected summary or histogram"
        raise SettingError(message)
    other = "histogram_options" if kind == "summary" else "summary_options"
    if given.get(other) and own:
        message = f"{other} cannot stand with observer_type: {kind}"
        raise SettingError(message)
    if kind == "histogram":
        bounds = _numbers(given, defaults, "histogram_options", HISTOGRAM, "buckets") or BUCKETS
        return {"percentiles": (), "histogram": tuple(bound * 1000 for bound in bounds)}
    quantiles = _numbers(given, defaults, "summary_options", SUMMARY, "quantiles") or QUANTILES
    return {"percentiles": tuple(round(quantile * 100, 9) for quantile in quantiles), "histogram": ()}


def _numbers(given: dict[str, Any], defaults: dict[str, Any], options: str, known: set[str], key: str) -> tuple[float, ...]:
    """Return the buckets or quantiles of a mapping, else of the defaults; older files have them outside the options."""
    for where in (given, defaults):
        inside = _table(where.get(options), known, options)
        if listed := inside.get(key) or where.get(key):
            if not isinstance(listed, list):
                message = f"{key}: expected a list"
                raise SettingError(message)
            return tuple(_number(_quantile(item) if key == "quantiles" else item, key) for item in listed)
    return ()


def _quantile(item: object) -> object:
    return _table(item, {"quantile", "error"}, "quantiles").get("quantile")


def _choice(given: dict[str, Any], key: str, choices: tuple[str, ...], default: str) -> str:
    value = _text(given, key) or default
    if value not in choices:
        message = f"{key} = {value!r}: expected {' or '.join(filter(None, choices))}{did_you_mean(value, choices)}"
        raise SettingError(message)
    return value


def _text(given: dict[str, Any], key: str) -> str:
    value = given.get(key, "")
    if not isinstance(value, str):
        message = f"{key}: expected a text"
        raise SettingError(message)
    return value


def _plain(value: object) -> str:
    if not isinstance(value, str) or set(value) & set(";|\n\r\t"):
        message = f"labels: {value!r} is not a text without ; and |"
        raise SettingError(message)
    return value


def _truth(value: object) -> bool:
    if value not in (None, "", "true", "false", "True", "False", "TRUE", "FALSE"):
        message = f"{value!r} is neither true nor false"
        raise SettingError(message)
    return str(value).lower() == "true"


def _number(value: object, key: str) -> float:
    try:
        return float(str(value))
    except ValueError as error:
        message = f"{key} = {value!r}: expected a number"
        raise SettingError(message) from error


def _time(text: str) -> Expiry:
    """Read a duration as Go writes it, such as ``1m20s``."""
    if text.strip("0") and not re.fullmatch(f"({TIME.pattern})+", text):
        message = f"ttl = {text!r}: expected a duration such as 1m20s"
        raise SettingError(message)
    return Expiry(0, Duration(sum(float(number) * UNITS[unit] for number, unit in TIME.findall(text))))


def _warn(name: str, tables: list[Any]) -> None:
    found = {
        key for given in tables for key in (*given, *given.get("summary_options", ()), *given.get("histogram_options", ()))
    }
    if idle := sorted(found & IDLE):
        LOG.warning("%s: without effect: %s", name, ", ".join(idle))
