"""Words: what stands in a sentence, in the language of the house.

Home Assistant keeps the texts of a loaded integration at hand, in its own
language and in English: nothing is loaded here, and nothing blocks.
"""

from collections.abc import Mapping
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.translation import async_get_cached_translations

from ..api.vocabulary import Parameters
from .const import DOMAIN
from .names import plain_text, without_markup

_ENGLISH: Final = "en"
_PARAMETERS: Final[Mapping[str, str]] = {
    Parameters.TARGET: "charge.fields.target",
    Parameters.POWER: "charge.fields.power",
    Parameters.MAX_POWER: "charge.fields.power",
    Parameters.RESERVE: "charge.fields.reserve",
    Parameters.HEAT_SETPOINT: "hold_temperature.fields.heat_setpoint",
    Parameters.COOL_SETPOINT: "hold_temperature.fields.cool_setpoint",
}


@callback
def _text(hass: HomeAssistant | None, way: str) -> str | None:
    """Return a text of the translations, or None where there is none."""
    if hass is None:
        return None
    category = way.partition(".")[0]
    for language in (hass.config.language, _ENGLISH):
        texts = async_get_cached_translations(hass, language, category, DOMAIN)
        if text := texts.get(f"component.{DOMAIN}.{way}"):
            return text
    return None


@callback
def said(hass: HomeAssistant, way: str, **placeholders: str) -> str:
    """Return a text of the translations, filled in."""
    text = _text(hass, way)
    return way if text is None else text.format(**placeholders)


@callback
def told(hass: HomeAssistant, err: HomeAssistantError) -> str:
    """Return what an error says, for where Markdown is rendered."""
    if err.translation_domain != DOMAIN or err.translation_key is None:
        return without_markup(str(err))
    placeholders = err.translation_placeholders or {}
    return said(
        hass,
        f"exceptions.{err.translation_key}.message",
        **{name: without_markup(value) for name, value in placeholders.items()},
    )


@callback
def command_name(
    hass: HomeAssistant | None, command: str | None, device_type: str | None = None
) -> str:
    """Return what people call a command; of the same one, not for each device.

    A battery's are called as its select has them.
    """
    if command is None:
        return "-"
    key = command.replace(".", "_")
    for way in (
        f"common.command_{device_type}_{key}",
        f"entity.select.mode.state.{key}",
        f"common.command_{key}",
    ):
        if text := _text(hass, way):
            return text
    return plain_text(command)


@callback
def parameter_name(hass: HomeAssistant | None, parameter: str | None) -> str:
    """Return what people call a parameter: as the field of an action is called."""
    way = _PARAMETERS.get(parameter or "")
    text = way and _text(hass, f"services.{way}.name")
    return text or plain_text((parameter or "-").replace("_", " "))


@callback
def setting_name(hass: HomeAssistant, setting: str) -> str:
    """Return what people call a setting: as its number is called."""
    return _text(hass, f"entity.number.{setting}.name") or plain_text(setting)
