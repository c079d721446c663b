"""Watch over every test: nothing secret may get out anywhere."""

from collections.abc import Mapping, Sequence
import json
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_API_KEY, CONF_WEBHOOK_ID, EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir

from custom_components.amps_ai.common.const import (
    CONF_CLOUDHOOK_URL,
    CONF_USER_ID,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
)
from custom_components.amps_ai.diagnostics import async_get_config_entry_diagnostics
from sandbox import Sandbox

SECRET = (
    CONF_API_KEY,
    CONF_USER_ID,
    CONF_WEBHOOK_ID,
    CONF_WEBHOOK_SECRET,
    CONF_CLOUDHOOK_URL,
)
# Home Assistant's own place for what an entry holds, with the key and all.
OWN_PLACE = "core.config_entries"
LOGGERS = ("custom_components", "homeassistant")
OWN_WORDS = ("homeassistant.components.webhook", "homeassistant.helpers.http")


class Leaks(logging.Handler):
    """Look for the secrets in use, in whatever is written or shown."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))
        self.found: list[str] = []
        self.looked_at = 0
        self._hass: HomeAssistant | None = None
        self._sandbox: Sandbox | None = None
        self._secrets: set[str] = set()
        self._known: Sequence[Mapping[str, Any]] = ()

    def begin(self, hass: HomeAssistant, sandbox: Sandbox) -> None:
        """Watch a core and its entries."""
        self._hass = hass
        self._sandbox = sandbox
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._state)

    def secrets(self) -> set[str]:
        """Return what must not be told; what was in use once stays secret."""
        hass, sandbox = self._hass, self._sandbox
        if hass is None or sandbox is None:
            return self._secrets
        self._secrets |= set(sandbox.accounts)
        data = [entry.data for entry in hass.config_entries.async_entries(DOMAIN)]
        # Data are replaced, never changed: the same ones hold nothing new.
        if len(data) != len(self._known) or any(
            one is not other for one, other in zip(data, self._known, strict=True)
        ):
            self._known = data
            for one in data:
                self._secrets |= {
                    str(one[name]) for name in SECRET if len(str(one.get(name, ""))) > 5
                }
        return self._secrets

    def look(self, text: str, where: str) -> None:
        """Look for a secret in a text."""
        self.looked_at += 1
        for secret in self.secrets():
            if secret in text:
                self.found.append(f"{secret} in {where}: {text[:300]}")

    def emit(self, record: logging.LogRecord) -> None:
        """Look at a line of the log, with the exception that it tells."""
        # Home Assistant names the paths of webhooks itself.
        if record.name.startswith(LOGGERS) and record.name not in OWN_WORDS:
            self.look(self.format(record), "the log")

    @callback
    def _state(self, event: Event[Any]) -> None:
        if (state := event.data["new_state"]) is not None:
            self.look(state.as_dict_json.decode(), "a state")

    async def finish(self) -> None:
        """Look at what stands at the end."""
        hass = self._hass
        assert hass is not None
        for entry in hass.config_entries.async_entries(DOMAIN):
            self.look(entry.title, "a title")
            if entry.state is ConfigEntryState.LOADED:
                told = await async_get_config_entry_diagnostics(hass, entry)
                self.look(json.dumps(told, default=str), "the diagnostics")
        for item in er.async_get(hass).entities.values():
            self.look(f"{item.entity_id} {item.original_name}", "an entity")
        for issue in ir.async_get(hass).issues.values():
            self.look(f"{issue.translation_placeholders} {issue.data}", "a repair")
        for flow in hass.config_entries.flow.async_progress(include_uninitialized=True):
            self.look(f"{flow.get('context')}", "a flow")

    def stored(self, files: Mapping[str, Any]) -> None:
        """Look at the files that were written."""
        for name, content in files.items():
            if name != OWN_PLACE:
                self.look(json.dumps(content, default=str), f"the file {name}")
