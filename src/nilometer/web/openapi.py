"""The description of the HTTP interface as OpenAPI: what FastAPI finds, with the errors and the scopes as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from nilometer.web.access import needed

if TYPE_CHECKING:
    from fastapi import FastAPI

ERROR = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
USUAL = {
    "400": "a parameter or the body is wrong",
    "401": "no token, or one that is not known",
    "403": "not from here, or not with this token",
    "429": "too many failures from this address",
    "503": "not now",
}
"""What any request may be answered."""
Answers = dict[int | str, dict[str, Any]]
"""What a route is answered, by status, as FastAPI takes it."""
FRAMEWORK = ("HTTPValidationError", "ValidationError")


class Fault(BaseModel):
    """What is wrong."""

    code: str
    message: str


class Error(BaseModel):
    """The shape of every error."""

    error: Fault


def ok(model: type[BaseModel]) -> Answers:
    """Return what a route says that answers 200 with such an object."""
    return {200: {"model": model}}


def describe(app: FastAPI) -> None:
    """Have the application say how it answers errors."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        return app.openapi_schema or _with_errors(made())

    app.openapi = openapi  # type: ignore[method-assign]  # the documented way to change the description


def _with_errors(found: dict[str, Any]) -> dict[str, Any]:
    """Put our errors in the place of the framework's, once: FastAPI keeps the description that it returned."""
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    for name in FRAMEWORK:
        schemas.pop(name, None)
    schemas["Fault"] = Fault.model_json_schema()
    schemas["Error"] = Error.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas["Error"].pop("$defs")
    found["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            scope = needed(method.upper(), path)
            operation["security"] = [{"token": [scope.word]}] if scope else []
            responses = operation["responses"]
            responses.pop("422", None)
            for status, description in USUAL.items():
                responses.setdefault(status, {"description": description, **ERROR})
    return found
