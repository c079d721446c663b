"""Notifications: commands that fail when nobody waits for them any more."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any
from unittest.mock import patch

from homeassistant.components import persistent_notification
from homeassistant.components.persistent_notification import Notification, UpdateType
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amps_ai.api import Push
from custom_components.amps_ai.common.const import CONF_NOTIFY_FAILURES, DOMAIN
from sandbox import Sandbox

from .helpers import done, registered

BATTERY = "device_battery_001"
CHARGER = "device_ev_001"
MODE = "select.powerwall_2_mode"
SWITCH = "switch.pulsar_plus"
RESERVE = "number.powerwall_2_safety_reserve"
CEILING = "number.powerwall_2_charge_ceiling"
NOTICE = f"{DOMAIN}_failed_{BATTERY}"


class Notices:
    """What stands in the bell, and what ever came into it."""

    def __init__(self) -> None:
        """Begin with an empty one."""
        self.shown: dict[str, Notification] = {}
        self.added: list[Notification] = []

    @callback
    def take(self, update: UpdateType, told: dict[str, Notification]) -> None:
        """Take what changed."""
        for key, notification in told.items():
            if update is UpdateType.REMOVED:
                del self.shown[key]
            else:
                self.shown[key] = notification
                self.added.append(notification)


@pytest.fixture
def notices(hass: HomeAssistant) -> Generator[Notices]:
    """Look into the bell."""
    bell = Notices()
    stop = persistent_notification.async_register_callback(hass, bell.take)
    yield bell
    stop()


@pytest.fixture(autouse=True)
def quick() -> Generator[None]:
    """Ask for actions often, and let a call wait hardly at all."""
    with (
        patch("custom_components.amps_ai.pushes.following._POLLS", (0.02,)),
        patch("custom_components.amps_ai.pushes.order.CONTROL_WAIT", 0.01),
        patch("custom_components.amps_ai.pushes.manager.REST", 0),
    ):
        yield


async def _until(is_so: Callable[[], Any]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(30):
        while not is_so():
            await asyncio.sleep(0.01)


async def _choose(hass: HomeAssistant, option: str) -> None:
    await hass.services.async_call(
        "select",
        "select_option",
        {ATTR_ENTITY_ID: MODE, "option": option},
        blocking=True,
    )


def _will_fail(sandbox: Sandbox, device_id: str = BATTERY) -> None:
    sandbox.device(device_id).next_action(
        "failed", code="DEVICE_REFUSED", message="Too cold <b>", seconds=30
    )


async def _failed(hass: HomeAssistant, sandbox: Sandbox, notices: Notices) -> None:
    """Tap, go on, and have it fail."""
    _will_fail(sandbox)
    await _choose(hass, "auto_export")
    assert not notices.shown
    sandbox.clock.advance(31)
    await _until(lambda: notices.shown)
    await done(hass)


async def test_failure_after_the_call(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, notices: Notices
) -> None:
    """It names device, command and reason, once, and goes with the next success."""
    await _failed(hass, sandbox, notices)
    (told,) = notices.added
    assert told["title"] == "Powerwall 2: “Grid export” did not work"
    assert "Powerwall 2" in told["message"]
    assert "Too cold ‹b›" in told["message"]
    assert list(notices.shown) == [NOTICE]
    sandbox.action_seconds = 0
    await _choose(hass, "charge")
    await _until(lambda: not notices.shown)


async def test_in_the_language_of_the_house(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox, notices: Notices
) -> None:
    """A house that speaks German is told in German."""
    hass.config.language = "de"
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await done(hass)
    _will_fail(sandbox, CHARGER)
    await hass.services.async_call(
        "switch", "turn_off", {ATTR_ENTITY_ID: SWITCH}, blocking=True
    )
    sandbox.clock.advance(31)
    await _until(lambda: notices.shown)
    (told,) = notices.added
    assert told["title"] == "Pulsar Plus: „Laden pausieren“ hat nicht funktioniert"
    assert "fehlgeschlagen" in told["message"]
    assert "pause" not in told["message"]
    assert "idle" not in told["message"]
    await done(hass)


async def test_failure_that_the_call_raises(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, notices: Notices
) -> None:
    """Who waits is told, and nobody else."""
    sandbox.device(BATTERY).next_action("failed", code="NO", message="-", seconds=0)
    with (
        patch("custom_components.amps_ai.pushes.order.CONTROL_WAIT", 30),
        pytest.raises(HomeAssistantError),
    ):
        await _choose(hass, "charge")
    await done(hass)
    sandbox.device(BATTERY).next_action("failed", code="NO", message="-", seconds=0)
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(
            DOMAIN,
            "charge",
            {"device_id": registered(hass, BATTERY)},
            blocking=True,
        )
    await done(hass)
    assert not notices.added


@pytest.mark.parametrize("data", [{"wait": False}, {"delay": {"minutes": 1}}])
async def test_action_that_fails_after_its_call(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    notices: Notices,
    data: dict[str, Any],
) -> None:
    """A button of a dashboard is told of as well, also of what it planned."""
    _will_fail(sandbox)
    response: Any = await hass.services.async_call(
        DOMAIN,
        "charge",
        {"device_id": registered(hass, BATTERY), **data},
        blocking=True,
        return_response=True,
    )
    runtime = loaded.runtime_data
    sandbox.clock.advance(120)
    runtime.pushes.follower.seeker.async_look_after(
        runtime.coordinators.device(BATTERY), (response["action"]["id"],)
    )
    await _until(lambda: notices.shown)
    assert notices.added[0]["title"] == "Powerwall 2: “Charge” did not work"
    await done(hass)
    assert len(notices.added) == 1


async def test_what_others_sent(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, notices: Notices
) -> None:
    """A failure of somebody else's is their affair."""
    _will_fail(sandbox)
    runtime = loaded.runtime_data
    device = runtime.coordinators.device(BATTERY)
    action = await runtime.account.client.async_push(device, Push(command="charge"))
    sandbox.clock.advance(31)
    runtime.pushes.follower.seeker.async_look_after(device, (action.id,))
    await done(hass)
    assert not notices.added


async def test_refusal_after_the_call(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, notices: Notices
) -> None:
    """A tap that had to wait its turn, and was refused then."""
    sandbox.device(BATTERY).next_action("completed", seconds=30)
    await _choose(hass, "charge")
    await _choose(hass, "discharge")
    sandbox.faults.add(
        method="POST",
        path=f"/battery/{BATTERY}",
        code="VALIDATION_ERROR",
        status=400,
        message="No such thing",
    )
    sandbox.clock.advance(31)
    await _until(lambda: notices.shown)
    assert notices.added[-1]["title"] == "Powerwall 2: “Discharge” did not work"
    assert "No such thing" in notices.added[-1]["message"]
    await done(hass)
    assert len(notices.added) == 1


async def test_setting_that_fails_after_the_call(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, notices: Notices
) -> None:
    """A setting is called as its number is, and one that works takes it back."""
    fault = sandbox.faults.add(
        method="POST", path=f"/battery/{BATTERY}/settings", status=500, delay=0.1
    )

    async def _set(entity_id: str, value: float) -> None:
        await hass.services.async_call(
            "number",
            "set_value",
            {ATTR_ENTITY_ID: entity_id, "value": value},
            blocking=True,
        )

    first = hass.async_create_task(_set(CEILING, 91))
    await _until(lambda: sandbox.requests.settings(BATTERY))
    # It has to wait for the first one, and its call does not.
    await _set(RESERVE, 33)
    with pytest.raises(HomeAssistantError):
        await first
    await _until(lambda: notices.shown)
    assert notices.added[0]["title"] == "Powerwall 2: “Safety reserve” did not work"
    sandbox.faults.remove(fault)
    await _set(RESERVE, 34)
    await _until(lambda: not notices.shown)
    await done(hass)


async def test_taken_back_by_written_settings(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, notices: Notices
) -> None:
    await _failed(hass, sandbox, notices)
    await hass.services.async_call(
        DOMAIN,
        "update_settings",
        {
            "device_id": registered(hass, BATTERY),
            "settings": {"safety_reserve": 31},
        },
        blocking=True,
    )
    assert not notices.shown
    await done(hass)


async def test_switched_off(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, notices: Notices
) -> None:
    """Who does not want to be told, is not."""
    hass.config_entries.async_update_entry(
        loaded, options={CONF_NOTIFY_FAILURES: False}
    )
    await done(hass)
    _will_fail(sandbox)
    await _choose(hass, "charge")
    sandbox.clock.advance(31)
    event = "event.powerwall_2_command"
    await _until(
        lambda: (state := hass.states.get(event)) and state.attributes.get("error")
    )
    await done(hass)
    assert not notices.added


async def test_reload(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, notices: Notices
) -> None:
    """What was told stays unread, until a command of the device works."""
    await _failed(hass, sandbox, notices)
    await hass.config_entries.async_reload(loaded.entry_id)
    await done(hass)
    assert list(notices.shown) == [NOTICE]
    sandbox.action_seconds = 0
    await _choose(hass, "charge")
    await _until(lambda: not notices.shown)
    await done(hass)


async def test_removal(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, notices: Notices
) -> None:
    """What an entry told goes with it."""
    await _failed(hass, sandbox, notices)
    await hass.config_entries.async_remove(loaded.entry_id)
    assert not notices.shown


async def _end(hass: HomeAssistant, entry: MockConfigEntry, end: str) -> None:
    entries = hass.config_entries
    if end == "disable":
        await entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    elif end == "reload":
        await entries.async_reload(entry.entry_id)
    else:
        await entries.async_remove(entry.entry_id)


@pytest.mark.parametrize("end", ["reload", "disable", "remove"])
async def test_tap_that_waits_when_the_entry_ends(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    notices: Notices,
    end: str,
) -> None:
    """Its call has returned, so a notice tells that it came to nothing."""
    sandbox.action_seconds = 60
    await _choose(hass, "charge")
    await _choose(hass, "discharge")
    sent = len(sandbox.requests.pushes(BATTERY))
    assert not notices.shown
    await _end(hass, loaded, end)
    await hass.async_block_till_done()
    if end == "remove":
        assert not notices.shown
    else:
        await _until(lambda: notices.shown)
        (told,) = notices.shown.values()
        assert told["title"] == "Powerwall 2: “Discharge” did not work"
        assert "Last command" in told["message"]
    assert len(sandbox.requests.pushes(BATTERY)) == sent
    sandbox.clock.advance(61)
    await done(hass)


@pytest.mark.parametrize("end", ["reload", "disable", "remove"])
async def test_slider_that_rests_when_the_entry_ends(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    sandbox: Sandbox,
    notices: Notices,
    end: str,
) -> None:
    """Its call waits still, and is told."""
    with patch("custom_components.amps_ai.pushes.manager.REST", 60):
        call = hass.async_create_task(
            hass.services.async_call(
                "number",
                "set_value",
                {ATTR_ENTITY_ID: RESERVE, "value": 33},
                blocking=True,
            )
        )
        await _until(lambda: loaded.runtime_data.pushes.as_dict(BATTERY)["waiting"])
        await _end(hass, loaded, end)
    with pytest.raises(HomeAssistantError) as caught:
        await call
    assert caught.value.translation_key == "entry_ended"
    assert not notices.added
    assert not sandbox.requests.settings(BATTERY)


async def test_device_that_goes(
    hass: HomeAssistant, loaded: MockConfigEntry, sandbox: Sandbox, notices: Notices
) -> None:
    """What was told of a device goes with it."""
    await _failed(hass, sandbox, notices)
    loaded.runtime_data.find(BATTERY).async_forget(BATTERY)
    assert not notices.shown
    await done(hass)
