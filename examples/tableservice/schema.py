"""A table's schema: which attributes are keys, and of which type; indexes; where an item stands in the table's order."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tableservice.errors import ValidationError
from tableservice.values import sortable

if TYPE_CHECKING:
    from tableservice.values import Item

HASH, RANGE = "HASH", "RANGE"


class Key(NamedTuple):
    """Where an item stands: sortable bytes of its hash key and, empty without one, of its range key."""

    hash: bytes
    range: bytes


@dataclass(frozen=True, slots=True)
class Index:
    """A local secondary index: the items of one hash key in the order of another attribute."""

    name: str
    attribute: str
    projection: str = "ALL"
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """A table's key attributes, their types, and its indexes."""

    types: dict[str, str]
    hash: str
    range: str | None = None
    indexes: tuple[Index, ...] = ()

    def __post_init__(self) -> None:
        used = {self.hash, *filter(None, [self.range]), *(index.attribute for index in self.indexes)}
        if used != set(self.types):
            message = f"attribute_definitions: they define {_list(self.types)}, keys and indexes use {_list(used)}"
            raise ValidationError(message)
        if len({index.name for index in self.indexes}) < len(self.indexes):
            message = "local_secondary_indexes: two of them have one name"
            raise ValidationError(message)

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the key attributes."""
        return (self.hash,) if self.range is None else (self.hash, self.range)

    def index(self, name: str) -> Index:
        """Return an index. Raise `ValidationError` for an unknown name."""
        for each in self.indexes:
            if each.name == name:
                return each
        message = f"index_name: the table has no index {name!r}"
        raise ValidationError(message)

    def key(self, attributes: Item, *, alone: bool = False) -> Key:
        """Return where an item stands; `alone`: nothing but the key is given. Raise `ValidationError` for a wrong key."""
        if alone and set(attributes) != set(self.keys):
            message = f"key: it has {_list(attributes)}, the table's key is {_list(self.keys)}"
            raise ValidationError(message)
        found = [self.part(name, attributes) for name in self.keys]
        return Key(found[0], found[1] if self.range is not None else b"")

    def part(self, name: str, attributes: Item) -> bytes:
        """Return the sortable bytes of one attribute of a key or an index."""
        if name not in attributes:
            message = f"{name}: missing, it is part of the key"
            raise ValidationError(message)
        kind, value = self.types[name], attributes[name]
        found = sortable(value) if kind in value else b""
        if not found:
            message = f"{name}: as part of a key it is of the type {kind} and not empty"
            raise ValidationError(message)
        return found

    def entries(self, item: Item) -> dict[str, bytes]:
        """Return, for each index that has the item, what it is sorted by."""
        return {each.name: self.part(each.attribute, item) for each in self.indexes if each.attribute in item}

    def projected(self, item: Item, index: Index) -> Item:
        """Return what an index keeps of an item."""
        if index.projection == "ALL":
            return item
        kept = {*self.keys, index.attribute, *index.attributes}
        return {name: value for name, value in item.items() if name in kept}

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return asdict(self)


def from_json(data: dict[str, Any]) -> Schema:
    """Return a schema that was kept."""
    indexes = tuple(Index(**{**each, "attributes": tuple(each["attributes"])}) for each in data["indexes"])
    return Schema(data["types"], data["hash"], data["range"], indexes)


def _list(names: object) -> str:
    return ", ".join(sorted(map(str, names))) or "nothing"  # type: ignore[call-overload]  # any iterable of names
