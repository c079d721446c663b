"""The kinds of fault, and what Home Assistant makes of each.

A new kind of fault is one more row of `FAULTS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from sandbox import TEST_KEY

USER: Final = "user_abc123"
# An answer can echo what was sent; none of that may go any further.
TELLTALE: Final = f"{TEST_KEY} of {USER}"
# What a fault that tells a time tells: no full minute, when others ask anyway.
RETRY_AFTER: Final = 100
# Where redirects lead.
ELSEWHERE: Final = "/elsewhere"


class Reaction(Enum):
    """What an account does about a fault that its lists meet."""

    # It asks again at the usual pace, and nobody else notices.
    GO_ON = auto()
    # It holds back as one, longer and longer.
    BACK_OFF = auto()
    # It holds back as one, for as long as it was told.
    WAIT = auto()
    # It asks for a new key, and tries the old one now and then.
    REFUSED = auto()


@dataclass(frozen=True, kw_only=True)
class FaultRow:
    """One kind of fault, and what is to come of it."""

    name: str
    # What the sandbox is told to do.
    order: Mapping[str, Any]
    # The words for it at a list, and at set-up; None where no list answers so.
    on_list: str | None
    # The words for it at a single read or a push.
    on_device: str
    reaction: Reaction = Reaction.GO_ON
    # The same where only a single device's read or push meets it.
    device_reaction: Reaction = Reaction.GO_ON
    # Whether the device is unavailable after a single read that meets it.
    device_goes: bool = False
    # Whether somebody has to link the device again.
    relink: bool = False
    # Whether it may be the key's fault, if it never ends.
    doubtful: bool = False
    # The repair that is open while a list meets it.
    issue: str | None = None
    # How often the fault has to be met for one request to fail.
    times: int = 1
    # Another way to say what another row says: it only has to be understood.
    variant: bool = False

    def __str__(self) -> str:
        """Return the name, for the names of tests."""
        return self.name

    @property
    def on_push(self) -> str:
        """The words for it at a push, which may have been done all the same."""
        status = self.order.get("status", 200)
        lost = (
            self.on_device in ("timeout", "cannot_connect")
            or (self.on_device == "malformed_reply" and not 400 <= status < 500)
            # What stands between says that the answer did not come.
            or (self.order.get("kind") in ("html", "empty") and status in (502, 504))
        )
        return "unknown_outcome" if lost else self.on_device

    @property
    def gets_through(self) -> bool:
        """Whether a push is taken, and only its answer lost."""
        return self.order.get("kind") in ("cut", "cut_transfer")

    @property
    def holds_for(self) -> int:
        """How long a single device's answer keeps the whole account quiet."""
        going_on = self.device_reaction is Reaction.GO_ON
        return 0 if going_on else WAITS[self.device_reaction][0]

    @property
    def holds_back(self) -> bool:
        """Whether the account as a whole is quiet for a while."""
        return self.reaction in (Reaction.BACK_OFF, Reaction.WAIT)

    @property
    def is_refused(self) -> bool:
        """Whether a person is asked for a new key."""
        return self.reaction is Reaction.REFUSED

    def wait(self, number: int) -> int:
        """How long a list that meets it so many times is not asked for."""
        waits = WAITS[self.reaction]
        return waits[min(number, len(waits) - 1)]


# How long nothing is asked after the first time, the second, and so on.
WAITS: Final[Mapping[Reaction, tuple[int, ...]]] = {
    Reaction.GO_ON: (60,),
    Reaction.BACK_OFF: (60, 120, 240),
    Reaction.WAIT: (RETRY_AFTER,),
    Reaction.REFUSED: (600,),
}


def _coded(code: str, **order: Any) -> dict[str, Any]:
    """Return an order of the API's own error, which echoes what it was sent."""
    return {"code": code, "message": f"{code} for {TELLTALE}", **order}


def _json(body: Any, **order: Any) -> dict[str, Any]:
    """Return an order of any JSON at all."""
    return {"kind": "json", "body": body, **order}


@dataclass(frozen=True, kw_only=True)
class Overload(FaultRow):
    """Too many requests, however that is said."""

    on_list: str | None = "rate_limited"
    on_device: str = "rate_limited"
    reaction: Reaction = Reaction.BACK_OFF
    device_reaction: Reaction = Reaction.BACK_OFF


@dataclass(frozen=True, kw_only=True)
class BadKey(FaultRow):
    """A list that names the key itself; at a device it is the manufacturer's."""

    on_list: str | None = "invalid_auth"
    on_device: str = "device_credentials"
    reaction: Reaction = Reaction.REFUSED
    relink: bool = True


@dataclass(frozen=True, kw_only=True)
class Nonsense(FaultRow):
    """An answer that is not the API's."""

    order: Mapping[str, Any] = field(default_factory=dict)
    on_list: str | None = "malformed_reply"
    on_device: str = "malformed_reply"


@dataclass(frozen=True, kw_only=True)
class OfDevice(FaultRow):
    """What only a device can meet."""

    on_list: str | None = None


_ENVELOPE: Final[Mapping[str, Any]] = {"success": True, "meta": {}}

FAULTS: Final[tuple[FaultRow, ...]] = (
    # Too many requests.
    Overload(
        name="429 and when",
        order=_coded("RATE_LIMIT_EXCEEDED", retry_after=RETRY_AFTER),
        reaction=Reaction.WAIT,
        device_reaction=Reaction.WAIT,
    ),
    Overload(name="429", order=_coded("RATE_LIMIT_EXCEEDED")),
    Overload(name="429 page", variant=True, order={"kind": "html", "status": 429}),
    Overload(name="429 before", order=_coded("RATE_LIMIT_EXCEEDED", status=401)),
    Overload(
        name="429 before and when",
        variant=True,
        order=_coded("RATE_LIMIT_EXCEEDED", status=401, retry_after=RETRY_AFTER),
        reaction=Reaction.WAIT,
        device_reaction=Reaction.WAIT,
    ),
    Overload(name="bare 401", order=_coded("UNAUTHORIZED"), doubtful=True),
    Overload(
        name="empty 401",
        variant=True,
        order={"kind": "empty", "status": 401},
        doubtful=True,
    ),
    Overload(
        name="401 page",
        variant=True,
        order={"kind": "html", "status": 401},
        doubtful=True,
    ),
    FaultRow(
        name="RATE_LIMITED",
        order=_coded("RATE_LIMITED"),
        on_list="rate_limited",
        on_device="manufacturer_trouble",
        reaction=Reaction.BACK_OFF,
    ),
    # The key.
    BadKey(name="INVALID_API_KEY", order=_coded("INVALID_API_KEY")),
    BadKey(name="EXPIRED_TOKEN", order=_coded("EXPIRED_TOKEN")),
    FaultRow(
        name="INSUFFICIENT_PERMISSIONS",
        order=_coded("INSUFFICIENT_PERMISSIONS"),
        on_list="insufficient_permissions",
        on_device="insufficient_permissions",
        issue="insufficient_permissions",
    ),
    FaultRow(
        name="LIVE_ACCESS_DISABLED",
        order=_coded("LIVE_ACCESS_DISABLED"),
        on_list="live_access_disabled",
        on_device="live_access_disabled",
        issue="live_access_disabled",
    ),
    # A device, and its manufacturer.
    OfDevice(
        name="DEVICE_NOT_FOUND",
        order=_coded("DEVICE_NOT_FOUND"),
        on_device="device_not_found",
        device_goes=True,
    ),
    OfDevice(
        name="DEVICE_OFFLINE",
        order=_coded("DEVICE_OFFLINE"),
        on_device="device_offline",
        device_goes=True,
    ),
    *(
        OfDevice(
            name=code,
            order=_coded(code),
            on_device="device_credentials",
            relink=True,
            variant=code != "INVALID_CREDENTIALS",
        )
        for code in (
            "INVALID_CREDENTIALS",
            "MFA_REQUIRED",
            "INVALID_MFA_CODE",
            "ACCOUNT_LOCKED",
        )
    ),
    *(
        FaultRow(
            name=f"{code} {status}",
            order=_coded(code, status=status),
            on_list="server_trouble",
            on_device="manufacturer_trouble",
            variant=code != "SERVICE_UNAVAILABLE",
        )
        for code, status in (
            ("NETWORK_ERROR", 502),
            ("UNKNOWN_ERROR", 502),
            ("SERVICE_UNAVAILABLE", 503),
            ("TIMEOUT", 504),
        )
    ),
    # The API itself, and what stands before it.
    *(
        FaultRow(
            name=f"INTERNAL_ERROR {status}",
            order=_coded("INTERNAL_ERROR", status=status),
            on_list="server_trouble",
            on_device="server_trouble",
            variant=status != 500,
        )
        for status in (500, 502, 503, 504)
    ),
    FaultRow(
        name="503 and when",
        order={"kind": "html", "status": 503, "retry_after": RETRY_AFTER},
        on_list="server_trouble",
        on_device="server_trouble",
        reaction=Reaction.WAIT,
        device_reaction=Reaction.WAIT,
    ),
    FaultRow(
        name="502 page",
        order={"kind": "html", "status": 502},
        on_list="server_trouble",
        on_device="server_trouble",
    ),
    FaultRow(
        name="504 empty",
        variant=True,
        order={"kind": "empty", "status": 504},
        on_list="server_trouble",
        on_device="server_trouble",
    ),
    FaultRow(
        name="403 page",
        variant=True,
        order={"kind": "html", "status": 403},
        on_list="insufficient_permissions",
        on_device="insufficient_permissions",
    ),
    Nonsense(name="200 page", order={"kind": "html", "status": 200}),
    # A page says nothing of a device: nobody has to connect one again.
    Nonsense(name="404 page", order={"kind": "html", "status": 404}),
    Nonsense(name="empty", order={"kind": "empty"}),
    Nonsense(name="204", variant=True, order={"kind": "empty", "status": 204}),
    Nonsense(name="302", order={"kind": "empty", "status": 302}),
    Nonsense(name="307", variant=True, order={"kind": "html", "status": 307}),
    # The way.
    FaultRow(
        name="time-out", order={"delay": 60}, on_list="timeout", on_device="timeout"
    ),
    FaultRow(
        name="drop",
        order={"kind": "drop"},
        on_list="cannot_connect",
        on_device="cannot_connect",
        # A read that was hung up on is made once more, by the library.
        times=2,
    ),
    FaultRow(
        name="half a transfer",
        order={"kind": "cut_transfer"},
        on_list="cannot_connect",
        on_device="cannot_connect",
    ),
    Nonsense(name="half of the JSON", order={"kind": "cut"}),
    # JSON, but not the API's.
    Nonsense(name="null", variant=True, order=_json(None)),
    Nonsense(name="a list", variant=True, order=_json([])),
    Nonsense(name="a text", variant=True, order=_json(TELLTALE)),
    Nonsense(name="no envelope", variant=True, order=_json({})),
    Nonsense(name="no data", variant=True, order=_json({**_ENVELOPE})),
    Nonsense(name="null data", order=_json({**_ENVELOPE, "data": None})),
    Nonsense(
        name="a list as data", variant=True, order=_json({**_ENVELOPE, "data": []})
    ),
    Nonsense(
        name="no items",
        variant=True,
        order=_json({**_ENVELOPE, "data": {"pagination": {}}}),
    ),
    Nonsense(
        name="null items",
        variant=True,
        order=_json({**_ENVELOPE, "data": {"items": None, "id": 1}}),
    ),
    Nonsense(
        name="a failure without an error", variant=True, order=_json({"success": False})
    ),
)
