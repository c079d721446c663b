"""How objects of the API become values: field by field, each there or not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self

from .values import Json

_NAME: Final = "name"
_READ: Final = "read"


def key(name: str, read: Callable[[object], Any]) -> Any:
    """Declare a field by its name in the API; absent or null reads as None."""
    return field(default=None, metadata={_NAME: name, _READ: read})


type _Field = tuple[Callable[[Any, Any], None], str, Callable[[object], Any]]


class _Plan(NamedTuple):
    """How an object of one kind is read."""

    # What the fields are called in the API.
    names: Mapping[str, str]
    # For each: what sets it, its name in the API, and what reads its value.
    fields: tuple[_Field, ...]
    # What takes the values of all.
    values: Callable[[Any], Any]


class _Plans(dict[type[Any], _Plan]):
    """The plans, made when they are first needed: importing costs nothing."""

    def __missing__(self, kind: type[Any]) -> _Plan:
        found = [item for item in fields(kind) if _NAME in item.metadata]
        names = {item.name: item.metadata[_NAME] for item in found}
        self[kind] = plan = _Plan(
            names=MappingProxyType(names),
            fields=tuple(
                (
                    getattr(kind, item.name).__set__,
                    item.metadata[_NAME],
                    item.metadata[_READ],
                )
                for item in found
            ),
            values=attrgetter(*names),
        )
        return plan


_PLANS: Final = _Plans()


class Model:
    """An object of the API, read field by field, without ever refusing one.

    Its kinds are dataclasses with slots.
    """

    __slots__ = ()

    @classmethod
    def names(cls) -> Mapping[str, str]:
        """Return what the fields are called in the API."""
        return _PLANS[cls].names

    @classmethod
    def from_dict(cls, raw: Json) -> Self:
        """Read an object."""
        # Not by its constructor: that of a frozen one takes its time.
        model = object.__new__(cls)
        get = raw.get
        for put, name, read in _PLANS[cls].fields:
            value = get(name)
            put(model, None if value is None else read(value))
        return model


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported(Model):
    """An object that knows which of its fields are there."""

    # No field of the API's is read into this one.
    raw: Json = field(default_factory=dict, compare=False, repr=False)

    def has(self, name: str) -> bool:
        """Tell whether this field is reported, even as null."""
        return self.names()[name] in self.raw

    def changes(self, other: Self) -> frozenset[str] | None:
        """Return the fields that another one has otherwise.

        None where not even the same fields are there.
        """
        if self.raw.keys() != other.raw.keys():
            return None
        values = _PLANS[type(self)].values
        mine, theirs = values(self), values(other)
        if mine == theirs:
            return frozenset()
        return frozenset(
            name
            for name, value, another in zip(self.names(), mine, theirs, strict=True)
            if value != another
        )

    @classmethod
    def from_raw(cls, raw: Json) -> Self:
        """Read a reported object, and keep what was reported."""
        reported = cls.from_dict(raw)
        object.__setattr__(reported, "raw", raw)
        return reported
