"""How often lists are asked for: often only while that is of use."""

from itertools import pairwise

from homeassistant.components.button import DOMAIN as BUTTON_DOMAIN, SERVICE_PRESS
from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amps_ai.api import DeviceType
from custom_components.amps_ai.common.const import DOMAIN
from custom_components.amps_ai.readings.pace import BUSY, HASTE, SLOWEST
from sandbox import Sandbox

from .conftest import Pass
from .helpers import done, registered

# The clock of the sandbox begins at the same moment.
pytestmark = pytest.mark.freeze_time("2026-06-01T12:00:00Z")

BATTERY = "device_battery_001"
LEVEL = "sensor.powerwall_2_battery"
PATHS = [device_type.path for device_type in DeviceType]

# Time goes by in steps of so many seconds here.
STEP = 15
SLOW = SLOWEST.total_seconds()
# Until every type has become slow.
QUIET = BUSY.total_seconds() + 3 * SLOW


def _gaps(sandbox: Sandbox, path: str = "battery") -> list[float]:
    """Return the seconds between the lists of a type."""
    times = [request.at for request in sandbox.requests.of("GET", f"/{path}")]
    return [later - earlier for earlier, later in pairwise(times)]


def _state(hass: HomeAssistant) -> str:
    state = hass.states.get(LEVEL)
    assert state is not None
    return state.state


async def test_slower_and_slower(
    sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """A minute, two, four, five: where lists only bring what single reads did."""
    await pass_time(QUIET + 3600)
    assert len(sandbox.requests.reads(BATTERY)) >= 5
    for path in PATHS:
        gaps = _gaps(sandbox, path)
        assert gaps == sorted(gaps, key=lambda gap: round(gap / 60))
        assert gaps[0] <= 60
        assert gaps[-1] <= SLOW + STEP
        assert gaps[-5] >= SLOW
        assert {round(gap / 60) for gap in gaps[1:]} >= {1, 2, 4}
        # Not for long after a start, as nobody else had anything captured.
        quick = [gap for gap in gaps if gap <= 60 + STEP]
        assert HASTE.total_seconds() - 60 <= sum(quick) <= 2 * HASTE.total_seconds()


async def test_each_type_has_its_place_in_the_minute(
    sandbox: Sandbox, loaded: MockConfigEntry
) -> None:
    """The types do not ask all at once."""
    intervals = {
        coordinator.update_interval
        for coordinator in loaded.runtime_data.coordinators.values()
    }
    assert len(intervals) == len(PATHS)


async def test_somebody_else_captures(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """A type of which somebody has devices captured is asked for each minute."""
    await pass_time(QUIET)
    device = sandbox.device(BATTERY)
    device.capture()
    await pass_time(SLOW + STEP)
    sandbox.requests.clear()
    for level in range(10, 16):
        device.state_override = {"level": level}
        device.capture()
        await pass_time(60 + STEP)
        assert _state(hass) == str(level)
        # Sooner than a single read from here is due.
        await pass_time(840 - 60 - STEP)
    assert max(_gaps(sandbox)) <= 60 + STEP
    assert min(_gaps(sandbox, "vehicle")) >= SLOW
    # For long enough to hear of the next one.
    await pass_time(60 + STEP)
    sandbox.requests.clear()
    await pass_time(BUSY.total_seconds() - 15 * 60)
    assert max(_gaps(sandbox)) <= 60 + STEP


async def test_single_read_finds_what_somebody_else_captured(
    sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """What comes from the cache, and is new, was captured for somebody else."""
    await pass_time(QUIET)
    device = sandbox.device(BATTERY)
    coordinator = loaded.runtime_data.coordinators[DeviceType.BATTERY]
    # Read from here, and then from there, just before the next read from here.
    device.capture()
    sandbox.requests.clear()
    await pass_time(5)
    await coordinator.async_read(BATTERY)
    await pass_time(600)
    assert len(_gaps(sandbox)) >= 8
    assert max(_gaps(sandbox)) <= 60 + STEP


@pytest.mark.parametrize("done_by", ["refresh", "settings"])
async def test_at_once(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    pass_time: Pass,
    done_by: str,
) -> None:
    """After a person did something its type is asked for at once, then often."""
    await pass_time(QUIET)
    sandbox.requests.clear()
    if done_by == "refresh":
        await hass.services.async_call(
            BUTTON_DOMAIN,
            SERVICE_PRESS,
            {ATTR_ENTITY_ID: "button.powerwall_2_refresh"},
            blocking=True,
        )
    else:
        await hass.services.async_call(
            DOMAIN,
            "update_settings",
            {
                ATTR_DEVICE_ID: registered(hass, BATTERY),
                "settings": {"safety_reserve": 25},
            },
            blocking=True,
            return_response=True,
        )
    await done(hass)
    assert [item.path for item in sandbox.requests.lists()] == ["/battery"]
    await pass_time(HASTE.total_seconds())
    assert len(_gaps(sandbox)) >= 4
    assert max(_gaps(sandbox)) <= 60 + STEP
    assert len(sandbox.requests.of("GET", "/vehicle")) <= 2


async def test_list_that_fails_is_made_up_for(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """Where the next list is far away, one that fails is tried again in time."""
    await pass_time(QUIET)
    level = _state(hass)
    fault = sandbox.faults.add(path="/battery", code="INTERNAL_ERROR")
    while not fault.hits:
        await pass_time(STEP)
        assert _state(hass) == level
    sandbox.requests.clear()
    # As long as ever from the first one that failed: three more are tried.
    for _ in range(15):
        await pass_time(STEP)
        assert _state(hass) == level
    assert fault.hits >= 4
    assert max(_gaps(sandbox)) <= 60 + STEP
    await pass_time(60)
    assert _state(hass) == STATE_UNAVAILABLE
    sandbox.faults.remove(fault)
    await pass_time(60 + STEP)
    assert _state(hass) == level


async def test_device_that_is_left_out(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """A list that leaves out a device is doubted, and asked for again soon."""
    await pass_time(QUIET)
    sandbox.device(BATTERY).unlisted = True
    while _state(hass) != STATE_UNAVAILABLE:
        await pass_time(STEP)
    sandbox.device(BATTERY).unlisted = False
    await pass_time(60 + STEP)
    assert _state(hass) != STATE_UNAVAILABLE


async def test_nothing_can_be_reached(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """What the first type finds out, the others look for at once: all end in time."""
    await pass_time(QUIET)
    sandbox.requests.clear()
    sandbox.faults.add(kind="drop")
    await pass_time(60 + STEP)
    assert {item.path for item in sandbox.requests.lists()} == {
        f"/{path}" for path in PATHS
    }
    assert _state(hass) != STATE_UNAVAILABLE
    await pass_time(240)
    assert _state(hass) == STATE_UNAVAILABLE


async def test_each_type_is_quick_at_its_own_place_again(
    sandbox: Sandbox, loaded: MockConfigEntry, pass_time: Pass
) -> None:
    """After that, the types do not ask all at once for long."""
    await pass_time(QUIET)
    fault = sandbox.faults.add(kind="drop")
    await pass_time(120)
    sandbox.faults.remove(fault)
    await pass_time(180)
    sandbox.requests.clear()
    await pass_time(60)
    times = [request.at for request in sandbox.requests.lists()]
    assert len(times) == len(PATHS)
    assert len(set(times)) > 1
