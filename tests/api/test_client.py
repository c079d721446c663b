"""The client against the sandbox, over real HTTP."""

from collections.abc import Callable
from datetime import datetime, timedelta
import logging
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from custom_components.amps_ai.api import (
    API_URL,
    LINK_URL,
    AmpsClient,
    AmpsConflictError,
    AmpsMalformedReplyError,
    AmpsNotCancellableError,
    AmpsUnknownOutcomeError,
    Device,
    DeviceType,
    Environment,
    Push,
    Quantity,
    RequestRefusedError,
    capabilities,
    check_push,
    clean_app_id,
    environment_of_key,
    external_user_ref,
    link_url,
    listing as listing_module,
    takes_power_cap_command,
)
from sandbox import LIVE_KEY, TEST_KEY, Sandbox

from .helpers import FIXTURES, Json, page, serve

IDS = {
    DeviceType.BATTERY: "device_battery_001",
    DeviceType.EV_CHARGER: "device_ev_001",
    DeviceType.HVAC: "device_hvac_001",
    DeviceType.SOLAR_INVERTER: "device_inverter_001",
    DeviceType.VEHICLE: "device_vehicle_001",
}
BATTERY = IDS[DeviceType.BATTERY]
USERS = ("user_abc123", "anna@example.org")

empty_home = pytest.mark.parametrize("home", ["empty"])
classic_home = pytest.mark.parametrize("home", ["classic"])


def fill(sandbox: Sandbox, count: int) -> list[str]:
    """Connect batteries; return their ids."""
    return [sandbox.home.add_device("battery").id for _ in range(count)]


def offsets(sandbox: Sandbox) -> list[int]:
    """Return where the pages began that were asked for."""
    return [int(request.query["offset"]) for request in sandbox.requests.lists()]


async def the_battery(client: AmpsClient) -> Device:
    """Read the battery."""
    return await client.async_get_device(DeviceType.BATTERY, BATTERY)


# Lists


@pytest.mark.parametrize("device_type", DeviceType)
async def test_list(
    sandbox: Sandbox, client: AmpsClient, device_type: DeviceType
) -> None:
    listing = await client.async_list_devices(device_type)
    assert list(listing.devices) == [IDS[device_type]]
    assert listing.complete
    assert listing.malformed == ()
    found = listing.devices[IDS[device_type]]
    assert found.type is device_type
    assert found.raw == sandbox.device(found.id).list_body(
        sandbox.clock.time(), environment="sandbox"
    )
    assert not found.detailed
    [request] = sandbox.requests
    assert request.path == f"/{device_type.path}"
    assert request.query == {"offset": "0", "limit": "50"}
    assert request.account == "test"


@empty_home
@pytest.mark.parametrize("device_type", DeviceType)
async def test_empty_list(
    sandbox: Sandbox, client: AmpsClient, device_type: DeviceType
) -> None:
    listing = await client.async_list_devices(device_type)
    assert (listing.devices, listing.complete) == ({}, True)
    assert sandbox.requests.total == 1


@empty_home
@pytest.mark.parametrize(
    ("count", "pages"),
    [
        (1, [0]),
        (49, [0]),
        (50, [0]),
        (51, [0, 50]),
        (100, [0, 50]),
        (127, [0, 50, 100]),
    ],
)
async def test_pages(
    sandbox: Sandbox, client: AmpsClient, count: int, pages: list[int]
) -> None:
    ids = fill(sandbox, count)
    listing = await client.async_list_devices(DeviceType.BATTERY)
    assert list(listing.devices) == ids
    assert listing.complete
    assert offsets(sandbox) == pages
    assert {request.query["limit"] for request in sandbox.requests} == {"50"}


@pytest.mark.parametrize("home", ["big"])
async def test_a_big_home(sandbox: Sandbox, client: AmpsClient) -> None:
    for device_type in DeviceType:
        listing = await client.async_list_devices(device_type)
        assert len(listing.devices) == 50
        assert listing.complete
    assert sandbox.requests.total == len(DeviceType)
    assert await client.async_count_devices(DeviceType.HVAC) == 50
    assert sandbox.requests[-1].query == {"offset": "0", "limit": "1"}


@empty_home
@pytest.mark.parametrize(
    ("fault", "requests", "missing", "complete"),
    [
        # The total moves once: a device may have slipped through, so again.
        ({"kind": "shift_total", "times": 1}, 6, 0, True),
        ({"kind": "shift_total", "times": 1, "amount": -20}, 6, 0, True),
        # It never rests: three times, and nothing is proven.
        ({"kind": "shift_total"}, 12, 0, False),
        ({"kind": "shift_total", "amount": -1}, 9, 0, False),
        # A device slipped through though the total stayed.
        ({"kind": "shift_items"}, 4, 1, False),
        ({"kind": "shift_items", "amount": 40}, 3, 40, False),
        # Devices came twice, and none is missing.
        ({"kind": "shift_items", "amount": -1}, 3, 0, True),
        # What it says of more pages is wrong, now and then or always.
        ({"kind": "lie_has_more", "times": 1}, 3, 0, True),
        ({"kind": "lie_has_more", "times": 3}, 4, 0, True),
        ({"kind": "lie_has_more"}, 4, 0, True),
    ],
)
async def test_pages_that_do_not_add_up(
    sandbox: Sandbox,
    client: AmpsClient,
    fault: dict[str, Any],
    requests: int,
    missing: int,
    complete: bool,
) -> None:
    ids = fill(sandbox, 127)
    sandbox.faults.add(path="/battery", **fault)
    listing = await client.async_list_devices(DeviceType.BATTERY)
    assert len(ids) - len(listing.devices) == missing
    assert set(listing.devices) <= set(ids)
    assert listing.complete is complete
    assert sandbox.requests.total == requests


@pytest.mark.parametrize("home", ["empty", "home"])
async def test_a_short_list_that_promises_more(
    sandbox: Sandbox, client: AmpsClient, home: str
) -> None:
    sandbox.faults.add(kind="lie_has_more")
    listing = await client.async_list_devices(DeviceType.BATTERY)
    assert listing.complete
    assert sandbox.requests.total == 1 + len(listing.devices)


def item(number: int) -> Json:
    """Return a device of a list."""
    return {"id": f"device_{number}", "state": {"level": number}}


def items(first: int, last: int) -> list[Any]:
    """Return the devices of a page."""
    return [item(number) for number in range(first, last)]


type Pages = Callable[[int, int], Json]


# What answers the n-th request, for the devices that begin at an offset; what comes
# of it: how many devices, whether all, and after how many requests at most.
ODD_PAGES: dict[str, tuple[Pages, int, bool, int]] = {
    "no word about the pages": (
        lambda n, at: {"success": True, "data": {"items": items(0, 9)}},
        9,
        True,
        1,
    ),
    "no total": (
        lambda n, at: page(items(at, min(at + 50, 80)), more=at == 0),
        80,
        True,
        2,
    ),
    "fewer than promised": (lambda n, at: page(items(at, 50), total=60), 50, False, 2),
    "far fewer than promised": (
        lambda n, at: page(items(at, 50), total=10**6, more=True),
        50,
        False,
        2,
    ),
    "more than promised": (
        lambda n, at: page(items(at, at + 5), total=10, more=True),
        25,
        True,
        5,
    ),
    # As a proxy answers that ignores the query.
    "the same page, of 60": (
        lambda n, at: page(items(0, 50), total=60, more=at == 0),
        50,
        False,
        2,
    ),
    "the same page, of 127": (
        lambda n, at: page(items(0, 50), total=127, more=True),
        50,
        False,
        2,
    ),
    "the same page, of nobody knows": (
        lambda n, at: page(items(0, 50), more=True),
        50,
        False,
        2,
    ),
    "the same page, with something malformed": (
        lambda n, at: page([None, *items(0, 49)], more=True),
        49,
        False,
        2,
    ),
    "two pages in turn": (
        lambda n, at: page(items(n % 2 * 50, n % 2 * 50 + 50), more=True),
        100,
        False,
        3,
    ),
    "always something malformed": (
        lambda n, at: page([None, item(n % 2), item(n % 3)], total=9, more=True),
        3,
        True,
        6,
    ),
    "nonsense for numbers": (
        lambda n, at: {
            "success": True,
            "data": {
                "items": items(0, 2),
                "pagination": {"total": "2", "hasMore": "yes"},
            },
        },
        2,
        True,
        1,
    ),
    "less than nothing": (lambda n, at: page(items(0, 2), total=-5), 2, True, 1),
}


@pytest.mark.parametrize("case", ODD_PAGES)
async def test_odd_pages(session: aiohttp.ClientSession, case: str) -> None:
    pages, devices, complete, requests = ODD_PAGES[case]

    def answer(request: web.Request) -> web.Response:
        return web.json_response(
            pages(len(server.requests), int(request.query["offset"]))
        )

    async with serve(answer) as server:
        client = AmpsClient(session, TEST_KEY, base_url=server.url)
        listing = await client.async_list_devices(DeviceType.BATTERY)
    assert len(listing.devices) == devices
    assert listing.complete is complete
    assert len(server.requests) == requests


async def test_pages_without_end(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing_module, "_MOST_PAGES", 7)

    def answer(request: web.Request) -> web.Response:
        at = int(request.query["offset"])
        return web.json_response(page(items(at, at + 50), more=True))

    async with serve(answer) as server:
        client = AmpsClient(session, TEST_KEY, base_url=server.url)
        listing = await client.async_list_devices(DeviceType.BATTERY)
    assert len(listing.devices) == 350
    assert len(server.requests) == 7
    assert not listing.complete


async def test_many_pages_are_no_burst(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first ones come at once, and the others one after the other."""
    pauses: list[float] = []

    async def _sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(listing_module, "sleep", _sleep)

    def answer(request: web.Request) -> web.Response:
        at = int(request.query["offset"])
        return web.json_response(page(items(at, at + 50), total=at + 100))

    async with serve(answer) as server:
        client = AmpsClient(session, TEST_KEY, base_url=server.url)
        listing = await client.async_list_devices(DeviceType.BATTERY)
    assert not listing.ended
    assert not listing.complete
    assert len(server.requests) == 100
    assert pauses == [0.5] * 80


async def test_pages_that_take_for_ever(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = iter(range(0, 1000, 25))
    monkeypatch.setattr(listing_module, "passed", lambda _since: next(at))

    def answer(request: web.Request) -> web.Response:
        at = int(request.query["offset"])
        return web.json_response(page(items(at, at + 50), more=True))

    async with serve(answer) as server:
        client = AmpsClient(session, TEST_KEY, base_url=server.url)
        listing = await client.async_list_devices(DeviceType.BATTERY)
    assert not listing.ended
    assert 1 < len(server.requests) < 5


async def test_a_list_that_never_rests(session: aiohttp.ClientSession) -> None:
    def answer(request: web.Request) -> web.Response:
        at, turn = int(request.query["offset"]), len(server.requests)
        return web.json_response(
            page(items(at + turn, at + turn + 50), total=99 + turn)
        )

    async with serve(answer) as server:
        client = AmpsClient(session, TEST_KEY, base_url=server.url)
        listing = await client.async_list_devices(DeviceType.BATTERY)
    # Whatever was seen is there, though it proves nothing of the rest.
    seen = [int(name.removeprefix("device_")) for name in listing.devices]
    assert sorted(seen) == list(range(1, max(seen) + 1))
    assert not listing.complete


async def test_a_device_that_goes_between_two_pages(
    session: aiohttp.ClientSession,
) -> None:
    home = items(0, 60)

    def answer(request: web.Request) -> web.Response:
        at = int(request.query["offset"])
        reply = page(home[at : at + 50], total=len(home), more=at + 50 < len(home))
        if len(server.requests) == 1:
            home.pop(3)
        return web.json_response(reply)

    async with serve(answer) as server:
        client = AmpsClient(session, TEST_KEY, base_url=server.url)
        listing = await client.async_list_devices(DeviceType.BATTERY)
    assert list(listing.devices) == [raw["id"] for raw in home]
    assert listing.complete
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "data", [None, [], "items", {}, {"items": None}, {"items": {}}, {"items": "none"}]
)
async def test_no_list_at_all(
    sandbox: Sandbox, client: AmpsClient, data: object
) -> None:
    sandbox.faults.add(kind="json", body={"success": True, "data": data})
    for request in (
        client.async_list_devices(DeviceType.BATTERY),
        client.async_count_devices(DeviceType.BATTERY),
        client.async_list_actions(),
    ):
        with pytest.raises(AmpsMalformedReplyError, match="a list has no items"):
            await request


@pytest.mark.parametrize("home", ["odd"])
async def test_malformed_devices_are_told_and_others_live(client: AmpsClient) -> None:
    batteries = await client.async_list_devices(DeviceType.BATTERY)
    assert list(batteries.devices) == [
        "odd_battery_minimal",
        "odd_battery_unknown",
        "odd_battery_null",
        "odd_battery_words",
        "odd_shared_id",
    ]
    assert sorted(batteries.malformed) == [
        "a device has no id",
        "a device is not an object",
        "a device's state is not an object",
    ]
    assert batteries.complete
    for device_type in DeviceType:
        listing = await client.async_list_devices(device_type)
        for found in listing.devices.values():
            read = await client.async_get_device(device_type, found.id, known=found)
            assert read.state == found.state


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (page(items(0, 1), total=127, more=True), 127),
        (page([], total=0), 0),
        (page(items(0, 1)), 1),
        (page([]), 0),
    ],
)
async def test_count(
    sandbox: Sandbox, client: AmpsClient, body: Json, count: int
) -> None:
    sandbox.faults.add(kind="json", body=body)
    assert await client.async_count_devices(DeviceType.BATTERY) == count
    assert sandbox.requests.total == 1


@empty_home
async def test_what_did_not_change_is_the_same_object(
    sandbox: Sandbox, client: AmpsClient
) -> None:
    ids = fill(sandbox, 60)
    first = await client.async_list_devices(DeviceType.BATTERY)
    again = await client.async_list_devices(DeviceType.BATTERY, first.devices)
    assert all(again.devices[name] is first.devices[name] for name in ids)
    sandbox.device(ids[55]).state_override = {"level": 1}
    sandbox.home.remove_device(ids[0])
    last = await client.async_list_devices(DeviceType.BATTERY, again.devices)
    assert list(last.devices) == ids[1:]
    changed = [n for n in ids[1:] if last.devices[n] is not first.devices[n]]
    assert changed == [ids[55]]
    assert last.devices[ids[55]].commands is first.devices[ids[55]].commands
    assert sandbox.requests.total == 6


async def test_settings_of_a_single_read_survive_lists(
    sandbox: Sandbox, client: AmpsClient
) -> None:
    device_type = DeviceType.BATTERY
    listing = await client.async_list_devices(device_type)
    assert listing.devices[BATTERY].settings is None
    read = await client.async_get_device(
        device_type, BATTERY, known=listing.devices[BATTERY]
    )
    assert read.settings is not None
    assert read.commands is listing.devices[BATTERY].commands
    assert read.state is listing.devices[BATTERY].state
    again = await client.async_list_devices(device_type, {BATTERY: read})
    assert again.devices[BATTERY].settings is read.settings
    assert again.devices[BATTERY].detailed


# Users


@pytest.mark.parametrize("home", ["two"])
@pytest.mark.parametrize("user_id", [*USERS, "nobody"])
async def test_one_users_devices(
    sandbox: Sandbox, session: aiohttp.ClientSession, user_id: str
) -> None:
    client = AmpsClient(session, TEST_KEY, user_id=user_id, base_url=sandbox.url)
    for device_type in DeviceType:
        listing = await client.async_list_devices(device_type)
        owners = [sandbox.device(found).user for found in listing.devices]
        assert owners == ([user_id] if user_id in USERS else [])
        count = await client.async_count_devices(device_type)
        assert count == len(owners)
    assert {request.query["userId"] for request in sandbox.requests} == {user_id}


@pytest.mark.parametrize("home", ["two"])
async def test_all_users_devices(sandbox: Sandbox, client: AmpsClient) -> None:
    listing = await client.async_list_devices(DeviceType.HVAC)
    assert len(listing.devices) == 2
    assert "userId" not in sandbox.requests[0].query


async def test_single_requests_name_no_user(
    sandbox: Sandbox, session: aiohttp.ClientSession
) -> None:
    client = AmpsClient(session, TEST_KEY, user_id=USERS[0], base_url=sandbox.url)
    action = await client.async_push(await the_battery(client), Push(command="idle"))
    await client.async_get_action(action.id)
    await client.async_list_actions()
    assert not any("userId" in request.query for request in sandbox.requests)


# Single reads


@pytest.mark.parametrize("device_type", DeviceType)
async def test_read(
    sandbox: Sandbox, client: AmpsClient, device_type: DeviceType
) -> None:
    found = await client.async_get_device(device_type, IDS[device_type])
    assert (found.id, found.type, found.detailed) == (
        IDS[device_type],
        device_type,
        True,
    )
    [request] = sandbox.requests
    assert request.path == f"/{device_type.path}/{found.id}"
    assert request.query == {}


async def test_expedited_read(sandbox: Sandbox, client: AmpsClient) -> None:
    first = await the_battery(client)
    sandbox.clock.advance(120)
    again = await client.async_get_device(DeviceType.BATTERY, BATTERY, known=first)
    assert again is first
    assert sandbox.live_calls[BATTERY] == 0
    live = await client.async_get_device(
        DeviceType.BATTERY, BATTERY, known=first, expedite=True
    )
    assert sandbox.requests[-1].query == {"expedite": "true"}
    assert sandbox.live_calls[BATTERY] == 1
    assert live is not first
    assert live.sync.last_pulled_at == sandbox.clock.now()
    assert live.settings is first.settings


async def test_last_known_state(sandbox: Sandbox, client: AmpsClient) -> None:
    sandbox.device(BATTERY).transient_fault = True
    found = await the_battery(client)
    assert found.sync.available is False


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"success": True, "data": {"id": "other"}}, "the reply is about another"),
        ({"success": True, "data": None}, "a device is not an object"),
        ({"success": True}, "a device is not an object"),
        ({"success": True, "data": {"state": {}}}, "a device has no id"),
        ({"state": {}}, "a device has no id"),
        (
            {"success": True, "data": {"id": BATTERY, "state": []}},
            "a device's state is not an object",
        ),
    ],
)
async def test_a_read_of_something_else(
    sandbox: Sandbox, client: AmpsClient, body: Json, message: str
) -> None:
    sandbox.faults.add(kind="json", body=body)
    with pytest.raises(AmpsMalformedReplyError, match=message):
        await the_battery(client)


@pytest.mark.parametrize(
    ("device_id", "path"),
    [
        ("a/b", "/battery/a%2Fb"),
        ("../hvac", "/battery/..%2Fhvac"),
        ("x?expedite=true#y", "/battery/x%3Fexpedite%3Dtrue%23y"),
        ("gerät 1", "/battery/ger%C3%A4t%201"),
    ],
)
async def test_an_id_stays_in_its_place(
    session: aiohttp.ClientSession, device_id: str, path: str
) -> None:
    async with serve(
        lambda _: web.json_response({"success": True, "data": {"id": device_id}})
    ) as server:
        client = AmpsClient(session, TEST_KEY, base_url=f"{server.url}/")
        await client.async_get_device(DeviceType.BATTERY, device_id)
        await client.async_get_action(device_id)
    assert server.requests[0].raw_path.replace("=", "%3D") == path
    assert server.requests[1].raw_path.startswith("/actions/")
    assert server.requests[1].raw_path.count("/") == 2


# Pushes and settings


@pytest.mark.parametrize("home", ["home", "classic"])
@pytest.mark.parametrize(
    "device_type", [DeviceType.BATTERY, DeviceType.EV_CHARGER, DeviceType.HVAC]
)
async def test_every_command_is_taken(
    sandbox: Sandbox, client: AmpsClient, home: str, device_type: DeviceType
) -> None:
    device = await client.async_get_device(device_type, IDS[device_type])
    assert device.is_older is (home == "classic")
    wanted: list[Push] = [
        Push(
            command=name,
            parameters={
                parameter: Quantity(value=bounds.max)
                for parameter, bounds in command.parameters.items()
                if bounds.max is not None
            },
        )
        for name, command in capabilities(device).items()
    ]
    if takes_power_cap_command(device):
        cap = {"maxPower": Quantity(value=7.4)}
        wanted.append(Push(command="set_max_power", parameters=cap))
    assert bool(wanted) is (home == "home" or device_type is not DeviceType.BATTERY)
    for push in wanted:
        action = await client.async_push(device, check_push(device, push))
        assert action.state == "acknowledged"
        assert action.created_at == sandbox.clock.now()
        sandbox.clock.advance(5)
        ended = await client.async_get_action(action.id)
        assert (ended.id, ended.state, ended.command) == (
            action.id,
            "completed",
            push.command,
        )
        assert (ended.device_id, ended.device_type) == (device.id, device_type)
    assert len(sandbox.requests.pushes(device.id)) == len(wanted)


async def test_push_and_read(sandbox: Sandbox, client: AmpsClient) -> None:
    device = await the_battery(client)
    push = Push(command="charge", parameters={"target": Quantity(value=90)})
    action = await client.async_push(device, check_push(device, push))
    assert (action.device_id, action.command) == (BATTERY, "charge")
    assert action.parameters == {"target": {"value": 90, "unit": "percent"}}
    [request] = sandbox.requests.pushes(BATTERY)
    assert request.method == "POST"
    assert request.body == {
        "action": {
            "command": "charge",
            "parameters": {"target": {"value": 90, "unit": "percent"}},
        }
    }
    again = await client.async_get_device(DeviceType.BATTERY, BATTERY, known=device)
    assert again.last_action is not None
    assert again.last_action.id == action.id
    assert again.commands is device.commands


@pytest.mark.parametrize(
    ("start", "end", "state"),
    [
        (None, None, "acknowledged"),
        ("30m", None, "scheduled"),
        (datetime(2026, 6, 1, 22, 0), None, "scheduled"),  # noqa: DTZ001
        (
            datetime(2026, 6, 1, 22, 0),  # noqa: DTZ001
            datetime(2026, 6, 2, 5, 0),  # noqa: DTZ001
            "scheduled",
        ),
    ],
)
async def test_when(
    sandbox: Sandbox,
    client: AmpsClient,
    start: datetime | str | None,
    end: datetime | None,
    state: str,
) -> None:
    device = await the_battery(client)
    action = await client.async_push(
        device, check_push(device, Push(command="idle", start=start, end=end))
    )
    assert action.state == state
    if start == "30m":
        assert action.start == sandbox.clock.now() + timedelta(minutes=30)
    elif start is not None:
        # The plant is in Berlin, two hours ahead of UTC.
        assert action.start == datetime.fromisoformat("2026-06-01T20:00:00Z")
    if end is not None:
        assert action.end == datetime.fromisoformat("2026-06-02T03:00:00Z")


async def test_conflicts(sandbox: Sandbox, client: AmpsClient) -> None:
    device = await the_battery(client)
    waiting = await client.async_push(device, Push(command="idle", start="30m"))
    with pytest.raises(AmpsConflictError) as caught:
        await client.async_push(device, Push(command="charge"))
    assert caught.value.conflicting_action_ids == (waiting.id,)
    assert caught.value.strategies == ("cancel_and_replace", "queue_after")
    flying = await client.async_push(
        device, Push(command="charge", on_conflict="cancel_and_replace")
    )
    assert (await client.async_get_action(waiting.id)).state == "cancelled"
    with pytest.raises(AmpsConflictError) as caught:
        await client.async_push(device, Push(command="idle"))
    assert caught.value.conflicting_action_ids == (flying.id,)
    assert caught.value.strategies == ()


@classic_home
async def test_conflicts_of_older_devices(sandbox: Sandbox, client: AmpsClient) -> None:
    device = await client.async_get_device(
        DeviceType.EV_CHARGER, IDS[DeviceType.EV_CHARGER]
    )
    async with aiohttp.ClientSession() as other:
        reply = await other.post(
            f"{sandbox.url}/ev-charger/{device.id}",
            json={"action": "stop_charging", "start": "30m"},
            headers={"x-api-key": TEST_KEY},
        )
        assert reply.status == 202
    with pytest.raises(AmpsConflictError):
        await client.async_push(device, Push(command="charge"))
    action = await client.async_push(
        device, Push(command="charge", on_conflict="cancel_and_replace")
    )
    assert action.state == "acknowledged"


async def test_settings(sandbox: Sandbox, client: AmpsClient) -> None:
    device = await the_battery(client)
    values = {"discharge_floor": 20, "export_limit": 2500.5}
    updated = await client.async_update_settings(device, values)
    assert set(updated) == set(values)
    [request] = sandbox.requests.settings(BATTERY)
    assert request.body == {
        "discharge_floor": {"value": 20, "unit": "percent"},
        "export_limit": {"value": 2500.5, "unit": "watts"},
    }
    again = await client.async_get_device(DeviceType.BATTERY, BATTERY, known=device)
    assert again.settings is not None
    assert again.settings["discharge_floor"].value == 20
    assert not await client.async_list_actions()


async def test_refused_settings_are_not_sent(
    sandbox: Sandbox, client: AmpsClient
) -> None:
    device = await the_battery(client)
    with pytest.raises(RequestRefusedError):
        await client.async_update_settings(device, {"discharge_floor": 200})
    assert not sandbox.requests.settings()


@pytest.mark.parametrize(
    "data", [None, {}, [], {"updated": "all"}, {"updated": None}, {"updated": [1]}]
)
async def test_settings_that_tell_nothing(
    sandbox: Sandbox, client: AmpsClient, data: object
) -> None:
    device = await the_battery(client)
    sandbox.faults.add(kind="json", body={"success": True, "data": data})
    assert await client.async_update_settings(device, {"discharge_floor": 20}) == ()


# Actions


async def test_cancel(sandbox: Sandbox, client: AmpsClient) -> None:
    device = await the_battery(client)
    waiting = await client.async_push(device, Push(command="idle", start="30m"))
    assert not waiting.is_final
    cancelled = await client.async_cancel_action(waiting.id)
    assert (cancelled.id, cancelled.state) == (waiting.id, "cancelled")
    assert cancelled.is_final
    assert sandbox.requests[-1].method == "POST"
    assert sandbox.requests[-1].path == f"/actions/{waiting.id}/cancel"
    assert sandbox.requests[-1].body is None
    flying = await client.async_push(device, Push(command="charge"))
    with pytest.raises(AmpsNotCancellableError) as caught:
        await client.async_cancel_action(flying.id)
    assert "'acknowledged'" in caught.value.message


async def test_failed_action(sandbox: Sandbox, client: AmpsClient) -> None:
    device = await the_battery(client)
    sandbox.device(BATTERY).native_scheduler = True
    action = await client.async_push(device, Push(command="idle"))
    sandbox.clock.advance(5)
    ended = await client.async_get_action(action.id)
    assert (ended.state, ended.error_code) == ("failed", "SCHEDULER_ACTIVE")
    assert ended.error_message is not None
    assert ended.is_final


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "an action is not an object"),
        ([], "an action is not an object"),
        ({"state": "completed"}, "an action has no id"),
    ],
)
async def test_no_action_at_all(
    sandbox: Sandbox, client: AmpsClient, data: object, message: str
) -> None:
    device = await the_battery(client)
    sandbox.faults.add(kind="json", body={"success": True, "data": data})
    for request in (
        client.async_get_action("act_1"),
        client.async_cancel_action("act_1"),
    ):
        with pytest.raises(AmpsMalformedReplyError, match=message):
            await request
    # It may have been done all the same.
    with pytest.raises(AmpsUnknownOutcomeError, match=message):
        await client.async_push(device, Push(command="idle"))


@pytest.fixture
async def pushed(sandbox: Sandbox, client: AmpsClient) -> list[str]:
    """Have 60 actions, all over but the last; return their ids, newest first."""
    devices = [
        await client.async_get_device(device_type, IDS[device_type])
        for device_type in (DeviceType.BATTERY, DeviceType.HVAC)
    ]
    ids = []
    for number in range(60):
        sandbox.clock.advance(5)
        action = await client.async_push(devices[number % 2], Push(command="idle"))
        ids.append(action.id)
    sandbox.requests.clear()
    return ids[::-1]


@pytest.mark.parametrize(
    ("limit", "pages"),
    [
        (1, [("0", "1")]),
        (50, [("0", "50")]),
        (55, [("0", "50"), ("50", "5")]),
        (60, [("0", "50"), ("50", "10")]),
        (500, [("0", "50"), ("50", "50")]),
    ],
)
async def test_actions(
    sandbox: Sandbox,
    client: AmpsClient,
    pushed: list[str],
    limit: int,
    pages: list[tuple[str, str]],
) -> None:
    actions = await client.async_list_actions(limit=limit)
    assert [action.id for action in actions] == pushed[:limit]
    assert [
        (request.query["offset"], request.query["limit"])
        for request in sandbox.requests
    ] == pages


async def test_actions_of_one_device_and_state(
    sandbox: Sandbox, client: AmpsClient, pushed: list[str]
) -> None:
    of_one = await client.async_list_actions(device_id=BATTERY)
    assert [action.id for action in of_one] == pushed[1::2]
    assert {action.device_id for action in of_one} == {BATTERY}
    assert sandbox.requests[-1].query == {
        "offset": "0",
        "limit": "50",
        "deviceId": BATTERY,
    }
    open_ones = await client.async_list_actions(state="acknowledged")
    assert [action.id for action in open_ones] == pushed[:1]
    assert sandbox.requests[-1].query["state"] == "acknowledged"
    none = await client.async_list_actions(device_id=BATTERY, state="acknowledged")
    assert none == ()


async def test_actions_that_promise_more(
    sandbox: Sandbox, client: AmpsClient, pushed: list[str]
) -> None:
    sandbox.faults.add(path="/actions", kind="lie_has_more", times=2)
    actions = await client.async_list_actions(limit=500)
    # A list that says it ends is believed: it is the newest that count.
    assert [action.id for action in actions] == pushed[:50]
    actions = await client.async_list_actions(limit=10)
    assert [action.id for action in actions] == pushed[:10]
    assert len(sandbox.requests) == 2


async def test_actions_that_came_meanwhile(
    sandbox: Sandbox, client: AmpsClient, pushed: list[str]
) -> None:
    sandbox.faults.add(path="/actions", kind="shift_items", amount=-3)
    actions = await client.async_list_actions(limit=60)
    # Some came twice, and none is missing.
    assert [action.id for action in actions] == pushed
    assert len(sandbox.requests) == 3


async def test_malformed_actions_are_left_out(
    session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    pages: list[list[Any]] = [
        [None, {"state": "failed"}],
        [{"id": "act_1"}, "act_2"],
    ]

    def answer(request: web.Request) -> web.Response:
        number = len(server.requests) - 1
        return web.json_response(page(pages[number], total=4, more=number == 0))

    async with serve(answer) as server:
        client = AmpsClient(session, TEST_KEY, base_url=server.url)
        actions = await client.async_list_actions()
    assert [action.id for action in actions] == ["act_1"]
    assert "Left out of the actions: an action has no id" in caplog.text


@pytest.mark.parametrize("limit", [1, 50, 120])
async def test_actions_without_end(session: aiohttp.ClientSession, limit: int) -> None:
    body = page([{"id": "act_1"}, None], more=True)
    async with serve(lambda _: web.json_response(body)) as server:
        client = AmpsClient(session, TEST_KEY, base_url=server.url)
        actions = await client.async_list_actions(limit=limit)
    assert len(actions) == 1
    assert len(server.requests) <= 1 + -(-limit // 50)


# Environment and time


@pytest.mark.parametrize(
    ("key", "environment"),
    [
        ("sk_test_x", Environment.SANDBOX),
        ("amps_sk_test_x", Environment.SANDBOX),
        ("sk_sandbox_x", Environment.SANDBOX),
        ("amps_sk_sandbox_x", Environment.SANDBOX),
        ("sk_live_x", Environment.LIVE),
        ("amps_sk_live_x", Environment.LIVE),
        ("something", Environment.LIVE),
        ("", Environment.LIVE),
    ],
)
def test_environment_of_key(key: str, environment: Environment) -> None:
    assert environment_of_key(key) is environment


@pytest.mark.parametrize(
    ("key", "environment"),
    [
        (TEST_KEY, Environment.SANDBOX),
        (LIVE_KEY, Environment.LIVE),
        (f"amps_{TEST_KEY}", Environment.SANDBOX),
        (f"amps_{LIVE_KEY}", Environment.LIVE),
    ],
)
@pytest.mark.parametrize("home", ["home", "classic"])
async def test_environment(
    sandbox: Sandbox,
    session: aiohttp.ClientSession,
    key: str,
    environment: Environment,
) -> None:
    client = AmpsClient(session, key, base_url=sandbox.url)
    assert client.environment is environment
    await client.async_list_devices(DeviceType.BATTERY)
    assert client.environment is environment


async def test_the_api_knows_the_environment_better(
    sandbox: Sandbox, session: aiohttp.ClientSession
) -> None:
    sandbox.add_account("sk_live_odd", environment="sandbox")
    client = AmpsClient(session, "sk_live_odd", base_url=sandbox.url)
    told = [client.environment]
    await client.async_count_devices(DeviceType.BATTERY)
    told.append(client.environment)
    assert told == [Environment.LIVE, Environment.SANDBOX]
    for meta in ({"environment": "staging"}, {"environment": None}, {}, None, "x"):
        sandbox.faults.add(kind="json", times=1, body=page([]) | {"meta": meta})
        await client.async_count_devices(DeviceType.BATTERY)
        assert client.environment is Environment.SANDBOX


@classic_home
async def test_bare_lists_and_reads(sandbox: Sandbox, client: AmpsClient) -> None:
    for device_type in DeviceType:
        listing = await client.async_list_devices(device_type)
        assert list(listing.devices) == [IDS[device_type]]
        assert listing.complete
        read = await client.async_get_device(device_type, IDS[device_type])
        assert read.is_older
    assert sandbox.requests.total == 2 * len(DeviceType)


def seconds_apart(client: AmpsClient, sandbox: Sandbox) -> float:
    """Return how far the client's idea of the time is off."""
    return abs((client.clock.now() - sandbox.clock.now()).total_seconds())


async def test_now_follows_the_server(sandbox: Sandbox, client: AmpsClient) -> None:
    for hours in (0, 5, -48):
        sandbox.clock.advance(hours * 3600)
        await client.async_count_devices(DeviceType.BATTERY)
        assert seconds_apart(client, sandbox) < 300
        assert client.clock.now().tzinfo is not None
    for timestamp in ("yesterday", None, 5, "9999-12-31T23:59:59.999Z"):
        body = page([]) | {"meta": {"timestamp": timestamp}}
        sandbox.faults.add(kind="json", times=1, body=body)
        await client.async_count_devices(DeviceType.BATTERY)
        assert seconds_apart(client, sandbox) < 300


@classic_home
async def test_now_without_a_word_of_the_server(
    sandbox: Sandbox, client: AmpsClient
) -> None:
    before = client.clock.now()
    await client.async_count_devices(DeviceType.BATTERY)
    assert timedelta() <= client.clock.now() - before < timedelta(seconds=60)


# What goes along


async def test_headers(session: aiohttp.ClientSession) -> None:
    async with serve(lambda _: web.json_response(page([]))) as server:
        client = AmpsClient(session, TEST_KEY, base_url=f"{server.url}/")
        await client.async_list_devices(DeviceType.BATTERY)
    [request] = server.requests
    assert request.headers["x-api-key"] == TEST_KEY
    assert request.headers["Accept"] == "application/json"
    assert "Content-Type" not in request.headers
    assert request.raw_path == "/battery?offset=0&limit=50"
    assert not session.closed


async def test_a_user_id_is_quoted(session: aiohttp.ClientSession) -> None:
    async with serve(lambda _: web.json_response(page([]))) as server:
        client = AmpsClient(
            session, TEST_KEY, user_id="a&limit=1#+%@x", base_url=server.url
        )
        await client.async_list_devices(DeviceType.BATTERY)
    [request] = server.requests
    assert request.query["userId"] == "a&limit=1#+%@x"
    assert request.query.getall("limit") == ["50"]


def test_addresses() -> None:
    assert API_URL == "https://api.amps.ai"
    assert LINK_URL == "https://auth.amps.ai"
    assert FIXTURES.is_dir()


@pytest.mark.parametrize(
    ("environment", "options", "address"),
    [
        (Environment.LIVE, {}, "https://auth.amps.ai/app_1"),
        (Environment.SANDBOX, {}, "https://auth.amps.ai/app_1?sandbox=true"),
        *(
            (
                Environment.LIVE,
                {"device_type": device_type},
                f"https://auth.amps.ai/app_1?deviceType={device_type.value}",
            )
            for device_type in DeviceType
        ),
        (
            Environment.LIVE,
            {"external_user_ref": "anna+home@example.org"},
            "https://auth.amps.ai/app_1?externalUserRef=anna%2Bhome%40example.org",
        ),
        (
            Environment.LIVE,
            {"skip_device_selection": True},
            "https://auth.amps.ai/app_1?skipDeviceSelection=true",
        ),
        (
            Environment.LIVE,
            {"max_devices": 100},
            "https://auth.amps.ai/app_1?maxDevices=100",
        ),
        (
            Environment.LIVE,
            {"base_url": "http://127.0.0.1:8000/link/"},
            "http://127.0.0.1:8000/link/app_1",
        ),
        (
            Environment.SANDBOX,
            {
                "device_type": DeviceType.EV_CHARGER,
                "external_user_ref": "anna@example.org",
                "skip_device_selection": True,
                "max_devices": 1,
                "base_url": "https://link.example",
            },
            (
                "https://link.example/app_1?sandbox=true&deviceType=ev_charger"
                "&externalUserRef=anna%40example.org"
                "&skipDeviceSelection=true&maxDevices=1"
            ),
        ),
    ],
)
def test_link_url(
    environment: Environment, options: dict[str, Any], address: str
) -> None:
    assert link_url("app_1", environment, **options) == address


def test_an_app_id_stays_in_its_place() -> None:
    assert (
        link_url("../a b?c#d", Environment.LIVE)
        == "https://auth.amps.ai/..%2Fa%20b%3Fc%23d"
    )


async def test_the_link_page_is_there(
    sandbox: Sandbox, session: aiohttp.ClientSession
) -> None:
    address = link_url(
        "app_demo",
        Environment.SANDBOX,
        base_url=f"{sandbox.url}/link",
        device_type=DeviceType.HVAC,
        external_user_ref="anna@example.org",
        max_devices=3,
    )
    async with session.get(address) as response:
        assert response.status == 200
        assert "anna@example.org" in await response.text()


@pytest.mark.parametrize(
    ("typed", "app_id"),
    [
        ("app_1", "app_1"),
        ("  app_1\n", "app_1"),
        ('"app_1"', "app_1"),
        ("“app_1”", "app_1"),
        ("\ufeffapp\u200b_1", "app_1"),
        ("https://auth.amps.ai/app_1", "app_1"),
        ("<https://auth.amps.ai/app_1/?sandbox=true>", "app_1"),
        ("https://auth.amps.ai/", None),
        ("https://[auth/app_1", None),
        ("https://auth.amps.ai/a/b", None),
        ("app 1", None),
        ("", None),
        ("''", None),
    ],
)
def test_an_app_id_as_people_paste_it(typed: str, app_id: str | None) -> None:
    assert clean_app_id(typed) == app_id


@pytest.mark.parametrize(
    ("user_id", "can_be_named"),
    [
        ("anna@example.org", True),
        ("Anna.B+home@mail.example.org", True),
        (f"{'a' * 88}@example.org", True),
        (f"{'a' * 89}@example.org", False),
        ("user_abc123", False),
        ("anna@example", False),
        ("anna @example.org", False),
        ("a..b@example.org", False),
        ("anna@-example.org", False),
        ("", False),
        (None, False),
    ],
)
def test_who_can_be_named_to_the_link_ui(
    user_id: str | None, can_be_named: bool
) -> None:
    assert external_user_ref(user_id) == (user_id if can_be_named else None)


async def test_actions_of_a_user_and_a_type(session: aiohttp.ClientSession) -> None:
    async with serve(lambda _: web.json_response(page([]))) as server:
        client = AmpsClient(session, TEST_KEY, base_url=server.url)
        # An empty page is what a device of somebody else is answered with.
        assert not await client.async_list_actions(
            user_id="user_abc123", device_type=DeviceType.EV_CHARGER, state="scheduled"
        )
    [request] = server.requests
    assert dict(request.query) == {
        "offset": "0",
        "limit": "50",
        "deviceType": "ev_charger",
        "userId": "user_abc123",
        "state": "scheduled",
    }


@pytest.mark.parametrize(
    "form",
    [
        "Anna@Example.org",
        "anna@example.org",
        "ANNA@EXAMPLE.ORG",
        "Anna%40Example.org",
        "anna%40example.org",
    ],
)
async def test_a_user_is_told_in_no_form(
    session: aiohttp.ClientSession, form: str
) -> None:
    client = AmpsClient(session, TEST_KEY, user_id="Anna@Example.org")
    assert client.scrub(f"no {form} here") == "no **REDACTED** here"
    assert AmpsClient(session, "").scrub("nothing to hide") == "nothing to hide"
