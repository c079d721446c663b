"""What an account may not do: list devices, steer some types, have what is another's."""

from collections.abc import Generator
import logging
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.const import CONF_API_KEY, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.amps_ai.api import DeviceType
from custom_components.amps_ai.common.const import CONF_APP_ID, CONF_USER_ID, DOMAIN
from custom_components.amps_ai.readings.pace import SLOWEST
from sandbox import LIVE_KEY, TEST_KEY, Sandbox

from .conftest import Pass
from .helpers import done, set_up

PATHS = [device_type.path for device_type in DeviceType]
BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
LEVEL = "sensor.powerwall_2_battery"
MODE = "select.powerwall_2_mode"

LIVE = "live_access_disabled"
PERMISSION = "insufficient_permissions"
CODES = [(LIVE.upper(), LIVE), (PERMISSION.upper(), PERMISSION)]


pytestmark = pytest.mark.usefixtures("stopped_clock", "at_once")


async def _restart(hass: HomeAssistant, *entries: MockConfigEntry) -> None:
    """Unload and set up again, as a restart does, which forgets the issues."""
    for entry in entries:
        assert await hass.config_entries.async_unload(entry.entry_id)
    await done(hass)
    registry = ir.async_get(hass)
    for domain, issue_id in tuple(registry.issues):
        registry.async_delete(domain, issue_id)
    for entry in entries:
        await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)


def _issues(hass: HomeAssistant) -> dict[str, ir.IssueEntry]:
    return {
        issue_id: issue
        for (domain, issue_id), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN
    }


def _is_loaded(entry: MockConfigEntry) -> bool:
    return entry.state is ConfigEntryState.LOADED


def _state(hass: HomeAssistant, entity_id: str) -> str:
    state = hass.states.get(entity_id)
    assert state is not None, entity_id
    return state.state


def _has_reauth(hass: HomeAssistant) -> bool:
    return any(
        flow["context"]["source"] == SOURCE_REAUTH
        for flow in hass.config_entries.flow.async_progress()
    )


# Lists that are denied.


@pytest.mark.parametrize(("code", "key"), CODES)
async def test_denied_at_set_up(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    code: str,
    key: str,
) -> None:
    """Nothing may be listed: an issue says what to do, until something may."""
    sandbox.faults.add(code=code)
    assert not await set_up(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert set(_issues(hass)) == {f"{key}_{entry.entry_id}"}
    issue = _issues(hass)[f"{key}_{entry.entry_id}"]
    assert issue.translation_key == key
    assert issue.translation_placeholders == {"title": entry.title}
    assert issue.severity is ir.IssueSeverity.ERROR
    assert not issue.is_fixable
    assert not _has_reauth(hass)
    # It stands over the tries that fail as before.
    await pass_time(120)
    assert set(_issues(hass)) == {f"{key}_{entry.entry_id}"}
    sandbox.faults.clear()
    await pass_time(600)
    assert _is_loaded(entry)
    assert _issues(hass) == {}


async def test_live_access_of_a_real_account(
    hass: HomeAssistant, sandbox: Sandbox, pass_time: Pass
) -> None:
    """As the API says it: a live key of an account that is not enabled for it."""
    account = sandbox.accounts[LIVE_KEY]
    account.live_enabled = False
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Amps AI",
        data={CONF_API_KEY: LIVE_KEY, CONF_APP_ID: "app_demo"},
    )
    assert not await set_up(hass, entry)
    assert set(_issues(hass)) == {f"{LIVE}_{entry.entry_id}"}
    account.live_enabled = True
    await pass_time(60)
    assert _is_loaded(entry)
    assert _issues(hass) == {}
    # Taken away again while it runs: it is told, and values stand for a while.
    account.live_enabled = False
    await pass_time(75)
    assert set(_issues(hass)) == {f"{LIVE}_{entry.entry_id}"}
    assert _state(hass, LEVEL) != STATE_UNAVAILABLE
    await pass_time(360)
    assert _state(hass, LEVEL) == STATE_UNAVAILABLE
    assert not _has_reauth(hass)
    account.live_enabled = True
    await pass_time(75)
    assert _issues(hass) == {}
    assert _state(hass, LEVEL) != STATE_UNAVAILABLE


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("code", "key"), CODES)
async def test_one_type_is_denied(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    path: str,
    code: str,
    key: str,
) -> None:
    """One type that may not be listed is told; the others work, and say nothing."""
    fault = sandbox.faults.add(path=f"/{path}", code=code)
    assert await set_up(hass, entry)
    assert set(_issues(hass)) == {f"{key}_{entry.entry_id}"}
    await pass_time(180)
    assert set(_issues(hass)) == {f"{key}_{entry.entry_id}"}
    # Trouble of another kind does not say that it may be listed now.
    sandbox.faults.remove(fault)
    fault = sandbox.faults.add(path=f"/{path}", code="INTERNAL_ERROR")
    await pass_time(120)
    assert set(_issues(hass)) == {f"{key}_{entry.entry_id}"}
    sandbox.faults.remove(fault)
    await pass_time(75)
    assert _issues(hass) == {}


@pytest.mark.parametrize("paths", [PATHS[:1], PATHS[1:3], PATHS])
@pytest.mark.parametrize(("code", "key"), CODES)
async def test_denied_while_running(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    paths: list[str],
    code: str,
    key: str,
) -> None:
    faults = [sandbox.faults.add(path=f"/{path}", code=code) for path in paths]
    await pass_time(75)
    assert set(_issues(hass)) == {f"{key}_{loaded.entry_id}"}
    assert not _has_reauth(hass)
    # Gone with the last one, and not before.
    for fault in faults:
        assert set(_issues(hass)) == {f"{key}_{loaded.entry_id}"}
        sandbox.faults.remove(fault)
        await pass_time(75)
    assert _issues(hass) == {}


async def test_denied_for_two_reasons(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """Each reason has an issue of its own."""
    sandbox.faults.add(path="/battery", code=LIVE.upper())
    other = sandbox.faults.add(path="/vehicle", code=PERMISSION.upper())
    await pass_time(75)
    assert set(_issues(hass)) == {
        f"{LIVE}_{loaded.entry_id}",
        f"{PERMISSION}_{loaded.entry_id}",
    }
    sandbox.faults.remove(other)
    await pass_time(75)
    assert set(_issues(hass)) == {f"{LIVE}_{loaded.entry_id}"}


async def test_reason_that_changes(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """What is not the reason any more is not told any more."""
    fault = sandbox.faults.add(path="/battery", code=LIVE.upper())
    await pass_time(75)
    sandbox.faults.remove(fault)
    sandbox.faults.add(path="/battery", code=PERMISSION.upper())
    await pass_time(75)
    assert set(_issues(hass)) == {f"{PERMISSION}_{loaded.entry_id}"}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "html", "status": 403},
        {"kind": "empty", "status": 403},
        {"kind": "json", "status": 403, "body": {"message": "Forbidden"}},
        {"kind": "json", "status": 403, "body": {"error": {"message": "Forbidden"}}},
    ],
)
@pytest.mark.parametrize("running", [True, False])
async def test_proxy_says_403(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    fault: dict[str, Any],
    running: bool,
) -> None:
    """What is not the API's own word says nothing of the key."""
    if running:
        assert await set_up(hass, entry)
    sandbox.faults.add(**fault)
    if not running:
        assert not await set_up(hass, entry)
    await pass_time(150)
    assert sandbox.faults.all()[0].hits >= 5
    assert _issues(hass) == {}
    assert not _has_reauth(hass)


async def test_denials_of_one_device_are_no_denials(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, pass_time: Pass
) -> None:
    """A key that may read and not write is told so in words, where it writes."""
    sandbox.accounts[TEST_KEY].permissions = frozenset({"read"})
    with pytest.raises(HomeAssistantError) as raised:
        await hass.services.async_call(
            "select",
            "select_option",
            {"entity_id": MODE, "option": "charge"},
            blocking=True,
        )
    assert raised.value.translation_key == "insufficient_permissions"
    await pass_time(75)
    assert _issues(hass) == {}


@pytest.mark.parametrize(("code", "key"), CODES)
async def test_denied_over_restarts(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    code: str,
    key: str,
) -> None:
    """It is told again after a restart, and after one that mended it, it is not."""
    sandbox.faults.add(path="/battery", code=code)
    await pass_time(75)
    await _restart(hass, loaded)
    assert set(_issues(hass)) == {f"{key}_{loaded.entry_id}"}
    sandbox.faults.clear()
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert _issues(hass) == {}


async def test_each_entry_has_its_own(
    hass: HomeAssistant, sandbox: Sandbox, pass_time: Pass
) -> None:
    """One that is denied says nothing of another, nor does the other's answer."""
    sandbox.accounts[LIVE_KEY].live_enabled = False
    entries = [
        MockConfigEntry(
            domain=DOMAIN,
            title=title,
            unique_id=title,
            data={CONF_API_KEY: key, CONF_APP_ID: "app_demo"},
        )
        for title, key in (("Amps AI", LIVE_KEY), ("Amps AI (sandbox)", TEST_KEY))
    ]
    for entry in entries:
        await set_up(hass, entry)
    await pass_time(75)
    assert set(_issues(hass)) == {f"{LIVE}_{entries[0].entry_id}"}


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize(("code", "key"), CODES)
async def test_denial_goes_with_the_entry(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    code: str,
    key: str,
    running: bool,
) -> None:
    if running:
        assert await set_up(hass, entry)
    sandbox.faults.add(code=code)
    if not running:
        assert not await set_up(hass, entry)
    await pass_time(75)
    assert set(_issues(hass)) == {f"{key}_{entry.entry_id}"}
    await hass.config_entries.async_remove(entry.entry_id)
    await pass_time(75)
    assert _issues(hass) == {}


@pytest.mark.parametrize("running", [True, False])
async def test_denial_of_an_entry_that_is_switched_off(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    running: bool,
) -> None:
    """Who switches an entry off is not asked to mend it."""
    if running:
        assert await set_up(hass, entry)
    sandbox.faults.add(code=LIVE.upper())
    if not running:
        assert not await set_up(hass, entry)
    await pass_time(75)
    assert set(_issues(hass)) == {f"{LIVE}_{entry.entry_id}"}
    await hass.config_entries.async_set_disabled_by(
        entry.entry_id, ConfigEntryDisabler.USER
    )
    await pass_time(75)
    assert _issues(hass) == {}


# Not open yet.


@pytest.fixture
async def live(hass: HomeAssistant, sandbox: Sandbox) -> MockConfigEntry:
    """Set up the live account."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Amps AI",
        unique_id="live:app_demo:*",
        data={CONF_API_KEY: LIVE_KEY, CONF_APP_ID: "app_demo"},
    )
    assert await set_up(hass, entry)
    return entry


PUSHES = [
    ("ev_charger", "switch", "turn_off", "switch.pulsar_plus", {}),
    (
        "hvac",
        "climate",
        "set_temperature",
        "climate.smart_thermostat_premium",
        {"hvac_mode": "heat", "temperature": 21},
    ),
]


def _of(hass: HomeAssistant, entity_id: str) -> str:
    """Return the id that Home Assistant knows an entity's device by."""
    item = er.async_get(hass).async_get(entity_id)
    assert item is not None
    assert item.device_id is not None
    return item.device_id


async def _push(
    hass: HomeAssistant, domain: str, service: str, entity_id: str, data: dict[str, Any]
) -> None:
    await hass.services.async_call(
        domain, service, {"entity_id": entity_id, **data}, blocking=True
    )


@pytest.mark.parametrize(("kind", "domain", "service", "entity_id", "data"), PUSHES)
async def test_not_open_yet(
    hass: HomeAssistant,
    live: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
    kind: str,
    domain: str,
    service: str,
    entity_id: str,
    data: dict[str, Any],
) -> None:
    """A command that the API does not take yet is an error in words, and an issue."""
    before = hass.states.get(entity_id)
    assert before is not None
    with pytest.raises(HomeAssistantError) as raised:
        await _push(hass, domain, service, entity_id, data)
    await done(hass)
    assert raised.value.translation_key == "not_open_yet"
    assert before.name in str(raised.value)
    issue_id = f"not_open_yet_{kind}_{live.entry_id}"
    assert set(_issues(hass)) == {issue_id}
    issue = _issues(hass)[issue_id]
    assert issue.translation_key == f"not_open_yet_{kind}"
    assert issue.translation_placeholders == {"device": before.name}
    assert issue.severity is ir.IssueSeverity.WARNING
    assert not issue.is_fixable
    # Readings go on, and the control shows what is so.
    after = hass.states.get(entity_id)
    assert after is not None
    assert after.state == before.state
    await pass_time(960)
    for state in hass.states.async_all():
        assert state.state != STATE_UNAVAILABLE, state.entity_id
    assert set(_issues(hass)) == {issue_id}
    # Opened meanwhile: the first command that is taken takes it back.
    sandbox.accounts[LIVE_KEY].live_control = True
    await _push(hass, domain, service, entity_id, data)
    await done(hass)
    assert _issues(hass) == {}


async def test_not_open_yet_by_an_action(
    hass: HomeAssistant, live: MockConfigEntry, sandbox: Sandbox
) -> None:
    with pytest.raises(HomeAssistantError) as raised:
        await hass.services.async_call(
            DOMAIN,
            "send_command",
            {"device_id": _of(hass, "switch.pulsar_plus"), "command": "idle"},
            blocking=True,
            return_response=True,
        )
    assert raised.value.translation_key == "not_open_yet"
    assert set(_issues(hass)) == {f"not_open_yet_ev_charger_{live.entry_id}"}


async def test_types_are_told_apart(
    hass: HomeAssistant, live: MockConfigEntry, sandbox: Sandbox
) -> None:
    """What is open for one type says nothing of another."""
    for _, domain, service, entity_id, data in PUSHES:
        with pytest.raises(HomeAssistantError):
            await _push(hass, domain, service, entity_id, data)
    assert len(_issues(hass)) == 2
    await _push(hass, "select", "select_option", MODE, {"option": "charge"})
    await done(hass)
    assert len(_issues(hass)) == 2
    sandbox.accounts[LIVE_KEY].live_control = True
    _, domain, service, entity_id, data = PUSHES[0]
    await _push(hass, domain, service, entity_id, data)
    await done(hass)
    assert set(_issues(hass)) == {f"not_open_yet_hvac_{live.entry_id}"}


async def test_power_cap_is_a_setting(
    hass: HomeAssistant, live: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A setting is no command: it is taken, and says nothing of commands."""
    with patch("custom_components.amps_ai.pushes.manager.REST", 0):
        await _push(
            hass,
            "number",
            "set_value",
            "number.pulsar_plus_maximum_power",
            {"value": 7},
        )
    await done(hass)
    assert _issues(hass) == {}


async def test_batteries_are_open(
    hass: HomeAssistant, live: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A battery that does not take a command is another matter."""
    sandbox.faults.add(method="POST", code="COMMAND_NOT_SUPPORTED", message="No")
    with pytest.raises(HomeAssistantError):
        await _push(hass, "select", "select_option", MODE, {"option": "charge"})
    await done(hass)
    assert _issues(hass) == {}


@pytest.mark.parametrize(("kind", "domain", "service", "entity_id", "data"), PUSHES)
async def test_sandbox_takes_everything(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    kind: str,
    domain: str,
    service: str,
    entity_id: str,
    data: dict[str, Any],
) -> None:
    """In the sandbox, the same refusal is no news of the live accounts."""
    sandbox.faults.add(method="POST", code="COMMAND_NOT_SUPPORTED", message="No")
    with pytest.raises(HomeAssistantError):
        await _push(hass, domain, service, entity_id, data)
    await done(hass)
    assert _issues(hass) == {}


async def test_what_a_device_cannot_do_is_no_news(
    hass: HomeAssistant, live: MockConfigEntry, sandbox: Sandbox
) -> None:
    """A command that the device does not list is refused here, and that is all."""
    with pytest.raises(HomeAssistantError) as raised:
        await hass.services.async_call(
            DOMAIN,
            "send_command",
            {"device_id": _of(hass, "switch.pulsar_plus"), "command": "discharge"},
            blocking=True,
            return_response=True,
        )
    assert raised.value.translation_key == "command_not_supported"
    assert _issues(hass) == {}


@pytest.mark.parametrize("how", ["removed", "switched off"])
async def test_not_open_yet_goes_with_the_entry(
    hass: HomeAssistant, live: MockConfigEntry, how: str
) -> None:
    _, domain, service, entity_id, data = PUSHES[0]
    with pytest.raises(HomeAssistantError):
        await _push(hass, domain, service, entity_id, data)
    if how == "removed":
        await hass.config_entries.async_remove(live.entry_id)
    else:
        await hass.config_entries.async_set_disabled_by(
            live.entry_id, ConfigEntryDisabler.USER
        )
    await done(hass)
    assert _issues(hass) == {}


# Owned elsewhere.


def _mine(title: str, user_id: str | None = None) -> MockConfigEntry:
    data = {CONF_API_KEY: TEST_KEY, CONF_APP_ID: "app_demo"}
    if user_id is not None:
        data[CONF_USER_ID] = user_id
    return MockConfigEntry(domain=DOMAIN, title=title, unique_id=title, data=data)


@pytest.fixture
async def first(hass: HomeAssistant, sandbox: Sandbox) -> MockConfigEntry:
    """Set up the entry that has everything."""
    entry = _mine("First")
    assert await set_up(hass, entry)
    return entry


@pytest.fixture
async def second(hass: HomeAssistant, first: MockConfigEntry) -> MockConfigEntry:
    """Set up an entry that lists the same devices."""
    entry = _mine("Second")
    assert await set_up(hass, entry)
    return entry


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Generator[None]:
    """Hold that Home Assistant has nothing to say against our entities."""
    yield
    for phase in ("setup", "call"):
        for record in caplog.get_records(phase):
            assert "unique ID" not in record.getMessage()
            if record.name.startswith(("homeassistant.helpers", "custom_components")):
                assert record.levelno < logging.ERROR or (
                    record.getMessage().startswith("Error fetching")
                ), record.getMessage()


def _devices(hass: HomeAssistant, entry: MockConfigEntry) -> set[str]:
    """Return the devices of an entry, without the account."""
    return {
        device_id
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
        for domain, device_id in device.identifiers
        if domain == DOMAIN and device_id != entry.entry_id
    }


def _elsewhere(entry: MockConfigEntry, device_ids: set[str]) -> set[str]:
    return {f"owned_elsewhere_{entry.entry_id}_{device_id}" for device_id in device_ids}


def _all(sandbox: Sandbox) -> set[str]:
    return {device.id for device in sandbox.home.devices}


async def test_stays_with_the_first(
    hass: HomeAssistant,
    first: MockConfigEntry,
    second: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """The second leaves out what the first has, and says so, with both names."""
    assert _is_loaded(second)
    for _ in range(2):
        assert _devices(hass, first) == _all(sandbox)
        assert _devices(hass, second) == set()
        assert set(_issues(hass)) == _elsewhere(second, _all(sandbox))
        issue = _issues(hass)[f"owned_elsewhere_{second.entry_id}_{BATTERY}"]
        assert issue.translation_key == "owned_elsewhere"
        assert issue.translation_placeholders == {
            "device": "Powerwall 2",
            "title": "Second",
            "other": "First",
        }
        await pass_time(1300)
    for item in er.async_get(hass).entities.values():
        if item.platform == DOMAIN and not item.unique_id.startswith(second.entry_id):
            assert item.config_entry_id == first.entry_id


async def test_first_is_removed(
    hass: HomeAssistant,
    first: MockConfigEntry,
    second: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """The second takes over, with the names that a person gave."""
    er.async_get(hass).async_update_entity(
        LEVEL, new_entity_id="sensor.cellar", name="Cellar"
    )
    before = {
        item.unique_id: item.entity_id
        for item in er.async_get(hass).entities.values()
        if item.platform == DOMAIN and not item.unique_id.startswith(first.entry_id)
    }
    await hass.config_entries.async_remove(first.entry_id)
    await done(hass)
    await pass_time(660)
    assert _issues(hass) == {}
    assert _devices(hass, second) == _all(sandbox)
    after = {
        item.unique_id: item.entity_id
        for item in er.async_get(hass).entities.values()
        if item.platform == DOMAIN and item.config_entry_id == second.entry_id
    }
    assert {key: after.get(key) for key in before} == before
    assert _state(hass, "sensor.cellar") not in (STATE_UNAVAILABLE, "unknown")
    item = er.async_get(hass).async_get("sensor.cellar")
    assert item is not None
    assert item.name == "Cellar"
    # And everything works there.
    await _push(hass, "select", "select_option", MODE, {"option": "charge"})


async def test_over_restarts(
    hass: HomeAssistant,
    first: MockConfigEntry,
    second: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """Whoever is set up first: what the first has stays with it."""
    for entries in ((first, second), (second, first)):
        await _restart(hass, *entries)
        await pass_time(75)
        assert _devices(hass, first) == _all(sandbox)
        assert _devices(hass, second) == set()
        assert set(_issues(hass)) == _elsewhere(second, _all(sandbox))
        assert _state(hass, LEVEL) != STATE_UNAVAILABLE


async def test_first_is_switched_off(
    hass: HomeAssistant,
    first: MockConfigEntry,
    second: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """An entry that is switched off keeps what is its own."""
    await hass.config_entries.async_set_disabled_by(
        first.entry_id, ConfigEntryDisabler.USER
    )
    await pass_time(660)
    assert _devices(hass, first) == _all(sandbox)
    assert _devices(hass, second) == set()
    assert set(_issues(hass)) == _elsewhere(second, _all(sandbox))
    await _restart(hass, second)
    assert set(_issues(hass)) == _elsewhere(second, _all(sandbox))
    await hass.config_entries.async_set_disabled_by(first.entry_id, None)
    await pass_time(75)
    assert _state(hass, LEVEL) != STATE_UNAVAILABLE
    assert _devices(hass, second) == set()


async def test_second_is_removed(
    hass: HomeAssistant, first: MockConfigEntry, second: MockConfigEntry
) -> None:
    assert _issues(hass)
    await hass.config_entries.async_remove(second.entry_id)
    await done(hass)
    assert _issues(hass) == {}
    assert _state(hass, LEVEL) != STATE_UNAVAILABLE


async def test_second_does_not_list_it_any_more(
    hass: HomeAssistant, sandbox: Sandbox, pass_time: Pass
) -> None:
    """What only one lists is nobody's question."""
    first, second = _mine("First"), _mine("Second", "user_abc123")
    assert await set_up(hass, first)
    assert await set_up(hass, second)
    assert set(_issues(hass)) == _elsewhere(second, _all(sandbox))
    sandbox.device(BATTERY).user = "somebody_else"
    await pass_time(660)
    assert set(_issues(hass)) == _elsewhere(second, _all(sandbox) - {BATTERY})


async def test_moved_by_hand(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """A device that moves from one user to another, with a person's help."""
    assert await async_setup_component(hass, "config", {})
    first, second = _mine("First", "user_abc123"), _mine("Second", "user_b")
    sandbox.home.add_device("battery", device_id="of_b", user="user_b")
    for entry in (first, second):
        assert await set_up(hass, entry)
    assert _issues(hass) == {}
    registered = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, BATTERY), first.entry_id
    )
    assert registered is not None
    remove = {"type": "config/device_registry/remove", "device_id": registered.id}
    # As long as the first has it, it cannot be removed.
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(remove)
    assert not (await client.receive_json())["success"]

    sandbox.device(BATTERY).user = "user_b"
    await pass_time(300)
    assert set(_issues(hass)) == _elsewhere(second, {BATTERY})
    assert _devices(hass, second) == {"of_b"}
    assert _state(hass, LEVEL) == STATE_UNAVAILABLE
    # The line of before has not outlived the time that passed.
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(remove)
    assert (await client.receive_json())["success"]
    await pass_time(SLOWEST.total_seconds() + 15)
    assert _issues(hass) == {}
    assert BATTERY not in _devices(hass, first)
    assert _devices(hass, second) == {"of_b", BATTERY}
    assert _state(hass, LEVEL) not in (STATE_UNAVAILABLE, "unknown")
    # It stays there.
    await _restart(hass, first, second)
    assert _issues(hass) == {}
    assert _devices(hass, second) == {"of_b", BATTERY}


@pytest.mark.parametrize("home", ["empty"])
async def test_new_device_in_both(
    hass: HomeAssistant,
    first: MockConfigEntry,
    second: MockConfigEntry,
    sandbox: Sandbox,
    pass_time: Pass,
) -> None:
    """A device that both see at the same moment is one entry's."""
    assert _issues(hass) == {}
    sandbox.home.add_device("battery")
    sandbox.home.add_device("vehicle")
    await pass_time(660)
    owners = [_devices(hass, entry) for entry in (first, second)]
    assert owners[0] | owners[1] == _all(sandbox)
    assert not owners[0] & owners[1]
    assert len(_issues(hass)) == 2


async def test_both_set_up_at_once(
    hass: HomeAssistant, sandbox: Sandbox, pass_time: Pass
) -> None:
    """Home Assistant sets entries up side by side: it is one's, here too."""
    entries = [_mine("First"), _mine("Second")]
    for entry in entries:
        entry.add_to_hass(hass)
    assert await async_setup_component(hass, DOMAIN, {})
    await done(hass)
    assert all(_is_loaded(entry) for entry in entries)
    owners = [_devices(hass, entry) for entry in entries]
    assert owners[0] | owners[1] == _all(sandbox)
    assert not owners[0] & owners[1]
    assert len(_issues(hass)) == len(_all(sandbox))
    await _restart(hass, *entries)
    assert [_devices(hass, entry) for entry in entries] == owners
    assert _state(hass, LEVEL) != STATE_UNAVAILABLE


async def test_both_have_it_from_before(
    hass: HomeAssistant, sandbox: Sandbox, freezer: FrozenDateTimeFactory
) -> None:
    """Where both have it from earlier on, it is the one's that had it first."""
    entries = [_mine("Second"), _mine("First")]
    registry = dr.async_get(hass)
    for entry in entries:
        entry.add_to_hass(hass)
    for entry in reversed(entries):
        registry.async_get_or_create(
            config_entry_id=entry.entry_id, identifiers={(DOMAIN, BATTERY)}
        )
        freezer.tick(60)
    second, first = entries
    assert await async_setup_component(hass, DOMAIN, {})
    await done(hass)
    assert _state(hass, LEVEL) != STATE_UNAVAILABLE
    item = er.async_get(hass).async_get(LEVEL)
    assert item is not None
    assert item.config_entry_id == first.entry_id
    assert f"owned_elsewhere_{second.entry_id}_{BATTERY}" in _issues(hass)
    assert f"owned_elsewhere_{first.entry_id}_{BATTERY}" not in _issues(hass)
