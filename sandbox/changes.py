"""What faults change in an answer."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import datetime
from typing import Any, Final

from .faults import Fault
from .values import Json, iso

_FALLBACK: Final = {
    "sync": {"available": False},
    "metadata": {"source": "fallback"},
}


def changed(data: Any, faults: Iterable[Fault]) -> Any:
    """Return what is told of a device, an action, or each item of a list."""
    for fault in faults:
        change = _CHANGES.get(fault.kind)
        if change is None or not isinstance(data, dict):
            continue
        data = deepcopy(data)
        items = data["items"] if isinstance(data.get("items"), list) else [data]
        for item in items:
            if isinstance(item, dict) and fault.device in (None, item.get("id")):
                change(fault, item)
    return data


def clock_shift(faults: Iterable[Fault]) -> float:
    """Return by how many seconds the API's clock is off in an answer."""
    return sum(fault.seconds for fault in faults if fault.kind == "clock")


def _merge(fault: Fault, item: Json) -> None:
    """Put something into a body, at any depth."""
    _merge_into(item, _FALLBACK if fault.kind == "fallback" else fault.body)


def _merge_into(target: Json, more: Json) -> None:
    """Merge objects into objects; anything else is replaced."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge_into(target[key], value)
        else:
            target[key] = deepcopy(value)


def _only(fault: Fault, item: Json) -> None:
    """Leave some keys of a body."""
    for key in item.keys() - set(fault.keys):
        del item[key]


def _without(fault: Fault, item: Json) -> None:
    """Take some keys away."""
    for path in fault.keys:
        *parents, key = _parts(path, item)
        inner: Any = item
        for parent in parents:
            inner = inner.get(parent) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner.pop(key, None)


def _parts(path: str, item: Json) -> list[str]:
    """Return the keys on the way; one of them may have dots itself."""
    return [path] if path in item else path.split(".", 1)


def _pulled(fault: Fault, item: Json) -> None:
    """Move the time of capture."""
    sync = item.get("sync")
    if isinstance(sync, dict) and isinstance(sync.get("lastPulledAt"), str):
        moment = datetime.fromisoformat(sync["lastPulledAt"])
        sync["lastPulledAt"] = iso(moment.timestamp() + fault.seconds)


_CHANGES: Final[dict[str, Callable[[Fault, Json], None]]] = {
    "fallback": _merge,
    "merge": _merge,
    "only": _only,
    "pulled": _pulled,
    "without": _without,
}
