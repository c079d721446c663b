"""Lists of devices: a page, a pass over all pages, and what came of it."""

from asyncio import sleep
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from .clock import mark, passed
from .device import Device
from .errors import AmpsMalformedReplyError
from .values import MalformedError, mapping, number
from .vocabulary import DeviceType

# So many pages are asked for without a pause; with it, so many in all, and for so
# many seconds: an end for a server whose pages have none.
_AT_ONCE: Final = 20
_PAUSE: Final = 0.5
_MOST_PAGES: Final = 100
_MOST_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All devices of a type, as far as they could be read.

    `complete` is False where the pages did not add up, so that a missing
    device proves nothing; `ended` where they came to no end at all, so that a
    new one proves nothing either. `malformed` says what was skipped and why.
    """

    devices: Mapping[str, Device]
    complete: bool
    malformed: tuple[str, ...]
    ended: bool = True


class Pace:
    """How fast, and for how long, the pages of one list are asked for."""

    def __init__(self) -> None:
        """Begin with the first page."""
        self._began = mark()
        self._pages = 0

    @property
    def is_over(self) -> bool:
        """Tell whether no more may be asked for."""
        return self._pages >= _MOST_PAGES or passed(self._began) > _MOST_SECONDS

    async def async_next(self) -> None:
        """Wait until the next page may be asked for."""
        if self._pages >= _AT_ONCE:
            await sleep(_PAUSE)
        self._pages += 1


class Page(NamedTuple):
    """One page of a list, as it came."""

    items: list[Any]
    total: int | None
    has_more: bool


@dataclass(slots=True, eq=False, repr=False)
class ListPass:
    """One reading of all pages of a list."""

    devices: dict[str, Device] = field(default_factory=dict)
    malformed: list[str] = field(default_factory=list)
    stable: bool = True
    complete: bool = False
    ended: bool = True

    @property
    def count(self) -> int:
        """Return how many devices were told, readable or not."""
        return len(self.devices) + len(self.malformed)

    def read(
        self, device_type: DeviceType, items: list[Any], known: Mapping[str, Device]
    ) -> bool:
        """Read a page's items; tell whether that brought anything new."""
        before = self.count
        for item in items:
            device_id = item.get("id") if isinstance(item, dict) else None
            try:
                device = Device.from_raw(
                    device_type,
                    item,
                    known=known.get(device_id) if isinstance(device_id, str) else None,
                )
            except MalformedError as err:
                self.malformed.append(str(err))
            else:
                self.devices[device.id] = device
        return self.count > before


def page_of(data: object) -> Page:
    """Read a page of a list."""
    found = mapping(data) or {}
    items = found.get("items")
    if not isinstance(items, list):
        raise AmpsMalformedReplyError("a list has no items")
    pagination = mapping(found.get("pagination")) or {}
    total = number(pagination.get("total"))
    return Page(
        items=items,
        total=None if total is None else int(total),
        has_more=pagination.get("hasMore") is True,
    )
