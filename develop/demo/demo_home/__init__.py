"""What is around the devices of the demo: its meter, its week before, its areas.

The demo calls `furnish` once the devices are there, and `live` where the home is to
live faster than the world.
"""

from pathlib import Path
from typing import Final

from aiohttp import web
from homeassistant.components.frontend import add_extra_js_url
from homeassistant.components.http import HomeAssistantView
from homeassistant.components.recorder import get_instance
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.discovery import async_load_platform
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from develop.demo.clock import ProcessClock

from . import furnishing, memory

DOMAIN: Final = "demo_home"
CLOCK_URL: Final = f"/{DOMAIN}/clock.js"

CONFIG_SCHEMA = vol.Schema(
    {
        DOMAIN: vol.Schema(
            {
                vol.Required("meter"): cv.string,
                vol.Required("past"): cv.string,
                vol.Required("bare"): cv.boolean,
            }
        )
    },
    extra=vol.ALLOW_EXTRA,
)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set the home up; the devices come later."""
    settings = config[DOMAIN]
    past = Path(settings["past"])
    if await hass.async_add_executor_job(past.exists):
        # What is seen before the week is remembered would be a week without a past.
        get_instance(hass).set_enable(False)

    async def _furnish(_call: ServiceCall) -> None:
        await memory.async_remember(hass, past)
        get_instance(hass).set_enable(True)
        await furnishing.async_furnish(hass, bare=settings["bare"])

    async def _live(call: ServiceCall) -> None:
        if (clock := _clock()) is not None:
            clock.set_speed(call.data["speed"])

    hass.services.async_register(DOMAIN, "furnish", _furnish)
    hass.services.async_register(
        DOMAIN, "live", _live, vol.Schema({vol.Required("speed"): vol.Coerce(float)})
    )
    if _clock() is not None:
        hass.http.register_view(ClockView())
        add_extra_js_url(hass, CLOCK_URL)
    await async_load_platform(hass, Platform.SENSOR, DOMAIN, dict(settings), config)
    return True


def _clock() -> ProcessClock | None:
    """Return the clock that this process lives by, unless that is the world's."""
    return ProcessClock.installed


# Home Assistant and the browser have to agree what time it is.
_SCRIPT: Final = """\
const at = %(at)s;
const speed = %(speed)s;
const began = performance.now();
const now = () => Math.round(at + (performance.now() - began) * speed);
window.Date = new Proxy(Date, {
  construct: (date, given, made) =>
    Reflect.construct(date, given.length ? given : [now()], made),
  apply: (date) => new date(now()).toString(),
  get: (date, name) => (name === "now" ? now : Reflect.get(date, name)),
});
"""


class ClockView(HomeAssistantView):
    """Gives the browser the home's clock."""

    url = CLOCK_URL
    name = f"{DOMAIN}:clock"
    requires_auth = False

    async def get(self, _request: web.Request) -> web.Response:
        """Return the script that sets it."""
        clock = _clock()
        assert clock is not None
        return web.Response(
            text=_SCRIPT % {"at": clock.home.time() * 1000, "speed": clock.home.speed},
            content_type="text/javascript",
            headers={"Cache-Control": "no-store"},
        )
