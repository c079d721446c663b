"""What the pages of a list told the last time, so that it is not read again.

Most polls find what the last one found, or only that all of it was captured
again. To tell that by the bytes takes a fraction of the time of reading them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
import re
from typing import Any, Final

import orjson

from .values import Json

# How the part of a reply begins that is never the same.
_META: Final = b',"meta":{'
_LAST_PULLED_AT: Final = "lastPulledAt"
# In a text, its quotes would be escaped.
_BEFORE_TIME: Final = b'"%b":"' % _LAST_PULLED_AT.encode()
_TIME: Final = re.compile(rb"[0-9A-Za-z:.+-]+")


@dataclass(slots=True, eq=False, repr=False)
class PageMemory:
    """What a page was answered with the last time: its bytes up to `meta`.

    An answer that begins with the same bytes says the same, and one that
    differs in the times of the captures says the same but for them.
    """

    head: bytes = b""
    data: Any = None
    # The head without the times; None where nobody has looked yet.
    between: list[bytes] | None = None

    def keep(self, content: bytes, data: Any) -> None:
        """Remember a good answer, and what it says."""
        end = content.rfind(_META)
        is_telling = _meta_after(content, end) is not None
        self.head, self.data = (content[:end], data) if is_telling else (b"", None)
        self.between = None

    def recall(self, content: bytes) -> tuple[Any, Json] | None:
        """Return data and `meta` of an answer that need not be read as a whole.

        Parts of the data that are the same are the same objects.
        """
        end = len(self.head)
        # The times of captures are of one length, so that of all is the same.
        if not end or (meta := _meta_after(content, end)) is None:
            return None
        if content.startswith(self.head) or self._take_times(content[:end]):
            return self.data, meta
        return None

    def _take_times(self, head: bytes) -> bool:
        """Take the times of another head; tell whether all else is the same."""
        if self.between is None:
            self.between, times = _split(self.head)
            if times != [time.encode() for _, time in self._captures()]:
                # There are others, and nobody knows which is whose.
                self.between = []
        if not self.between:
            return False
        between, times = _split(head)
        if between != self.between or not all(map(_TIME.fullmatch, times)):
            return False
        items = self.data["items"].copy()
        for (number, _), time in zip(self._captures(), times, strict=True):
            items[number] = item = items[number].copy()
            item["sync"] = sync = item["sync"].copy()
            sync[_LAST_PULLED_AT] = time.decode()
        self.head, self.data = head, {**self.data, "items": items}
        return True

    def _captures(self) -> Iterator[tuple[int, str]]:
        """Go through the times of the items that have one."""
        items = self.data.get("items") if isinstance(self.data, dict) else None
        for number, item in enumerate(items if isinstance(items, list) else ()):
            sync = item.get("sync") if isinstance(item, dict) else None
            time = sync.get(_LAST_PULLED_AT) if isinstance(sync, dict) else None
            if isinstance(time, str):
                yield number, time


def _split(head: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return what is between the times of captures, and these times."""
    first, *parts = head.split(_BEFORE_TIME)
    between, times = [first], []
    for part in parts:
        time, _, rest = part.partition(b'"')
        times.append(time)
        between.append(rest)
    return between, times


def _meta_after(content: bytes, end: int) -> Json | None:
    """Return a reply's `meta` where that is all that follows after `end`.

    It is, if what follows makes an object with nothing else in it: then all
    that was open before is closed, but for the reply itself.
    """
    if end < 0 or not content.startswith(_META, end):
        return None
    try:
        rest = orjson.loads(b"{" + content[end + 1 :])
    except orjson.JSONDecodeError:
        return None
    return rest["meta"] if rest.keys() == {"meta"} else None
