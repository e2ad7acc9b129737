"""Evaluating targets: paths are read, calls are made, templates are filled in.

Rules:

* The series of a pattern come in order of their names; arguments are evaluated in order, before the call.
* What a function is given is checked against its table entry; an argument that does not fit is named.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from nilometer.query import arguments
from nilometer.query.context import Context, Source
from nilometer.query.functions import TABLE
from nilometer.query.limits import MOST_NAME, MOST_TARGETS, Budget, QueryError, TooMuch
from nilometer.query.parse import Call, Literal, Node, Path, Template, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from nilometer.core.capability import SeriesReader
    from nilometer.query.parse import Constant
    from nilometer.query.series import Points

BY_TAG = "seriesByTag"
NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)")


def evaluate(  # noqa: PLR0913 what a request says
    reader: SeriesReader,
    targets: Sequence[str],
    start: int,
    end: int,
    *,
    now: int,
    zone: tzinfo,
    x_files_factor: float = 0.0,
    template: Mapping[str, Constant] | None = None,
) -> list[Points]:
    """Return the series of all targets for ``start < time <= end``. Raise `QueryError`, and what the reader raises."""
    if len(targets) > MOST_TARGETS:
        message = f"more than {MOST_TARGETS} targets"
        raise TooMuch(message)
    context = Context(
        Source(reader, now, end - start, Budget()),
        start,
        end,
        _series,
        partial(_parsed, template=template or {}),
        zone=zone,
        now=now,
        x_files_factor=x_files_factor,
    )
    return [series for target in targets if target.strip() for series in _series(context, context.parse(target))]


def _parsed(target: str, template: Mapping[str, Constant]) -> Node:
    return filled(parse(target), None, template)


def filled(node: Node, values: Mapping[str, Constant] | None, over: Mapping[str, Constant]) -> Node:
    """Return the node without templates; `over` are the request's own values, which win."""
    if isinstance(node, Template):
        return filled(node.target, {**node.values, **over}, over)
    if isinstance(node, Call):
        args = tuple(filled(each, values, over) for each in node.args)
        return Call(node.name, args, tuple((name, filled(each, values, over)) for name, each in node.kwargs), node.text)
    if isinstance(node, Literal) or not values:
        return node
    text = node.text
    for name, value in values.items():
        if text == f"${name}":
            return Literal(float(value) if isinstance(value, str) and NUMBER.fullmatch(value) else value)
        text = text.replace(f"${name}", str(value))
        if len(text) > MOST_NAME:
            message = f"a template makes a path of more than {MOST_NAME} characters"
            raise TooMuch(message)
    return Path(text)


def _series(context: Context, node: Node) -> list[Points]:
    value = _value(context, node)
    if not isinstance(value, list):
        message = f"a target is a path or a function of paths, not {value!r}"
        raise QueryError(message)
    return flat(value)


def flat(series_list: Sequence[Any]) -> list[Points]:
    """Return series out of the lists of them that ``mapSeries`` makes."""
    return [series for each in series_list for series in (each if isinstance(each, list) else [each])]


def _value(context: Context, node: Node) -> Any:  # noqa: ANN401 series, or whatever constant an argument is
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Path):
        return context.series(context.source.by_path(node.text, context.start, context.end), node.text)
    if isinstance(node, Template):
        message = "template() stands around a target, not inside one that has none"
        raise QueryError(message)
    context.source.budget.call()
    return _by_tag(context, node) if node.name == BY_TAG else _called(context, node)


def _by_tag(context: Context, node: Call) -> list[Points]:
    expressions = [each.value for each in node.args if isinstance(each, Literal) and isinstance(each.value, str)]
    if len(expressions) < len(node.args) or node.kwargs:
        message = f"{BY_TAG} takes tag expressions as strings, like {BY_TAG}('name=requests','dc=~ea.*')"
        raise QueryError(message)
    return context.series(context.source.by_tags(expressions, context.start, context.end), node.text)


def _called(context: Context, node: Call) -> list[Any]:
    function = TABLE.get(node.name)
    if function is None:
        raise arguments.unknown(node.name, TABLE)
    args = [_value(context, each) for each in node.args]
    kwargs = {name: _value(context, each) for name, each in node.kwargs}
    given = arguments.checked(function, args, kwargs)
    context.args = node.args
    try:
        result = function.make(context, *given)
    except QueryError as error:
        message = f"{node.name}: {error}" if not str(error).startswith(f"{node.name}: ") else str(error)
        raise type(error)(message) from error
    except (ArithmeticError, ValueError, LookupError, RecursionError) as error:
        message = f"{node.name}: cannot be computed from these values: {error}"
        raise QueryError(message) from error
    if any(len(series.name) > MOST_NAME for series in flat(result)):
        message = f"{node.name}: a series' name would have more than {MOST_NAME} characters"
        raise TooMuch(message)
    return list(result)
