"""Devices whose manufacturer refuses the stored log-in."""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
import json
import time
from typing import Any
from unittest.mock import patch

from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.const import (
    CONF_API_KEY,
    CONF_WEBHOOK_ID,
    EVENT_HOMEASSISTANT_FINAL_WRITE,
    STATE_UNAVAILABLE,
)
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.amps_ai.common.const import (
    CONF_APP_ID,
    CONF_FRESHNESS,
    CONF_USER_ID,
    CONF_WEBHOOK,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
    EVENT_LINK,
)
from sandbox import TEST_KEY, Sandbox
from sandbox.webhooks import headers_of

from .conftest import APP_ID, Pass
from .helpers import done, registered, set_up

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
HVAC = "device_hvac_001"
VEHICLE = "device_vehicle_001"
LINK = f"link_{BATTERY}"
NAME = "Powerwall 2"
LEVEL = "sensor.powerwall_2_battery"
SELECT = "select.powerwall_2_mode"
RESERVE = "number.powerwall_2_safety_reserve"
REFRESH = "button.powerwall_2_refresh"

WEBHOOK_ID = "0123456789abcdef" * 4
SECRET = "whsec_" + b64encode(b"a secret of twenty-four.").decode()
RELINK = "https://auth.amps.ai/app_demo?reconnect=true&token=abc"
CODES = [
    "INVALID_CREDENTIALS",
    "INVALID_API_KEY",
    "EXPIRED_TOKEN",
    "MFA_REQUIRED",
    "INVALID_MFA_CODE",
    "ACCOUNT_LOCKED",
    "UNSUPPORTED_CREDENTIAL_TYPE",
    "UNSUPPORTED_AUTH_PATH",
    # A 404, and the device is not gone.
    "CREDENTIAL_NOT_FOUND",
]


pytestmark = pytest.mark.usefixtures("stopped_clock")


@pytest.fixture(autouse=True)
def quick() -> Generator[None]:
    """Ask for actions often, and send sliders at once."""
    with (
        patch("custom_components.amps_ai.pushes.following._POLLS", (0.02,)),
        patch("custom_components.amps_ai.pushes.manager.REST", 0),
    ):
        yield


@pytest.fixture
def links(hass: HomeAssistant) -> list[Event[Any]]:
    """Return what is told of links."""
    return async_capture_events(hass, EVENT_LINK)


def _issue(hass: HomeAssistant, issue_id: str = LINK) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, issue_id)


def _issues(hass: HomeAssistant) -> set[str]:
    return {
        issue_id for domain, issue_id in ir.async_get(hass).issues if domain == DOMAIN
    }


def _told(events: list[Event[Any]]) -> list[tuple[str, str]]:
    """Return the devices that were told of, and what."""
    return [(event.data["device_id"], event.data["state"]) for event in events]


def _has_reauth(hass: HomeAssistant) -> bool:
    return any(
        flow["context"]["source"] == SOURCE_REAUTH
        for flow in hass.config_entries.flow.async_progress()
    )


def _account_link(sandbox: Sandbox, device_type: str = "battery") -> str:
    more = f"deviceType={device_type}&maxDevices=1"
    return f"{sandbox.url}/link/app_demo?sandbox=true&{more}"


def _stored(hass_storage: dict[str, Any], entry: MockConfigEntry) -> Any:
    """Return what is written down of links, by device."""
    stored = hass_storage.get(f"amps_ai.links.{entry.entry_id}")
    return None if stored is None else stored["data"]["links"]


async def _call(hass: HomeAssistant, domain: str, service: str, **data: Any) -> None:
    await hass.services.async_call(domain, service, data, blocking=True)


async def _press(hass: HomeAssistant) -> None:
    await _call(hass, "button", "press", entity_id=REFRESH)


async def _refused(hass: HomeAssistant, sandbox: Sandbox) -> None:
    """Have the manufacturer refuse, and find out."""
    sandbox.device(BATTERY).credentials_refused = True
    with pytest.raises(HomeAssistantError):
        await _press(hass)
    await done(hass)


async def _restart(
    hass: HomeAssistant, entry: MockConfigEntry, *, off: float = 0, sandbox: Sandbox
) -> None:
    """Unload and set up again, as a restart does, with what was written down."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    await done(hass)
    registry = ir.async_get(hass)
    for domain, issue_id in tuple(registry.issues):
        registry.async_delete(domain, issue_id)
    sandbox.clock.advance(off)
    await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)


# How it is found out.


async def _by_refresh(hass: HomeAssistant, pass_time: Pass) -> None:
    with pytest.raises(HomeAssistantError) as raised:
        await _press(hass)
    assert raised.value.translation_key == "device_credentials"
    assert NAME in str(raised.value)


async def _by_planner(hass: HomeAssistant, pass_time: Pass) -> None:
    await pass_time(960)


async def _by_tap(hass: HomeAssistant, pass_time: Pass) -> None:
    with pytest.raises(HomeAssistantError) as raised:
        await _call(hass, "select", "select_option", entity_id=SELECT, option="charge")
    assert raised.value.translation_key == "device_credentials"


async def _by_slider(hass: HomeAssistant, pass_time: Pass) -> None:
    with pytest.raises(HomeAssistantError) as raised:
        await _call(hass, "number", "set_value", entity_id=RESERVE, value=33)
    assert raised.value.translation_key == "device_credentials"


async def _by_command(hass: HomeAssistant, pass_time: Pass) -> None:
    with pytest.raises(HomeAssistantError) as raised:
        await hass.services.async_call(
            DOMAIN,
            "send_command",
            {"device_id": registered(hass, BATTERY), "command": "charge"},
            blocking=True,
            return_response=True,
        )
    assert raised.value.translation_key == "device_credentials"


async def _by_settings(hass: HomeAssistant, pass_time: Pass) -> None:
    with pytest.raises(HomeAssistantError) as raised:
        await hass.services.async_call(
            DOMAIN,
            "update_settings",
            {
                "device_id": registered(hass, BATTERY),
                "settings": {"safety_reserve": 33},
            },
            blocking=True,
            return_response=True,
        )
    assert raised.value.translation_key == "device_credentials"


WAYS: list[Callable[[HomeAssistant, Pass], Awaitable[None]]] = [
    _by_refresh,
    _by_planner,
    _by_tap,
    _by_slider,
    _by_command,
    _by_settings,
]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("find_out", WAYS)
async def test_refused(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    links: list[Event[Any]],
    find_out: Callable[[HomeAssistant, Pass], Awaitable[None]],
    code: str,
) -> None:
    """However it comes out and however it is said: one repair, told once."""
    sandbox.device(BATTERY).credentials_refused = code
    await find_out(hass, pass_time)
    await done(hass)
    assert _issues(hass) == {LINK}
    issue = _issue(hass)
    assert issue is not None
    assert issue.translation_key == "device_disconnected"
    assert issue.translation_placeholders == {
        "device": NAME,
        "url": _account_link(sandbox),
    }
    assert issue.learn_more_url == _account_link(sandbox)
    assert not issue.is_fixable
    assert not issue.is_persistent
    assert _told(links) == [(registered(hass, BATTERY), "lost")]
    # The key is fine, and so are the other devices.
    assert loaded.state is ConfigEntryState.LOADED
    assert not _has_reauth(hass)
    for state in hass.states.async_all():
        assert state.state != STATE_UNAVAILABLE, state.entity_id
    # Refused once more, nothing more is told.
    with pytest.raises(HomeAssistantError):
        await _press(hass)
    await done(hass)
    assert len(links) == 1
    assert _issues(hass) == {LINK}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("quickly", [True, False])
async def test_action_fails_for_it(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    links: list[Event[Any]],
    code: str,
    quickly: bool,
) -> None:
    """A command that is taken, and fails because of the log-in, says so as well."""
    sandbox.action_seconds = 0 if quickly else 20
    sandbox.device(BATTERY).next_action("failed", code=code)
    tap = _call(hass, "select", "select_option", entity_id=SELECT, option="charge")
    if quickly:
        with pytest.raises(HomeAssistantError) as raised:
            await tap
        assert raised.value.translation_key == "action_failed"
    else:
        with patch("custom_components.amps_ai.pushes.order.CONTROL_WAIT", 0.1):
            await tap
        assert not links
        sandbox.clock.advance(30)
    await done(hass)
    assert _told(links)[:1] == [(registered(hass, BATTERY), "lost")]
    assert not _has_reauth(hass)
    # The device itself answers, so a reading that is later takes it back.
    await pass_time(75)
    await _press(hass)
    await done(hass)
    assert _issues(hass) == set()
    assert _told(links) == [
        (registered(hass, BATTERY), "lost"),
        (registered(hass, BATTERY), "restored"),
    ]


@pytest.mark.parametrize(
    "fault",
    [
        {"code": "UNAUTHORIZED"},
        {"kind": "html", "status": 401},
        {"kind": "html", "status": 403},
        {"kind": "empty", "status": 403},
        {"code": "INSUFFICIENT_PERMISSIONS"},
        {"code": "DEVICE_OFFLINE"},
        {"code": "RATE_LIMITED"},
        {"code": "INTERNAL_ERROR"},
        {"kind": "drop"},
    ],
)
async def test_other_trouble(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    links: list[Event[Any]],
    fault: dict[str, Any],
) -> None:
    """Nobody is sent to link a device again for what that does not mend."""
    sandbox.faults.add(path=f"/battery/{BATTERY}", **fault)
    with pytest.raises(HomeAssistantError):
        await _press(hass)
    await done(hass)
    assert _issues(hass) == set()
    assert not links
    assert not _has_reauth(hass)


@pytest.mark.parametrize(
    ("device_id", "entity_id"),
    [
        (CHARGER, "button.pulsar_plus_refresh"),
        (HVAC, "button.smart_thermostat_premium_refresh"),
        ("device_inverter_001", "button.se5000h_refresh"),
        (VEHICLE, "button.ix3_refresh"),
    ],
)
async def test_every_type(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    links: list[Event[Any]],
    device_id: str,
    entity_id: str,
) -> None:
    sandbox.device(device_id).credentials_refused = True
    with pytest.raises(HomeAssistantError):
        await _call(hass, "button", "press", entity_id=entity_id)
    await done(hass)
    assert _issues(hass) == {f"link_{device_id}"}
    assert _told(links) == [(registered(hass, device_id), "lost")]


async def test_each_device_has_its_own(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """Two that are refused are two repairs, and go one by one."""
    sandbox.device(BATTERY).credentials_refused = True
    sandbox.device(VEHICLE).credentials_refused = "MFA_REQUIRED"
    await pass_time(1020)
    assert _issues(hass) == {LINK, f"link_{VEHICLE}"}
    sandbox.device(VEHICLE).credentials_refused = None
    await pass_time(1020)
    assert _issues(hass) == {LINK}
    sandbox.device(BATTERY).credentials_refused = None
    await pass_time(1020)
    assert _issues(hass) == set()


async def test_called_as_the_person_does(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox
) -> None:
    dr.async_get(hass).async_update_device(
        registered(hass, BATTERY), name_by_user="Cellar"
    )
    await _refused(hass, sandbox)
    issue = _issue(hass)
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["device"] == "Cellar"


# How it ends.


async def test_gone_by_itself(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    links: list[Event[Any]],
) -> None:
    """Linked again, the next reading takes the question back, and tells it once."""
    await _refused(hass, sandbox)
    await pass_time(1900)
    # Lists go on to tell what was last captured, which proves nothing.
    assert sandbox.requests.lists()
    assert _issues(hass) == {LINK}
    assert len(links) == 1
    sandbox.device(BATTERY).credentials_refused = None
    await pass_time(915)
    assert _issues(hass) == set()
    await pass_time(1800)
    assert _told(links) == [
        (registered(hass, BATTERY), "lost"),
        (registered(hass, BATTERY), "restored"),
    ]
    assert not _has_reauth(hass)


async def test_lost_once_more(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    links: list[Event[Any]],
) -> None:
    """Each loss is told, and each return."""
    for _ in range(2):
        await _refused(hass, sandbox)
        assert _issues(hass) == {LINK}
        await pass_time(75)
        sandbox.device(BATTERY).credentials_refused = None
        await _press(hass)
        await done(hass)
        assert _issues(hass) == set()
        await pass_time(75)
    assert [state for _, state in _told(links)] == ["lost", "restored"] * 2


async def test_list_that_was_captured_later(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    links: list[Event[Any]],
) -> None:
    """A reading is a reading, whoever asked the manufacturer for it."""
    await _refused(hass, sandbox)
    await pass_time(60)
    sandbox.device(BATTERY).credentials_refused = None
    sandbox.device(BATTERY).capture()
    reads = len(sandbox.requests.reads(BATTERY))
    await pass_time(75)
    assert len(sandbox.requests.reads(BATTERY)) == reads
    assert _issues(hass) == set()
    assert [state for _, state in _told(links)] == ["lost", "restored"]


async def test_last_known_state_proves_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    await _refused(hass, sandbox)
    sandbox.device(BATTERY).credentials_refused = None
    sandbox.device(BATTERY).transient_fault = True
    await pass_time(1000)
    assert _issues(hass) == {LINK}
    sandbox.device(BATTERY).transient_fault = None
    await pass_time(1000)
    assert _issues(hass) == set()


# Over reloads and restarts.


async def test_over_a_reload(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    links: list[Event[Any]],
) -> None:
    await _refused(hass, sandbox)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert _issues(hass) == {LINK}
    assert len(links) == 1


async def test_over_a_restart(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    links: list[Event[Any]],
) -> None:
    """What is not mended is asked for again; it is no news, and its end is."""
    await _refused(hass, sandbox)
    await _restart(hass, loaded, sandbox=sandbox)
    issue = _issue(hass)
    assert issue is not None
    assert issue.learn_more_url == _account_link(sandbox)
    assert len(links) == 1
    sandbox.device(BATTERY).credentials_refused = None
    await pass_time(960)
    assert _issues(hass) == set()
    assert [state for _, state in _told(links)] == ["lost", "restored"]


async def test_mended_while_off(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    links: list[Event[Any]],
) -> None:
    """Linked again while Home Assistant was off, it is told at the start."""
    await _refused(hass, sandbox)
    sandbox.device(BATTERY).credentials_refused = None
    freezer.tick(3600)
    await _restart(hass, loaded, sandbox=sandbox, off=3600)
    assert _issues(hass) == set()
    assert [state for _, state in _told(links)] == ["lost", "restored"]
    # It is not told once more.
    await _restart(hass, loaded, sandbox=sandbox)
    assert len(links) == 2


async def test_list_fails_at_the_restart(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    links: list[Event[Any]],
) -> None:
    """A device that is there only later is asked about then."""
    await _refused(hass, sandbox)
    fault = sandbox.faults.add(path="/battery", code="INTERNAL_ERROR")
    await _restart(hass, loaded, sandbox=sandbox)
    assert loaded.state is ConfigEntryState.LOADED
    assert _issues(hass) == set()
    sandbox.faults.remove(fault)
    await pass_time(960)
    assert _issues(hass) == {LINK}
    sandbox.device(BATTERY).credentials_refused = None
    await pass_time(960)
    assert _issues(hass) == set()
    assert [state for _, state in _told(links)] == ["lost", "restored"]


async def test_written_down_when_home_assistant_stops(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_storage: dict[str, Any],
) -> None:
    """Nobody unloads an entry when Home Assistant stops."""
    await _refused(hass, sandbox)
    assert _stored(hass_storage, loaded) is None
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await done(hass)
    assert set(_stored(hass_storage, loaded)) == {BATTERY}
    assert _stored(hass_storage, loaded)[BATTERY]["connected"] is False


@pytest.mark.parametrize(
    "links_stored",
    [
        None,
        [],
        "nonsense",
        {BATTERY: None},
        {BATTERY: {"at": "yesterday", "connected": False}},
        {BATTERY: {"connected": False}},
        {"": {"at": "2026-06-01T11:00:00+00:00", "connected": False}},
        {"somebody_elses": {"at": "2026-06-01T11:00:00+00:00", "connected": False}},
    ],
)
async def test_memory_that_cannot_be_read(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    links_stored: Any,
) -> None:
    """What is no memory of one of our devices keeps nobody from anything."""
    hass_storage[f"amps_ai.links.{entry.entry_id}"] = {
        "version": 1,
        "minor_version": 1,
        "key": f"amps_ai.links.{entry.entry_id}",
        "data": {"links": links_stored},
    }
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    assert entry.state is ConfigEntryState.LOADED
    assert _issues(hass) == set()


# At set-up.


async def test_refused_at_the_very_first_read(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    links: list[Event[Any]],
    pass_time: Pass,
) -> None:
    """A device that was never read is told of as any other, with its id."""
    sandbox.device(BATTERY).credentials_refused = True
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    assert entry.state is ConfigEntryState.LOADED
    assert _issues(hass) == {LINK}
    assert _told(links) == [(registered(hass, BATTERY), "lost")]
    assert hass.states.get(LEVEL) is not None
    sandbox.device(BATTERY).credentials_refused = None
    await pass_time(960)
    assert _issues(hass) == set()
    assert hass.states.get(RESERVE) is not None


async def test_refused_at_the_first_read_of_a_new_device(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    links: list[Event[Any]],
    pass_time: Pass,
) -> None:
    sandbox.home.add_device("battery", device_id="late").credentials_refused = True
    await pass_time(90)
    assert _issues(hass) == {"link_late"}
    assert _told(links) == [(registered(hass, "late"), "lost")]


# With the device, with the entry.


async def test_removed_with_the_device(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    hass_storage: dict[str, Any],
    links: list[Event[Any]],
) -> None:
    """A device that is gone for good takes question and memory along."""
    await _refused(hass, sandbox)
    sandbox.home.remove_device(BATTERY)
    await pass_time(1080)
    assert loaded.runtime_data.find(BATTERY) is None
    assert _issues(hass) == set()
    assert loaded.runtime_data.links.lost == []
    await pass_time(15)
    assert not _stored(hass_storage, loaded)
    assert len(links) == 1


async def test_memory_of_a_good_link_goes_with_the_device(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    hass_storage: dict[str, Any],
) -> None:
    """Nothing is kept of devices that are gone, linked again or not."""
    await _refused(hass, sandbox)
    await pass_time(75)
    sandbox.device(BATTERY).credentials_refused = None
    await _press(hass)
    await pass_time(15)
    assert _stored(hass_storage, loaded)[BATTERY]["connected"] is True
    sandbox.home.remove_device(BATTERY)
    await pass_time(1080)
    assert loaded.runtime_data.find(BATTERY) is None
    await pass_time(15)
    assert not _stored(hass_storage, loaded)


async def test_memory_goes_with_a_leftover(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """A device that went while Home Assistant was off is not lost any more."""
    await _refused(hass, sandbox)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    sandbox.home.remove_device(BATTERY)
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await pass_time(1400)
    registry = dr.async_get(hass)
    assert not registry.async_get_device_by_identifier(
        (DOMAIN, BATTERY), loaded.entry_id
    )
    assert _issues(hass) == set()
    assert loaded.runtime_data.links.lost == []


async def test_removed_with_the_entry(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    hass_storage: dict[str, Any],
) -> None:
    await _refused(hass, sandbox)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert _stored(hass_storage, loaded)
    await hass.config_entries.async_remove(loaded.entry_id)
    await done(hass)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await done(hass)
    assert _issues(hass) == set()
    assert _stored(hass_storage, loaded) is None


async def test_entry_switched_off(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    links: list[Event[Any]],
) -> None:
    """Who switches an entry off is not asked for anything, until it is on again."""
    await _refused(hass, sandbox)
    await hass.config_entries.async_set_disabled_by(
        loaded.entry_id, ConfigEntryDisabler.USER
    )
    await done(hass)
    assert _issues(hass) == set()
    await hass.config_entries.async_set_disabled_by(loaded.entry_id, None)
    await done(hass)
    assert _issues(hass) == {LINK}
    assert [state for _, state in _told(links)] == ["lost"]


# Together with webhooks.


@dataclass
class Sender:
    """Send deliveries as the API would."""

    client: TestClient[Any, Any]
    count: int = 0

    @property
    def url(self) -> str:
        """The whole address."""
        return str(self.client.make_url(f"/api/webhook/{WEBHOOK_ID}"))

    async def __call__(self, at: str, url: str | None = None) -> None:
        """Tell that the battery was disconnected, or connected where no URL is."""
        body: dict[str, Any] = {
            "deviceId": BATTERY,
            "deviceType": "battery",
            "timestamp": at,
        }
        if url is not None:
            body["reconnectionUrl"] = url
        raw = json.dumps(body).encode()
        self.count += 1
        headers = headers_of(
            body=raw,
            secrets=[SECRET],
            message_id=f"msg_{self.count}",
            timestamp=int(time.time()),
        )
        async with self.client.post(
            f"/api/webhook/{WEBHOOK_ID}", data=raw, headers=headers
        ) as response:
            assert response.status == 200


@pytest.fixture
async def send(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    hass_client_no_auth: ClientSessionGenerator,
) -> Sender:
    """Switch webhooks on, set the entry up, and return what sends to it."""
    # Captured a while ago, so that what is told of since is news.
    sandbox.device(BATTERY).capture_at(sandbox.clock.time() - 600)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        entry,
        data={
            **entry.data,
            CONF_WEBHOOK_ID: WEBHOOK_ID,
            CONF_WEBHOOK_SECRET: SECRET,
        },
        options={CONF_WEBHOOK: True},
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    return Sender(await hass_client_no_auth())


@pytest.mark.parametrize("order", ["told", "refused"])
@pytest.mark.parametrize("at", ["2026-06-01T11:59:58Z", "2026-06-01T12:01:02Z"])
async def test_address_comes_before_or_after(
    hass: HomeAssistant,
    send: Sender,
    sandbox: Sandbox,
    pass_time: Pass,
    links: list[Event[Any]],
    order: str,
    at: str,
) -> None:
    """Told by a webhook and found out as well: one repair, with the address."""
    await pass_time(60)
    if order == "told":
        await send(at, RELINK)
        await _refused(hass, sandbox)
    else:
        await _refused(hass, sandbox)
        await send(at, RELINK)
    await done(hass)
    issue = _issue(hass)
    assert issue is not None
    assert issue.learn_more_url == RELINK
    assert [state for _, state in _told(links)] == ["lost"]
    # Refused again, the address stays.
    with pytest.raises(HomeAssistantError):
        await _press(hass)
    issue = _issue(hass)
    assert issue is not None
    assert issue.learn_more_url == RELINK
    await pass_time(75)
    sandbox.device(BATTERY).credentials_refused = None
    await _press(hass)
    await done(hass)
    assert _issues(hass) == set()
    assert [state for _, state in _told(links)] == ["lost", "restored"]


async def test_webhook_of_a_loss_before_the_last_reading(
    hass: HomeAssistant,
    send: Sender,
    sandbox: Sandbox,
    pass_time: Pass,
    links: list[Event[Any]],
) -> None:
    """A webhook that is late and older than a reading takes nothing back."""
    await pass_time(120)
    await _press(hass)
    await pass_time(75)
    await _refused(hass, sandbox)
    assert _issues(hass) == {LINK}
    # Lost a minute ago, linked again, read, and lost once more.
    await send("2026-06-01T12:01:00Z", RELINK)
    await done(hass)
    assert _issues(hass) == {LINK}
    assert _told(links) == [(registered(hass, BATTERY), "lost")]
    sandbox.device(BATTERY).credentials_refused = None
    await pass_time(960)
    assert _issues(hass) == set()
    assert [state for _, state in _told(links)] == ["lost", "restored"]


async def test_connection_is_told(
    hass: HomeAssistant,
    send: Sender,
    sandbox: Sandbox,
    pass_time: Pass,
    links: list[Event[Any]],
) -> None:
    """With webhooks, the return is told at once."""
    await _refused(hass, sandbox)
    sandbox.device(BATTERY).credentials_refused = None
    await pass_time(30)
    assert _issues(hass) == {LINK}
    await send("2026-06-01T12:00:30Z")
    await done(hass)
    assert _issues(hass) == set()
    assert [state for _, state in _told(links)] == ["lost", "restored"]


async def test_connection_of_earlier(
    hass: HomeAssistant,
    send: Sender,
    sandbox: Sandbox,
    pass_time: Pass,
    links: list[Event[Any]],
) -> None:
    """A late webhook of an old connection cannot end a refusal that is newer."""
    await pass_time(60)
    await _refused(hass, sandbox)
    await send("2026-06-01T11:30:00Z")
    await done(hass)
    assert _issues(hass) == {LINK}
    assert [state for _, state in _told(links)] == ["lost"]


async def test_disconnection_without_an_address_after_the_refusal(
    hass: HomeAssistant,
    send: Sender,
    sandbox: Sandbox,
    pass_time: Pass,
    links: list[Event[Any]],
) -> None:
    """Such a body looks like a connection; the device is asked, and is not linked."""
    await _refused(hass, sandbox)
    await pass_time(5)
    await send("2026-06-01T12:00:03Z")
    await done(hass)
    assert _issues(hass) == {LINK}
    issue = _issue(hass)
    assert issue is not None
    assert issue.learn_more_url == _account_link(sandbox)
    assert [state for _, state in _told(links)] == ["lost"]


@pytest.mark.parametrize("relink", [True, False])
@pytest.mark.parametrize("webhooks", [True, False])
async def test_a_whole_round(
    hass: HomeAssistant,
    send: Sender,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    links: list[Event[Any]],
    webhooks: bool,
    relink: bool,
) -> None:
    """As the sandbox tells it, or does not: lost, restarted, linked again."""
    sandbox.webhooks.now = time.time
    sandbox.webhooks.relink = relink
    if webhooks:
        sandbox.webhooks.add(send.url, SECRET)
    sandbox.device(BATTERY).credentials_refused = "ACCOUNT_LOCKED"
    await sandbox.webhooks.settled()
    await pass_time(960)
    assert _issues(hass) == {LINK}
    issue = _issue(hass)
    assert issue is not None
    said = issue.learn_more_url or ""
    assert ("token=" in said) is (webhooks and relink)
    assert said.startswith(f"{sandbox.url}/link/app_demo?")
    await _restart(hass, entry, sandbox=sandbox)
    issue = _issue(hass)
    assert issue is not None
    assert issue.learn_more_url == said
    sandbox.device(BATTERY).credentials_refused = None
    await sandbox.webhooks.settled()
    await pass_time(960)
    assert _issues(hass) == set()
    assert [state for _, state in _told(links)] == ["lost", "restored"]
    assert not _has_reauth(hass)


async def test_freshness_asks_no_oftener_for_it(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """A device that is refused is asked for as seldom as any other."""
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={CONF_FRESHNESS: "fast"})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    sandbox.device(BATTERY).credentials_refused = True
    sandbox.requests.clear()
    await pass_time(3600)
    assert _issues(hass) == {LINK}
    assert len(sandbox.requests.reads(BATTERY)) <= 12


# Users that the Link UI cannot be told of.


@pytest.mark.parametrize(
    ("user", "can_link"),
    [
        ("anna@example.org", True),
        ("user_abc123", False),
        (f"{'a' * 89}@example.org", False),
    ],
)
async def test_entry_of_one_user(
    hass: HomeAssistant, sandbox: Sandbox, user: str, can_link: bool
) -> None:
    """Where what is linked would be somebody else's, page and repair say so."""
    battery = sandbox.home.add_device("battery", user=user, device_id="mine")
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Amps AI (sandbox)",
        unique_id=f"sandbox:{APP_ID}:{user}",
        data={CONF_API_KEY: TEST_KEY, CONF_APP_ID: APP_ID, CONF_USER_ID: user},
    )
    battery.credentials_refused = True
    assert await set_up(hass, entry)
    service = entry.runtime_data.account.async_registered(entry.entry_id)
    assert service is not None
    issue = _issue(hass, "link_mine")
    assert issue is not None
    assert issue.learn_more_url is not None
    assert issue.learn_more_url.startswith(f"{sandbox.url}/link/{APP_ID}?")
    assert ("externalUserRef" in issue.learn_more_url) is can_link
    if can_link:
        assert service.model is None
        assert issue.translation_key == "device_disconnected"
    else:
        assert "belongs to somebody else" in (service.model or "")
        assert issue.translation_key == "device_disconnected_user"
