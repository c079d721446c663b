"""The log of requests."""

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, Final

from .kinds import BY_PATH
from .values import Json, iso

KEPT: Final = 10_000


@dataclass(kw_only=True)
class RequestRecord:
    """One request, and what it was answered with."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    status: int | None = None
    code: str | None = None
    at: float = 0.0
    account: str | None = None
    # The kind of a fault on order that met it.
    fault: str | None = None

    @property
    def time(self) -> datetime:
        """The sandbox's time of the request."""
        return datetime.fromtimestamp(self.at, UTC)

    def as_json(self) -> Json:
        """Return the record for the control routes."""
        return asdict(self) | {"at": iso(self.at)}


class Journal:
    """The latest requests, oldest first."""

    def __init__(self, kept: int = KEPT) -> None:
        """Begin with an empty page."""
        self._records: deque[RequestRecord] = deque(maxlen=kept)
        # All requests since the start, also those no longer kept.
        self.total = 0

    def __iter__(self) -> Iterator[RequestRecord]:
        """Go through the requests."""
        return iter(tuple(self._records))

    def __len__(self) -> int:
        """Return how many requests are kept."""
        return len(self._records)

    def __getitem__(self, index: int) -> RequestRecord:
        """Return a request by its place."""
        return self._records[index]

    def add(self, record: RequestRecord) -> None:
        """Keep a request."""
        self._records.append(record)
        self.total += 1

    def clear(self) -> None:
        """Forget all requests."""
        self._records.clear()

    def of(self, method: str | None, path: str = "*") -> list[RequestRecord]:
        """Return the requests of a method whose path matches."""
        return [
            record
            for record in self
            if method in (None, record.method) and fnmatchcase(record.path, path)
        ]

    def pushes(self, device_id: str | None = None) -> list[RequestRecord]:
        """Return the pushes of commands, of one device or of all."""
        return self._posts(device_id)

    def settings(self, device_id: str | None = None) -> list[RequestRecord]:
        """Return the pushes of settings, of one device or of all."""
        return self._posts(device_id, "settings")

    def reads(self, device_id: str | None = None) -> list[RequestRecord]:
        """Return the single reads, of one device or of all."""
        return self._matching("GET", device_id, [])

    def lists(self) -> list[RequestRecord]:
        """Return the requests of lists of devices."""
        paths = {f"/{path}" for path in BY_PATH}
        return [r for r in self if r.method == "GET" and r.path in paths]

    def _posts(self, device_id: str | None, *rest: str) -> list[RequestRecord]:
        """Return what was posted for devices."""
        return self._matching("POST", device_id, list(rest))

    def _matching(
        self, method: str, device_id: str | None, rest: list[str]
    ) -> list[RequestRecord]:
        """Return the requests for devices, with the rest of the path behind."""
        found = []
        for record in self:
            parts = record.path.strip("/").split("/")
            if (
                record.method == method
                and len(parts) >= 2
                and parts[0] in BY_PATH
                and parts[2:] == rest
                and device_id in (None, parts[1])
            ):
                found.append(record)
        return found
