"""The messages of OTLP that tell of traces, as tables of fields; their names are those of OTLP's JSON.

Source: https://github.com/open-telemetry/opentelemetry-proto, ``trace/v1/trace.proto``, ``common/v1/common.proto``.
"""

from __future__ import annotations

from nilometer.core.wire.protobuf import Field, Message

ANY, PAIR = Message("AnyValue"), Message("KeyValue")
LIST = Message("ArrayValue").of(Field(1, "values", "message", ANY, repeated=True))
PAIRS = Message("KeyValueList").of(Field(1, "values", "message", PAIR, repeated=True))
ANY.of(
    Field(1, "stringValue", "text"),
    Field(2, "boolValue", "bool"),
    Field(3, "intValue", "int"),
    Field(4, "doubleValue", "double"),
    Field(5, "arrayValue", "message", LIST),
    Field(6, "kvlistValue", "message", PAIRS),
    Field(7, "bytesValue", "bytes"),
)
PAIR.of(Field(1, "key", "text"), Field(2, "value", "message", ANY))
EVENT = Message("Event").of(
    Field(1, "timeUnixNano", "fixed64"), Field(2, "name", "text"), Field(3, "attributes", "message", PAIR, repeated=True)
)
LINK = Message("Link").of(
    Field(1, "traceId", "hex"),
    Field(2, "spanId", "hex"),
    Field(3, "traceState", "text"),
    Field(4, "attributes", "message", PAIR, repeated=True),
    Field(6, "flags", "fixed32"),
)
STATUS = Message("Status").of(Field(2, "message", "text"), Field(3, "code", "int"))
SPAN = Message("Span").of(
    Field(1, "traceId", "hex"),
    Field(2, "spanId", "hex"),
    Field(3, "traceState", "text"),
    Field(4, "parentSpanId", "hex"),
    Field(5, "name", "text"),
    Field(6, "kind", "int"),
    Field(7, "startTimeUnixNano", "fixed64"),
    Field(8, "endTimeUnixNano", "fixed64"),
    Field(9, "attributes", "message", PAIR, repeated=True),
    Field(11, "events", "message", EVENT, repeated=True),
    Field(13, "links", "message", LINK, repeated=True),
    Field(15, "status", "message", STATUS),
    Field(16, "flags", "fixed32"),
)
SCOPE = Message("InstrumentationScope").of(Field(1, "name", "text"), Field(2, "version", "text"))
SCOPE_SPANS = Message("ScopeSpans").of(
    Field(1, "scope", "message", SCOPE), Field(2, "spans", "message", SPAN, repeated=True), Field(3, "schemaUrl", "text")
)
RESOURCE = Message("Resource").of(Field(1, "attributes", "message", PAIR, repeated=True))
RESOURCE_SPANS = Message("ResourceSpans").of(
    Field(1, "resource", "message", RESOURCE),
    Field(2, "scopeSpans", "message", SCOPE_SPANS, repeated=True),
    Field(3, "schemaUrl", "text"),
)
REQUEST = Message("ExportTraceServiceRequest").of(Field(1, "resourceSpans", "message", RESOURCE_SPANS, repeated=True))
PARTIAL = Message("ExportTracePartialSuccess").of(Field(1, "rejectedSpans", "int"), Field(2, "errorMessage", "text"))
RESPONSE = Message("ExportTraceServiceResponse").of(Field(1, "partialSuccess", "message", PARTIAL))
FAULT = Message("Status").of(Field(1, "code", "int"), Field(2, "message", "text"))
"""What a refusal says: ``google.rpc.Status``."""
