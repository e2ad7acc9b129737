"""What requests hold, checked by pydantic as they come in. Names are MagnetoDB's; what is not named here is refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool

from tableservice.conditions import Condition, Expected, Operator
from tableservice.errors import ValidationError
from tableservice.schema import HASH, RANGE, Index, Schema
from tableservice.storage.reading import Wish
from tableservice.updates import Action, Update
from tableservice.values import Item, Value, normal

NAME = r"^[A-Za-z0-9_.-]{1,255}$"

Project: TypeAlias = Annotated[str, Path(alias="project_id", pattern=NAME)]
TableName: TypeAlias = Annotated[str, Path(alias="table_name", pattern=NAME)]
Name: TypeAlias = Annotated[str, Field(pattern=NAME)]
Attribute: TypeAlias = Annotated[str, Field(min_length=1, max_length=255)]
AttributeValue: TypeAlias = Annotated[dict[str, Any], AfterValidator(normal)]
Attributes: TypeAlias = dict[Attribute, AttributeValue]


class Body(BaseModel):
    """A part of a request."""

    model_config = ConfigDict(extra="forbid")


class AttributeDefinition(Body):
    """The type of an attribute that is part of a key."""

    attribute_name: Attribute
    attribute_type: Literal["S", "N", "B"]


class KeyElement(Body):
    """One attribute of a key."""

    attribute_name: Attribute
    key_type: Literal["HASH", "RANGE"]


def _hash_first(elements: list[KeyElement]) -> list[KeyElement]:
    kinds = [element.key_type for element in elements]
    if sorted(kinds) not in ([HASH], [HASH, RANGE]):
        message = "a key has one attribute of the type HASH, and may have one of the type RANGE"
        raise ValueError(message)
    return sorted(elements, key=lambda element: element.key_type)


KeySchema: TypeAlias = Annotated[list[KeyElement], AfterValidator(_hash_first)]


class Projection(Body):
    """What an index keeps of its items."""

    projection_type: Literal["ALL", "KEYS_ONLY", "INCLUDE"] = "ALL"
    non_key_attributes: list[Attribute] = []


class LocalIndex(Body):
    """An index: the table's hash key, and another attribute to sort by."""

    index_name: Name
    key_schema: KeySchema
    projection: Projection = Projection()


class CreateTable(Body):
    """A table that is to be."""

    table_name: Name
    attribute_definitions: list[AttributeDefinition]
    key_schema: KeySchema
    local_secondary_indexes: Annotated[list[LocalIndex], Field(max_length=5)] = []

    def described(self) -> Schema:
        """Return the table's schema. Raise `ValidationError` for parts that do not fit."""
        names = [element.attribute_name for element in self.key_schema]
        types = {each.attribute_name: each.attribute_type for each in self.attribute_definitions}
        indexes = tuple(_index(index, names[0]) for index in self.local_secondary_indexes)
        return Schema(dict(types), names[0], names[1] if names[1:] else None, indexes)


def _index(index: LocalIndex, hash_key: str) -> Index:
    names = [element.attribute_name for element in index.key_schema]
    if names[0] != hash_key or not names[1:]:
        message = f"{index.index_name}: a local index has the table's HASH key {hash_key} and a RANGE key of its own"
        raise ValidationError(message)
    projection = index.projection
    return Index(index.index_name, names[1], projection.projection_type, tuple(projection.non_key_attributes))


class Expectation(Body):
    """What an attribute is expected to be: one of the two."""

    value: AttributeValue | None = None
    exists: StrictBool | None = None

    def model_post_init(self, _: object) -> None:
        """Refuse both, and neither."""
        if (self.value is None) == (self.exists is None):
            message = "either value or exists"
            raise ValueError(message)


class Write(Body):
    """What all writes can say."""

    expected: dict[Attribute, Expectation] = {}

    def expectations(self) -> dict[str, Expected]:
        """Return what the item is expected to be."""
        return {name: Expected(each.value, each.exists) for name, each in self.expected.items()}


class PutItem(Write):
    """An item that is to be written."""

    item: Attributes
    return_values: Literal["NONE", "ALL_OLD"] = "NONE"


class DeleteItem(Write):
    """The key of an item that is to go."""

    key: Attributes
    return_values: Literal["NONE", "ALL_OLD"] = "NONE"


class AttributeUpdate(Body):
    """A change of one attribute."""

    action: Action = "PUT"
    value: AttributeValue | None = None


class UpdateItem(Write):
    """Changes of one item."""

    key: Attributes
    attribute_updates: dict[Attribute, AttributeUpdate] = {}
    return_values: Literal["NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"] = "NONE"

    def updates(self) -> dict[str, Update]:
        """Return the changes."""
        return {name: Update(each.action, each.value) for name, each in self.attribute_updates.items()}


class GetItem(Body):
    """The key of an item."""

    key: Attributes
    attributes_to_get: list[Attribute] | None = None
    consistent_read: StrictBool = False  # every read is


class ConditionBody(Body):
    """A comparison of an attribute."""

    comparison_operator: Operator
    attribute_value_list: list[AttributeValue] = []


class Many(Body):
    """What query and scan can say."""

    attributes_to_get: list[Attribute] | None = None
    exclusive_start_key: Attributes | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    select: Literal["ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT"] | None = None


class QueryItems(Many):
    """Items of one hash key."""

    key_conditions: dict[Attribute, ConditionBody]
    query_filter: dict[Attribute, ConditionBody] = {}
    index_name: Name | None = None
    scan_index_forward: StrictBool = True
    consistent_read: StrictBool = False  # every read is

    def wish(self) -> Wish:
        """Return what to read."""
        return Wish(self.limit, self.exclusive_start_key, self.scan_index_forward, conditions(self.query_filter))


class ScanItems(Many):
    """Items of a table."""

    scan_filter: dict[Attribute, ConditionBody] = {}

    def wish(self) -> Wish:
        """Return what to read."""
        return Wish(self.limit, self.exclusive_start_key, filter=conditions(self.scan_filter))


def conditions(bodies: dict[str, ConditionBody]) -> dict[str, Condition]:
    """Return conditions by attribute."""
    return {name: Condition(each.comparison_operator, each.attribute_value_list) for name, each in bodies.items()}


def chosen(item: Item, names: list[str] | None) -> dict[str, Value]:
    """Return those attributes of an item that were asked for."""
    return item if names is None else {name: value for name, value in item.items() if name in names}
