"""Actions: everything that can be pushed, for automations and scripts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv, service
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .account import AmpsConfigEntry
from .api import (
    Action,
    ActionState,
    AmpsDeviceNotFoundError,
    Device,
    DeviceType,
    Push,
    Quantity,
    capabilities,
)
from .api.vocabulary import Commands, Parameters, Strategy
from .const import CONF_USER_ID, DOMAIN
from .coordinator import AmpsCoordinator
from .errors import refused

ATTR_ACTION_ID: Final = "action_id"
ATTR_COMMAND: Final = "command"
ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"
ATTR_COOL_SETPOINT: Final = "cool_setpoint"
ATTR_DELAY: Final = "delay"
ATTR_DEVICE_ID: Final = "device_id"
ATTR_DURATION: Final = "duration"
ATTR_END: Final = "end"
ATTR_HEAT_SETPOINT: Final = "heat_setpoint"
ATTR_LIMIT: Final = "limit"
ATTR_MODE: Final = "mode"
ATTR_ON_CONFLICT: Final = "on_conflict"
ATTR_PARAMETERS: Final = "parameters"
ATTR_POWER: Final = "power"
ATTR_RESERVE: Final = "reserve"
ATTR_SETTINGS: Final = "settings"
ATTR_START: Final = "start"
ATTR_STATE: Final = "state"
ATTR_TARGET: Final = "target"
ATTR_WAIT: Final = "wait"

# How long an action (service) waits for the end of what it pushed.
WAIT: Final = 10
# How far ahead the API plans.
FARTHEST: Final = timedelta(days=30)
_MOST_ACTIONS: Final = 500


def _span(value: Any) -> timedelta:
    """Validate a span of time; one that nothing can hold is none."""
    try:
        span: timedelta = cv.positive_time_period(value)
    except OverflowError as err:
        raise vol.Invalid("Expected a shorter time") from err
    return span


_DEVICE: Final = {vol.Required(ATTR_DEVICE_ID): cv.string}
_EITHER: Final = {
    vol.Exclusive(ATTR_DEVICE_ID, "whose"): cv.string,
    vol.Exclusive(ATTR_CONFIG_ENTRY_ID, "whose"): cv.string,
}
_TIMES: Final = {
    vol.Exclusive(ATTR_START, "begin"): cv.datetime,
    vol.Exclusive(ATTR_DELAY, "begin"): _span,
    vol.Exclusive(ATTR_END, "finish"): cv.datetime,
    vol.Exclusive(ATTR_DURATION, "finish"): _span,
    vol.Optional(ATTR_ON_CONFLICT): vol.In([item.value for item in Strategy]),
    vol.Optional(ATTR_WAIT, default=True): cv.boolean,
}
_QUANTITY: Final = vol.Any(
    vol.Coerce(float),
    vol.Schema(
        {vol.Required("value"): vol.Coerce(float), vol.Optional("unit"): cv.string}
    ),
)
_LEVELS: Final = {
    vol.Optional(name): vol.Coerce(float)
    for name in (ATTR_TARGET, ATTR_POWER, ATTR_RESERVE)
}

SEND_COMMAND: Final = vol.Schema(
    {
        **_DEVICE,
        **_TIMES,
        vol.Required(ATTR_COMMAND): cv.string,
        vol.Optional(ATTR_PARAMETERS, default=dict): {cv.string: _QUANTITY},
    }
)
CHARGE: Final = vol.Schema({**_DEVICE, **_TIMES, **_LEVELS})
HOLD_TEMPERATURE: Final = vol.Schema(
    {
        **_DEVICE,
        **_TIMES,
        vol.Required(ATTR_MODE): vol.In(
            [Commands.HEAT.value, Commands.COOL.value, Commands.AUTO.value]
        ),
        vol.Optional(ATTR_TARGET): vol.Coerce(float),
        vol.Optional(ATTR_HEAT_SETPOINT): vol.Coerce(float),
        vol.Optional(ATTR_COOL_SETPOINT): vol.Coerce(float),
    }
)
UPDATE_SETTINGS: Final = vol.Schema(
    {
        **_DEVICE,
        vol.Required(ATTR_SETTINGS): vol.All(
            {cv.string: vol.Coerce(float)}, vol.Length(min=1)
        ),
    }
)
ONE_ACTION: Final = vol.Schema({**_EITHER, vol.Required(ATTR_ACTION_ID): cv.string})
LIST_ACTIONS: Final = vol.Schema(
    {
        **_EITHER,
        vol.Optional(ATTR_STATE): vol.In([state.value for state in ActionState]),
        vol.Optional(ATTR_LIMIT, default=50): vol.All(
            vol.Coerce(int), vol.Range(min=1, max=_MOST_ACTIONS)
        ),
    }
)


@dataclass(frozen=True, kw_only=True)
class _Whose:
    """What a call is about: an entry, and one of its devices or all."""

    entry: AmpsConfigEntry
    coordinator: AmpsCoordinator | None = None
    device: Device | None = None

    @property
    def name(self) -> str:
        """Return what the person calls it."""
        if self.device is None:
            return self.entry.title
        return self.entry.runtime_data.account.async_spoken_name(self.device)

    @property
    def devices(self) -> list[Device]:
        """Return the devices that a call is about."""
        if self.device is not None:
            return [self.device]
        return [
            device
            for coordinator in self.entry.runtime_data.coordinators.values()
            for device in coordinator.data.values()
        ]


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions, once for all entries."""
    for name, handler, schema in (
        ("send_command", _async_send_command, SEND_COMMAND),
        ("charge", _async_charge, CHARGE),
        ("discharge", _async_discharge, CHARGE),
        ("hold_temperature", _async_hold_temperature, HOLD_TEMPERATURE),
        ("update_settings", _async_update_settings, UPDATE_SETTINGS),
    ):
        hass.services.async_register(
            DOMAIN,
            name,
            handler,
            schema=schema,
            supports_response=SupportsResponse.OPTIONAL,
        )
    hass.services.async_register(
        DOMAIN,
        "cancel_action",
        _async_cancel_action,
        schema=ONE_ACTION,
        supports_response=SupportsResponse.OPTIONAL,
    )
    for name, handler, schema in (
        ("get_action", _async_get_action, ONE_ACTION),
        ("list_actions", _async_list_actions, LIST_ACTIONS),
    ):
        hass.services.async_register(
            DOMAIN,
            name,
            handler,
            schema=schema,
            supports_response=SupportsResponse.ONLY,
        )


# Whose


@callback
def _device(call: ServiceCall) -> tuple[_Whose, AmpsCoordinator, Device]:
    """Return the device that a call names."""
    entry: AmpsConfigEntry
    registered, entry = service.async_get_device_and_config_entry(
        call.hass, DOMAIN, call.data[ATTR_DEVICE_ID], include_child_devices=False
    )
    for domain, device_id in registered.identifiers:
        if domain != DOMAIN:
            continue
        coordinator = entry.runtime_data.find(device_id)
        if coordinator is not None:
            device = coordinator.data[device_id]
            whose = _Whose(entry=entry, coordinator=coordinator, device=device)
            return whose, coordinator, device
    name = registered.name_by_user or registered.name or entry.title
    raise refused("no_such_device", name)


@callback
def _whose(call: ServiceCall) -> _Whose:
    """Return the device or the entry that a call names, else the only entry."""
    entry: AmpsConfigEntry
    if ATTR_DEVICE_ID in call.data:
        registered, entry = service.async_get_device_and_config_entry(
            call.hass, DOMAIN, call.data[ATTR_DEVICE_ID], include_child_devices=False
        )
        # The account is a device, too.
        if (DOMAIN, entry.entry_id) in registered.identifiers:
            return _Whose(entry=entry)
        return _device(call)[0]
    entry = service.async_get_config_entry(
        call.hass, DOMAIN, call.data.get(ATTR_CONFIG_ENTRY_ID)
    )
    return _Whose(entry=entry)


# When


def _local(value: datetime, name: str, field: str) -> datetime:
    """Return a time in Home Assistant's zone.

    One that the clocks leave out is refused; of one that they go through
    twice, the first is meant.
    """
    zone = dt_util.get_default_time_zone()
    try:
        if value.tzinfo is not None:
            return value.astimezone(zone)
        local = value.replace(tzinfo=zone, fold=0)
        there = local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == value
    except OverflowError:
        there = False
    if not there:
        raise refused(
            "time_does_not_exist", name, field=field, time=value.isoformat(" ")
        )
    return local


def _later(at: datetime, span: timedelta, name: str, field: str) -> datetime:
    """Return a time so much later, on the clock that goes on evenly."""
    if span > FARTHEST:
        raise refused("too_far_ahead", name, field=field, days=str(FARTHEST.days))
    return dt_util.as_local(dt_util.as_utc(at) + span)


def _times(
    data: Mapping[str, Any], name: str
) -> tuple[datetime | None, datetime | None]:
    """Return start and end as aware times, refusing what cannot work."""
    now = dt_util.now()
    start: datetime | None = None
    end: datetime | None = None
    if ATTR_START in data:
        start = _local(data[ATTR_START], name, ATTR_START)
    elif ATTR_DELAY in data:
        start = _later(now, data[ATTR_DELAY], name, ATTR_DELAY)
    if ATTR_END in data:
        end = _local(data[ATTR_END], name, ATTR_END)
    if start is None:
        if end is not None or ATTR_DURATION in data:
            raise refused("end_without_start", name)
        return None, None
    if ATTR_DURATION in data:
        end = _later(start, data[ATTR_DURATION], name, ATTR_DURATION)
    if start <= now:
        raise refused("start_in_past", name, start=start.isoformat(" ", "minutes"))
    if end is not None and end <= start:
        raise refused("end_before_start", name)
    for field, at in ((ATTR_START, start), (ATTR_END, end)):
        if at is None:
            continue
        if at - now > FARTHEST:
            raise refused("too_far_ahead", name, field=field, days=str(FARTHEST.days))
        # The API takes wall-clock time, which cannot say the second of two.
        if at.fold:
            raise refused("time_comes_twice", name, field=field, time=at.isoformat(" "))
    return start, end


def _wall_clock(at: datetime | None) -> datetime | None:
    """Return a time as the plant's clock on the wall shows it."""
    return None if at is None else at.replace(tzinfo=None)


# Pushes


async def _async_push(
    call: ServiceCall, command: str, parameters: Mapping[str, Quantity]
) -> ServiceResponse:
    """Push what a call says, and return the action that it became."""
    whose, coordinator, device = _device(call)
    start, end = _times(call.data, whose.name)
    action = await whose.entry.runtime_data.pushes.async_command(
        coordinator,
        device,
        Push(
            command=command,
            parameters=parameters,
            start=_wall_clock(start),
            end=_wall_clock(end),
            on_conflict=call.data.get(ATTR_ON_CONFLICT),
        ),
        wait=WAIT if call.data[ATTR_WAIT] else 0,
    )
    return {"action": action.as_record()}


def _quantities(
    data: Mapping[str, Any], names: Mapping[str, Parameters]
) -> dict[str, Quantity]:
    return {
        parameter: Quantity(value=data[field])
        for field, parameter in names.items()
        if field in data
    }


_BATTERY_FIELDS: Final = {
    ATTR_TARGET: Parameters.TARGET,
    ATTR_POWER: Parameters.POWER,
    ATTR_RESERVE: Parameters.RESERVE,
}


async def _async_send_command(call: ServiceCall) -> ServiceResponse:
    """Push any command, also one that is not known today."""
    return await _async_push(
        call,
        call.data[ATTR_COMMAND],
        {
            name: Quantity(value=value["value"], unit=value.get("unit"))
            if isinstance(value, dict)
            else Quantity(value=value)
            for name, value in call.data[ATTR_PARAMETERS].items()
        },
    )


async def _async_charge(call: ServiceCall) -> ServiceResponse:
    _require(call, DeviceType.BATTERY, DeviceType.EV_CHARGER)
    return await _async_push(
        call, Commands.CHARGE, _quantities(call.data, _BATTERY_FIELDS)
    )


async def _async_discharge(call: ServiceCall) -> ServiceResponse:
    _require(call, DeviceType.BATTERY)
    return await _async_push(
        call, Commands.DISCHARGE, _quantities(call.data, _BATTERY_FIELDS)
    )


async def _async_hold_temperature(call: ServiceCall) -> ServiceResponse:
    """Hold a temperature, or a band; what the mode does not take is refused."""
    whose, _, device = _require(call, DeviceType.HVAC)
    data = call.data
    mode = data[ATTR_MODE]
    band = {
        ATTR_HEAT_SETPOINT: Parameters.HEAT_SETPOINT,
        ATTR_COOL_SETPOINT: Parameters.COOL_SETPOINT,
    }
    fields = band if mode == Commands.AUTO else {ATTR_TARGET: Parameters.TARGET}
    given = {
        field
        for field in (ATTR_TARGET, ATTR_HEAT_SETPOINT, ATTR_COOL_SETPOINT)
        if field in data
    }
    # A mode that the thermostat lacks is refused as such further on.
    if mode in capabilities(device):
        if given != set(fields):
            raise refused(
                "hold_needs", whose.name, mode=mode, fields=", ".join(sorted(fields))
            )
        if (
            mode == Commands.AUTO
            and data[ATTR_HEAT_SETPOINT] > data[ATTR_COOL_SETPOINT]
        ):
            raise refused("band_upside_down", whose.name)
    return await _async_push(call, mode, _quantities(data, fields))


@callback
def _require(
    call: ServiceCall, *types: DeviceType
) -> tuple[_Whose, AmpsCoordinator, Device]:
    """Return the device that a call names, if it is of a type that it takes."""
    found = _device(call)
    if found[2].type not in types:
        raise refused(
            "wrong_type",
            found[0].name,
            action=f"{DOMAIN}.{call.service}",
            types=", ".join(item.value for item in types),
        )
    return found


async def _async_update_settings(call: ServiceCall) -> ServiceResponse:
    """Write settings of a device."""
    whose, coordinator, device = _device(call)
    updated = await whose.entry.runtime_data.pushes.async_update_settings(
        coordinator, device, call.data[ATTR_SETTINGS]
    )
    return {"updated": list(updated)}


# Actions


async def _async_own_action(call: ServiceCall) -> tuple[_Whose, Device, Action]:
    """Return an action and its device, if it is one of this entry's."""
    whose = _whose(call)
    action_id = call.data[ATTR_ACTION_ID]
    account = whose.entry.runtime_data.account
    with account.speaking(whose.name):
        try:
            action = await account.client.async_get_action(action_id)
        except AmpsDeviceNotFoundError as err:
            raise refused("action_unknown", whose.name, action=action_id) from err
    for device in whose.devices:
        if device.id == action.device_id:
            return whose, device, action
    raise refused("action_unknown", whose.name, action=action_id)


async def _async_get_action(call: ServiceCall) -> ServiceResponse:
    """Return what became of an action."""
    _, _, action = await _async_own_action(call)
    return {"action": action.as_record()}


async def _async_cancel_action(call: ServiceCall) -> ServiceResponse:
    """Cancel an action that has not begun yet."""
    whose, device, action = await _async_own_action(call)
    runtime = whose.entry.runtime_data
    with runtime.account.speaking(runtime.account.async_spoken_name(device)):
        cancelled = await runtime.account.client.async_cancel_action(action.id)
    runtime.pushes.async_cancelled(device, cancelled)
    runtime.pushes.async_schedule_changed(device)
    return {"action": cancelled.as_record()}


async def _async_list_actions(call: ServiceCall) -> ServiceResponse:
    """Return actions, newest first."""
    whose = _whose(call)
    account = whose.entry.runtime_data.account
    limit = call.data[ATTR_LIMIT]
    state = call.data.get(ATTR_STATE)
    # An entry for one user may know the actions of that user's devices only.
    narrowed = whose.device is not None or CONF_USER_ID in whose.entry.data
    asked = [device.id for device in whose.devices] if narrowed else [None]
    actions: list[Action] = []
    with account.speaking(whose.name):
        for device_id in asked:
            actions += await account.client.async_list_actions(
                device_id=device_id, state=state, limit=limit
            )
    long_ago = datetime.min.replace(tzinfo=UTC)
    actions.sort(key=lambda action: action.created_at or long_ago, reverse=True)
    return {"actions": [action.as_record() for action in actions[:limit]]}
