"""Plans: asked for in three steps, as each depends on the one before."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_DEVICE_ID, CONF_NAME, WEEKDAYS
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TimeSelector,
)
from homeassistant.util.unit_conversion import TemperatureConverter
import voluptuous as vol

from ..api import Device, Parameter, Quantity, capabilities, in_order
from ..api.values import number
from ..api.vocabulary import Execution, Parameters
from ..common.names import plain_text
from ..common.units import for_house, unit_of
from ..common.words import command_name, unit_symbol
from ..plans import Plan
from ..plans.agenda import overlapping
from ..plans.plan import (
    CONF_COMMAND,
    CONF_END,
    CONF_LAST_DAY,
    CONF_PARAMETERS,
    CONF_START,
    CONF_WEEKDAYS,
    takes_plans,
)
from ..runtime import AmpsConfigEntry, AmpsRuntimeData

_FIELDS: Final[Mapping[str, str]] = {
    Parameters.HEAT_SETPOINT: "heat_setpoint",
    Parameters.COOL_SETPOINT: "cool_setpoint",
}


class _Amount(NumberSelector):
    """A number that shows its bounds; what is beyond is refused in words."""

    @override
    def __call__(self, data: Any) -> float:
        """Take any number."""
        if (amount := number(data)) is None:
            raise vol.Invalid("Expected a number")
        return amount


class _Field(NamedTuple):
    """A parameter of a command, as a person is asked for it."""

    name: str
    parameter: Parameter
    # Of a temperature: in which unit the house has it.
    shown: str | None

    @property
    def key(self) -> str:
        """Return the field's name in the form."""
        return _FIELDS.get(self.name, self.name)

    @property
    def unit(self) -> str:
        """Return the unit as it is shown."""
        return self.shown or unit_symbol(self.parameter.unit)

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """Return the least and the most, as they are shown."""
        low, high = (
            None if at is None else self.show(at)
            for at in (self.parameter.min, self.parameter.max)
        )
        return low, high

    def show(self, value: float) -> float:
        """Return an amount of the device as it is shown."""
        return for_house(value, self.shown or "", self.parameter)

    def quantity(self, shown: float) -> Quantity:
        """Return what was typed as the device takes it."""
        value, theirs = shown, unit_of(self.parameter)
        if theirs is not None:
            value = round(TemperatureConverter.convert(shown, self.shown, theirs), 1)
        return Quantity(value=value, unit=self.parameter.unit)

    def selector(self) -> NumberSelector:
        """Return the field."""
        config = NumberSelectorConfig(mode=NumberSelectorMode.BOX, step="any")
        low, high = self.bounds
        if low is not None:
            config["min"] = low
        if high is not None:
            config["max"] = high
        if self.unit:
            config["unit_of_measurement"] = self.unit
        return _Amount(config)


class AmpsPlanFlow(ConfigSubentryFlow):
    """Make a plan, or change one."""

    def __init__(self) -> None:
        """Begin with nothing answered."""
        self._device_id = ""
        self._command = ""
        # What is changed, as the subentry has it.
        self._known: Mapping[str, Any] = {}

    @property
    def _runtime(self) -> AmpsRuntimeData:
        entry: AmpsConfigEntry = self._get_entry()
        return entry.runtime_data

    @property
    def _device(self) -> Device | None:
        return self._runtime.coordinators.device(self._device_id)

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the device of a new plan."""
        return await self.async_step_device(user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for another device, or the same."""
        subentry = self._get_reconfigure_subentry()
        self._known = {**subentry.data, CONF_NAME: subentry.title}
        return await self.async_step_device(user_input)

    def _is_loaded(self) -> bool:
        return self._get_entry().state is ConfigEntryState.LOADED

    async def async_step_device(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the device."""
        if not self._is_loaded():
            # The dialog opens all the same.
            return self.async_abort(reason="entry_not_loaded")
        account = self._runtime.account
        devices = {
            device.id: account.async_spoken_name(device)
            for _, device in self._runtime.coordinators.devices()
            if takes_plans(device)
        }
        if not devices:
            return self.async_abort(reason="no_devices")
        if user_input is not None:
            self._device_id = user_input[CONF_DEVICE_ID]
            return await self.async_step_command()
        known = self._known.get(CONF_DEVICE_ID)
        only = next(iter(devices)) if len(devices) == 1 else vol.UNDEFINED
        return self.async_show_form(
            step_id="device",
            data_schema=vol.Schema(
                {
                    vol.Required(
                        CONF_DEVICE_ID, default=known if known in devices else only
                    ): SelectSelector(
                        SelectSelectorConfig(
                            options=[
                                SelectOptionDict(value=device_id, label=name)
                                for device_id, name in devices.items()
                            ],
                            mode=SelectSelectorMode.DROPDOWN,
                        )
                    )
                }
            ),
        )

    async def async_step_command(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the command, of those that the device takes for later."""
        if (
            not self._is_loaded()
            or (device := self._device) is None
            or not (taken := takes_plans(device))
        ):
            return self.async_abort(reason="device_gone")
        names = in_order(taken)
        if user_input is not None:
            self._command = user_input[CONF_COMMAND]
            return await self.async_step_times()
        known = self._known.get(CONF_COMMAND)
        return self.async_show_form(
            step_id="command",
            data_schema=vol.Schema(
                {
                    vol.Required(
                        CONF_COMMAND,
                        default=known if known in names else names[0],
                    ): SelectSelector(
                        SelectSelectorConfig(
                            options=[
                                SelectOptionDict(
                                    value=name,
                                    label=command_name(self.hass, name, device.type),
                                )
                                for name in names
                            ],
                            mode=SelectSelectorMode.DROPDOWN,
                        )
                    )
                }
            ),
            description_placeholders={"device": self._name(device)},
        )

    async def async_step_times(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for parameters and times, as the command has them."""
        if (
            not self._is_loaded()
            or (device := self._device) is None
            or not (ways := takes_plans(device).get(self._command))
        ):
            return self.async_abort(reason="device_gone")
        word = command_name(self.hass, self._command, device.type)
        fields = self._fields(device)
        errors: dict[str, str] = {}
        problem: dict[str, str] = {}
        if user_input is not None:
            data, errors, problem = self._check(user_input, fields, ways)
            if not errors:
                return self._save(data)
        return self.async_show_form(
            step_id="times",
            data_schema=self.add_suggested_values_to_schema(
                _schema(fields, ways, suggested_name=word),
                user_input if user_input is not None else self._suggested(fields),
            ),
            errors=errors,
            description_placeholders={
                "device": self._name(device),
                "command": word,
                "other": "",
                "min": "",
                "max": "",
                "unit": "",
                **problem,
            },
        )

    def _name(self, device: Device) -> str:
        return self._runtime.account.async_spoken_name(device)

    def _fields(self, device: Device) -> list[_Field]:
        house = self.hass.config.units.temperature_unit
        command = capabilities(device)[self._command]
        return [
            _Field(
                name=name,
                parameter=parameter,
                shown=None if unit_of(parameter) is None else house,
            )
            for name, parameter in command.parameters.items()
        ]

    def _suggested(self, fields: list[_Field]) -> dict[str, Any]:
        """Return what the plan says so far, as the form has it."""
        known = dict(self._known)
        if (plan := Plan.from_data("", "", known)) is not None:
            known |= {
                field.key: field.show(quantity.value)
                for field in fields
                if (quantity := plan.parameters.get(field.name)) is not None
            }
        return known

    def _check(
        self,
        user_input: dict[str, Any],
        fields: list[_Field],
        ways: tuple[str, ...],
    ) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
        """Return the plan's data, or what is wrong: by field, and in words."""
        parameters: dict[str, Any] = {}
        for field in fields:
            if (shown := user_input.get(field.key)) is None:
                continue
            low, high = field.bounds
            if (low is not None and shown < low) or (high is not None and shown > high):
                bounds = {
                    "min": "-" if low is None else f"{low:g}",
                    "max": "-" if high is None else f"{high:g}",
                    "unit": field.unit,
                }
                return {}, {field.key: "out_of_range"}, bounds
            quantity = field.quantity(shown)
            parameters[field.name] = {"value": quantity.value, "unit": quantity.unit}
        heat, cool = (user_input.get(key) for key in _FIELDS.values())
        if heat is not None and cool is not None and heat > cool:
            return {}, {_FIELDS[Parameters.HEAT_SETPOINT]: "band_upside_down"}, {}
        if not user_input[CONF_WEEKDAYS]:
            return {}, {CONF_WEEKDAYS: "weekdays_needed"}, {}
        end = user_input.get(CONF_END)
        if end is None and Execution.SCHEDULED not in ways:
            return {}, {CONF_END: "end_needed"}, {}
        if end is not None and end == user_input[CONF_START]:
            return {}, {CONF_END: "end_is_start"}, {}
        name = plain_text(user_input[CONF_NAME])
        if not name:
            return {}, {CONF_NAME: "required"}, {}
        data = {
            # What became of it since it was made stays.
            **{
                key: value
                for key, value in self._known.items()
                if key not in (CONF_END, CONF_LAST_DAY)
            },
            CONF_DEVICE_ID: self._device_id,
            CONF_COMMAND: self._command,
            CONF_PARAMETERS: parameters,
            CONF_WEEKDAYS: [
                day for day in WEEKDAYS if day in user_input[CONF_WEEKDAYS]
            ],
            CONF_START: user_input[CONF_START],
            **({} if end is None else {CONF_END: end}),
            CONF_NAME: name,
        }
        own = self._reconfigure_subentry_id if self.source == SOURCE_RECONFIGURE else ""
        plan = Plan.from_data(own, name, data)
        if plan is None:
            return {}, {"base": "unknown"}, {}
        if plan.is_enabled and (other := overlapping(self._runtime.plans, plan)):
            return {}, {CONF_START: "overlaps"}, {"other": other.name}
        return data, {}, {}

    def _save(self, data: dict[str, Any]) -> SubentryFlowResult:
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_entry(),
                self._get_reconfigure_subentry(),
                title=data[CONF_NAME],
                data=data,
            )
        return self.async_create_entry(title=data[CONF_NAME], data=data)


def _schema(
    fields: list[_Field], ways: tuple[str, ...], suggested_name: str
) -> vol.Schema:
    """Return the form of the last step."""
    schema: dict[Any, Any] = {
        # A thermostat has to know how warm; the rest may be the device's choice.
        (
            vol.Required(field.key)
            if field.shown is not None
            else vol.Optional(field.key)
        ): field.selector()
        for field in fields
    }
    schema[vol.Required(CONF_WEEKDAYS, default=list(WEEKDAYS))] = SelectSelector(
        SelectSelectorConfig(
            options=list(WEEKDAYS), multiple=True, translation_key="weekday"
        )
    )
    schema[vol.Required(CONF_START)] = TimeSelector()
    if Execution.WINDOWED in ways:
        optional = Execution.SCHEDULED in ways
        schema[vol.Optional(CONF_END) if optional else vol.Required(CONF_END)] = (
            TimeSelector()
        )
    schema[vol.Required(CONF_NAME, default=suggested_name)] = TextSelector()
    return vol.Schema(schema)
