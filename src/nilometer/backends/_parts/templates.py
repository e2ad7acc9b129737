"""Index templates of the data streams that Elasticsearch and OpenSearch keep metrics and events in."""

from __future__ import annotations

from typing import Any

PRIORITY = 200
"""Above those that the systems bring along for names such as ``metrics-*-*``."""
KEYWORD = {"type": "keyword", "ignore_above": 8191}
"""Text to compare as a whole; beyond that many characters Lucene could refuse it, so it is kept but not searched."""


def metrics_template(stream: str, *, flat: bool, opensearch: bool) -> dict[str, Any]:
    """Return the template of documents that hold series. `flat` keeps all tags in one field.

    OpenSearch knows no field of type `histogram`: there a sketch is kept as it is, and not searched.
    """
    rules = [
        {"tags": {"path_match": "tags.*", "match_mapping_type": "string", "mapping": KEYWORD}},
        {"whole": {"match_mapping_type": "long", "mapping": {"type": "double"}}},
        {"real": {"match_mapping_type": "double", "mapping": {"type": "double"}}},
    ]
    fields: dict[str, Any] = dict.fromkeys(("name", "kind", "source"), KEYWORD)
    fields["interval"] = {"type": "double"}
    fields["sketch"] = {"type": "object", "enabled": False} if opensearch else {"type": "histogram"}
    if flat:
        fields["tags"] = flattened(opensearch=opensearch)
    return _template(stream, fields, rules)


def events_template(stream: str, *, flat: bool, opensearch: bool) -> dict[str, Any]:  # noqa: ARG001 payloads are always flat
    """Return the template of documents that hold events. Payloads are one field: theirs are no fields that we chose."""
    fields: dict[str, Any] = dict.fromkeys(("id", "type", "publisher", "priority", "tenant"), KEYWORD)
    return _template(stream, fields | {"payload": flattened(opensearch=opensearch)}, [])


def flattened(*, opensearch: bool) -> dict[str, Any]:
    """Return the type of a field that holds an object of any shape."""
    return {"type": "flat_object" if opensearch else "flattened"}


def _template(stream: str, fields: dict[str, Any], rules: list[dict[str, Any]]) -> dict[str, Any]:
    mappings = {
        "date_detection": False,
        "dynamic_templates": rules,
        "properties": {"@timestamp": {"type": "date"}} | fields,
    }
    return {
        "index_patterns": [stream],
        "data_stream": {},
        "priority": PRIORITY,
        "template": {"mappings": mappings},
        "_meta": {"managed_by": "nilometer"},
    }


def traces_template(name: str) -> dict[str, Any]:
    """Return the template of spans and traces: fields for what is asked for; whatever else there is stays unsearched."""
    words = ("trace", "id", "key", "parent", "name", "kind", "status", "error", "service", "project", "host", "part")
    fields: dict[str, Any] = dict.fromkeys((*words, "services", "names"), KEYWORD)
    fields |= {key: {"type": "long"} for key in ("start", "end", "last", "duration", "arrived")}
    fields |= {key: {"type": "boolean"} for key in ("failed", "stale")}
    return {
        "index_patterns": [f"{name}-spans-*", f"{name}-traces"],
        "priority": PRIORITY,
        "template": {"mappings": {"dynamic": False, "properties": fields}},
        "_meta": {"managed_by": "nilometer"},
    }
