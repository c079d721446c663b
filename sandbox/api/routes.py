"""The routes of the API, behind the keys."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from sandbox.account import Account
from sandbox.devices import Action, Device, cancel, submit
from sandbox.errors import ApiError
from sandbox.faults import Fault
from sandbox.homes import Home
from sandbox.kinds import BATTERY, BY_PATH, BY_TYPE, Kind, is_older
from sandbox.values import Json

from .validation import check_push, check_settings, malformed

MOST_PER_PAGE: Final = 50
USUAL_PER_PAGE: Final = 10
ACTION_STATES: Final = ("scheduled", "acknowledged", "completed", "failed", "cancelled")


@dataclass(kw_only=True)
class Reply:
    """An answer that is no failure."""

    data: Any
    status: int = 200
    # An older shape: no envelope around the data.
    bare: bool = False


@dataclass(kw_only=True)
class Call:
    """A request that was let in."""

    method: str
    path: str
    query: dict[str, str]
    raw: bytes
    account: Account
    # What spoils the answer, if anything does.
    fault: Fault | None
    now: float
    new_action_id: Callable[[], str]

    @property
    def home(self) -> Home:
        """The home behind the key."""
        return self.account.home

    def body(self) -> Any:
        """Return the JSON body."""
        try:
            return orjson.loads(self.raw)
        except orjson.JSONDecodeError as err:
            raise ApiError("VALIDATION_ERROR", "The body is no valid JSON.") from err


def dispatch(call: Call) -> Reply:
    """Find the route of a request and follow it."""
    match call.path.strip("/").split("/"):
        case [path] if path in BY_PATH:
            _only(call, "GET")
            return _list(call, BY_PATH[path])
        case [path, device_id] if path in BY_PATH and device_id:
            _only(call, "GET", "POST")
            kind = BY_PATH[path]
            if call.method == "GET":
                return _read(call, kind, device_id)
            return _push(call, kind, device_id)
        case [path, device_id, "settings"] if (
            path in BY_PATH and BY_PATH[path].has_settings
        ):
            _only(call, "POST")
            return _settings(call, BY_PATH[path], device_id)
        case [path, _, "schedule"] if path in BY_PATH:
            raise ApiError("NOT_IMPLEMENTED", "Schedules are not implemented.")
        case ["schedules"]:
            raise ApiError(
                "NOT_IMPLEMENTED", "Schedule listing is not yet implemented."
            )
        case ["schedules", _]:
            raise ApiError("NOT_FOUND", "Schedule not found or access denied.")
        case ["actions"]:
            _only(call, "GET")
            return _actions_list(call)
        case ["actions", action_id]:
            _only(call, "GET")
            action = _action(call, action_id)
            return _action_reply(call, action, action.record())
        case ["actions", action_id, "cancel"]:
            _only(call, "POST")
            action = _action(call, action_id)
            cancel(call.home.device_of(action), action, call.now)
            return _action_reply(call, action, action.record())
    raise ApiError("NOT_FOUND", f"There is no route {call.path}.")


def _list(call: Call, kind: Kind) -> Reply:
    """Answer a list: what was last captured."""
    limit, offset = _paging(call)
    user = call.query.get("userId")
    account = call.account
    entries = [
        entry
        for entry in call.home.entries(kind)
        if (user is None or account.user_of(entry) == user)
        and not (isinstance(entry, Device) and (entry.gone or entry.unlisted))
    ]
    page = _page(call, entries, limit, offset)
    page["items"] = [
        entry.list_body(call.now, environment=account.environment)
        if isinstance(entry, Device)
        else entry.item
        for entry in page["items"]
    ]
    _make_endless(call, page)
    return Reply(data=page, bare=is_older(account.generation))


def _read(call: Call, kind: Kind, device_id: str) -> Reply:
    """Answer a single read: cache, live, or last known."""
    expedite = call.query.get("expedite", "false")
    if expedite not in ("true", "false"):
        raise malformed("expedite", "must be true or false")
    device = _device(call, kind, device_id)
    body = device.read_body(
        call.now,
        environment=call.account.environment,
        expedite=expedite == "true",
    )
    return Reply(data=body, bare=_is_bare(call, device))


def _push(call: Call, kind: Kind, device_id: str) -> Reply:
    """Answer a push: check it, and take it on as an action."""
    if not kind.pushable:
        raise ApiError(
            "DIRECT_ACTION_UNSUPPORTED",
            f"Devices of type `{kind.type}` take no direct actions.",
            {"deviceType": kind.type},
        )
    device = _device(call, kind, device_id)
    device.refuse_if_unreachable()
    account = call.account
    body = call.body()
    if (
        account.environment == "live"
        and kind is not BATTERY
        and not account.live_control
    ):
        raise ApiError(
            "COMMAND_NOT_SUPPORTED",
            f"Live pushes are not available for `{kind.type}` yet.",
            {"supportedCommands": []},
        )
    push = check_push(device, body, call.now, offsets=is_older(account.generation))
    action = submit(device, push, _action_id(call), call.now)
    call.home.note_action(action, device)
    return _action_reply(call, action, action.reply(), status=202)


def _action_id(call: Call) -> str:
    """Return an id that no action had yet, or what a fault gives instead."""
    if call.fault is not None and call.fault.kind == "reuse_id":
        if call.fault.body is not None:
            return str(call.fault.body)
        if call.home.actions:
            return call.home.actions[-1].id
    return call.new_action_id()


def _settings(call: Call, kind: Kind, device_id: str) -> Reply:
    """Answer a push of settings: no action comes of it."""
    device = _device(call, kind, device_id)
    device.refuse_if_unreachable()
    values = check_settings(device, call.body())
    if device.transient_fault is not None:
        raise ApiError(device.transient_fault, "The manufacturer could not be reached.")
    device.physics.advance(call.now)
    for name, value in values.items():
        device.write_setting(name, value)
    device.show_at_once(call.now)
    data = {"deviceId": device.id, "updated": list(values)}
    return Reply(data=data, bare=_is_bare(call, device))


def _actions_list(call: Call) -> Reply:
    """Answer the list of actions, newest first."""
    limit, offset = _paging(call)
    account, query = call.account, call.query
    if query.get("deviceType", "battery") not in BY_TYPE:
        raise malformed("deviceType", f"must be one of {', '.join(BY_TYPE)}")
    if query.get("state", "failed") not in ACTION_STATES:
        raise malformed("state", f"must be one of {', '.join(ACTION_STATES)}")
    wanted = [
        action
        for action in reversed(call.home.actions)
        if query.get("deviceId") in (None, action.device_id)
        and query.get("deviceType") in (None, action.kind.type)
        and query.get("state") in (None, action.state)
        and query.get("userId") in (None, account.user_of(call.home.device_of(action)))
    ]
    page = _page(call, wanted, limit, offset)
    page["items"] = [action.record() for action in page["items"]]
    _make_endless(call, page)
    return Reply(data=page, bare=is_older(account.generation))


def _action(call: Call, action_id: str) -> Action:
    """Return the action of a path."""
    if (action := call.home.action(action_id)) is None:
        raise ApiError("ACTION_NOT_FOUND", "Action not found.")
    return action


def _only(call: Call, *methods: str) -> None:
    """Refuse the other methods."""
    if call.method not in methods:
        raise ApiError(
            "METHOD_NOT_ALLOWED",
            f"{call.method} is not allowed here.",
            headers={"Allow": ", ".join(methods)},
        )


def _paging(call: Call) -> tuple[int, int]:
    """Return limit and offset of a request."""
    limit = _whole(call, "limit", USUAL_PER_PAGE)
    offset = _whole(call, "offset", 0)
    if not 1 <= limit <= MOST_PER_PAGE:
        raise malformed("limit", f"must be from 1 to {MOST_PER_PAGE}")
    if offset < 0:
        raise malformed("offset", "must not be negative")
    return limit, offset


def _whole(call: Call, name: str, usual: int) -> int:
    """Return a whole number of the query."""
    given = call.query.get(name)
    if given is None:
        return usual
    digits = given.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise malformed(name, "must be a whole number")
    return int(given)


def _page(call: Call, entries: list[Any], limit: int, offset: int) -> Json:
    """Return a page of a list, with the lies that a fault puts in."""
    fault = call.fault
    kind = fault.kind if fault is not None else None
    if fault is not None and kind == "shift_items":
        # Something before this page went away, or came, since the page before.
        offset_now = max(0, offset + fault.amount) if offset else 0
    else:
        offset_now = offset
    total = len(entries)
    items = entries[offset_now : offset_now + limit]
    has_more = offset_now + limit < total
    if fault is not None and kind == "shift_total":
        total = max(0, total + fault.amount * fault.hits)
    elif kind == "lie_has_more":
        has_more = not has_more
    elif fault is not None and kind == "endless":
        # What is there comes again and again, and there is always more.
        limit = min(limit, fault.per_page or limit)
        items = [entries[(offset + n) % total] for n in range(limit)] if total else []
        total, has_more = offset + 2 * limit, True
    return {
        "items": items,
        "pagination": {
            "limit": limit,
            "offset": offset,
            "total": total,
            "hasMore": has_more,
        },
    }


def _make_endless(call: Call, page: Json) -> None:
    """Give what comes again an id of its own each time, where a fault says so."""
    fault = call.fault
    if fault is None or fault.kind != "endless" or not fault.amount:
        return
    offset = page["pagination"]["offset"]
    seen: set[str] = set()
    items = []
    for number, item in enumerate(page["items"], start=offset):
        if isinstance(item, dict) and "id" in item:
            if offset or item["id"] in seen:
                item = item | {"id": f"{item['id']}_{number}"}
            seen.add(item["id"])
        items.append(item)
    page["items"] = items


def _device(call: Call, kind: Kind, device_id: str) -> Device:
    """Return the device of a path, where this key may see it."""
    device = call.home.find(device_id, kind)
    if device is None:
        raise ApiError("DEVICE_NOT_FOUND", "Device not found.")
    return device


def _is_bare(call: Call, device: Device) -> bool:
    """Whether answers about a device come without an envelope."""
    return is_older(call.account.generation) or is_older(device.generation)


def _action_reply(call: Call, action: Action, data: Json, status: int = 200) -> Reply:
    """Return an answer about an action."""
    return Reply(
        data=data, status=status, bare=_is_bare(call, call.home.device_of(action))
    )
