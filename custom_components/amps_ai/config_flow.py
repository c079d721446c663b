"""Set up an account, and mend it: key, app id, end user."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_API_KEY
from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.selector import (
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .account import create_client
from .api import (
    AmpsClient,
    AmpsConnectionError,
    AmpsError,
    AmpsInvalidKeyError,
    AmpsLiveAccessError,
    AmpsMalformedReplyError,
    AmpsOverloadedError,
    AmpsPermissionError,
    AmpsServerError,
    DeviceType,
    Environment,
    link_url,
)
from .api.addresses import clean_app_id, external_user_ref
from .common.const import (
    CONF_APP_ID,
    CONF_USER_ID,
    DOCS_URL,
    DOMAIN,
    ENTRY_VERSION,
    LOGGER,
    MANY_DEVICES,
    link_base_url,
)
from .flows import AmpsOptionsFlow, AmpsPlanFlow
from .plans import SUBENTRY_TYPE

_PASSWORD = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
)

ACCOUNT_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_API_KEY): _PASSWORD,
        vol.Required(CONF_APP_ID): TextSelector(),
        vol.Optional(CONF_USER_ID): TextSelector(),
    }
)
KEY_SCHEMA = vol.Schema({vol.Required(CONF_API_KEY): _PASSWORD})
USER_SCHEMA = vol.Schema({vol.Optional(CONF_USER_ID): TextSelector()})

# The most special kind first.
_ERRORS: tuple[tuple[type[AmpsError], str], ...] = (
    (AmpsInvalidKeyError, "invalid_auth"),
    (AmpsLiveAccessError, "live_access_disabled"),
    (AmpsPermissionError, "insufficient_permissions"),
    (AmpsOverloadedError, "rate_limited"),
    (AmpsConnectionError, "cannot_connect"),
    (AmpsMalformedReplyError, "cannot_connect"),
    (AmpsServerError, "cannot_connect"),
)
# Which field an error stands at; the others concern the whole form.
_FIELDS = {
    "invalid_auth": CONF_API_KEY,
    "live_access_disabled": CONF_API_KEY,
    "insufficient_permissions": CONF_API_KEY,
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a key and a user id lead to."""

    environment: Environment
    count: int
    # Known only where they were asked for.
    device_ids: frozenset[str] = frozenset()


async def async_find(client: AmpsClient, *, ids: bool) -> Found:
    """Ask the API what is there; `ids` asks for all devices, not only how many.

    A type that fails does so on its own, unless the key is refused or all
    types fail: then the error is raised.
    """

    async def _async_one(device_type: DeviceType) -> tuple[int, frozenset[str]]:
        if not ids:
            return await client.async_count_devices(device_type), frozenset()
        devices = (await client.async_list_devices(device_type)).devices
        return len(devices), frozenset(devices)

    results = await asyncio.gather(
        *(_async_one(device_type) for device_type in DeviceType),
        return_exceptions=True,
    )
    failed = [result for result in results if isinstance(result, BaseException)]
    for kind in (Exception, AmpsInvalidKeyError):
        for error in failed:
            if kind is Exception and not isinstance(error, AmpsError):
                raise error
            if kind is not Exception and isinstance(error, kind):
                raise error
    if len(failed) == len(results):
        raise failed[0]
    answers = [result for result in results if not isinstance(result, BaseException)]
    return Found(
        environment=client.environment,
        count=sum(count for count, _ in answers),
        device_ids=frozenset().union(*(found for _, found in answers)),
    )


def _others(entry: ConfigEntry, schema: vol.Schema) -> dict[str, Any]:
    """Return what an entry has that a form does not ask for."""
    return {
        name: value for name, value in entry.data.items() if name not in schema.schema
    }


def _tidy(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return what was typed, without surrounding space and without nothing."""
    typed = {name: str(value).strip() for name, value in user_input.items()}
    return {name: value for name, value in typed.items() if value}


class AmpsConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up an account."""

    VERSION = ENTRY_VERSION

    _typed: dict[str, str]
    _found: Found

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the flow that changes an account's options."""
        return AmpsOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what can be added to an account."""
        return {SUBENTRY_TYPE: AmpsPlanFlow}

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for key, app id and end user."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._typed = _tidy(user_input)
            errors = self._missing() or await self._async_look()
            if not errors:
                return await self._async_check()
        return self._first_form(user_input or {}, errors)

    def _first_form(
        self, typed: Mapping[str, Any], errors: dict[str, str]
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(ACCOUNT_SCHEMA, typed),
            description_placeholders={"docs_url": DOCS_URL},
            errors=errors,
        )

    def _missing(self) -> dict[str, str]:
        """Return an error for each field that holds nothing of use."""
        errors = {
            name: "required"
            for name in (CONF_API_KEY, CONF_APP_ID)
            if name not in self._typed
        }
        if CONF_APP_ID in self._typed:
            if (app_id := clean_app_id(self._typed[CONF_APP_ID])) is None:
                errors[CONF_APP_ID] = "invalid_app_id"
            else:
                self._typed[CONF_APP_ID] = app_id
        return errors

    async def _async_look(
        self, schema: vol.Schema = ACCOUNT_SCHEMA, *, ids: bool | None = None
    ) -> dict[str, str]:
        """Ask the API what is there; return the errors to show in a form.

        An error stands at its field, or at the whole form where that has none.
        """
        if ids is None:
            ids = bool(self._other_entries())
        client = create_client(
            self.hass, self._typed[CONF_API_KEY], self._typed.get(CONF_USER_ID)
        )
        try:
            self._found = await async_find(client, ids=ids)
        except AmpsError as err:
            LOGGER.debug("The account cannot be used: %s", err)
            for kind, error in _ERRORS:
                if isinstance(err, kind):
                    field = _FIELDS.get(error, "base")
                    return {field if field in schema.schema else "base": error}
            return {"base": "unknown"}
        except Exception:  # noqa: BLE001
            LOGGER.exception("Unexpected error while looking at the account")
            return {"base": "unknown"}
        return {}

    async def _async_check(self) -> ConfigFlowResult:
        """Go on with an account that answers."""
        # A flow that a reload of the page left at a menu is in nobody's way: it
        # ends when an entry is made.
        await self.async_set_unique_id(self._unique_id(), raise_on_progress=False)
        self._abort_if_unique_id_configured()
        if self._overlaps():
            return self.async_abort(reason="overlapping_entry")
        if self._found.count == 0:
            return await self.async_step_no_devices()
        if self._found.count > MANY_DEVICES and CONF_USER_ID not in self._typed:
            return await self.async_step_large_account()
        return self._create()

    def _unique_id(self) -> str:
        user = self._typed.get(CONF_USER_ID, "*")
        return f"{self._found.environment}:{self._typed[CONF_APP_ID]}:{user}"

    @callback
    def _other_entries(self) -> list[ConfigEntry]:
        """Return the entries that are not the one at hand."""
        own = self.context.get("entry_id")
        return [
            entry
            for entry in self._async_current_entries(include_ignore=False)
            if entry.entry_id != own
        ]

    @callback
    def _overlaps(self) -> bool:
        """Tell whether another entry has, or may get, devices of this one.

        The app id is typed and proves nothing: what counts is the key, and
        the devices that it lists.
        """
        user = self._typed.get(CONF_USER_ID)
        registry = dr.async_get(self.hass)
        for entry in self._other_entries():
            other = entry.data.get(CONF_USER_ID)
            same_key = entry.data[CONF_API_KEY] == self._typed[CONF_API_KEY]
            # One key may serve several end users, each with an entry.
            if same_key and (user is None or other is None or user == other):
                return True
            owned = {
                device_id
                for device in dr.async_entries_for_config_entry(
                    registry, entry.entry_id
                )
                for domain, device_id in device.identifiers
                if domain == DOMAIN
            }
            if owned & self._found.device_ids:
                return True
        return False

    async def async_step_no_devices(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show where devices are connected, as there are none yet."""
        return self.async_show_menu(
            step_id="no_devices",
            menu_options=["look_again", "change", "go_on"],
            description_placeholders={
                "link_url": link_url(
                    self._typed[CONF_APP_ID],
                    self._found.environment,
                    base_url=link_base_url(),
                    external_user_ref=external_user_ref(self._typed.get(CONF_USER_ID)),
                )
            },
        )

    async def async_step_look_again(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look whether devices were connected meanwhile."""
        if errors := await self._async_look():
            return self._first_form(self._typed, errors)
        return await self._async_check()

    async def async_step_change(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go back to the first form: a mistyped user has no devices either."""
        return self._first_form(self._typed, {})

    async def async_step_go_on(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on without devices: they appear by themselves once connected."""
        return self._create()

    async def async_step_large_account(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether really all of so many devices are meant."""
        errors: dict[str, str] = {}
        if user_input is not None:
            typed = _tidy(user_input)
            if CONF_USER_ID not in typed:
                return self._create()
            self._typed |= typed
            errors = await self._async_look(USER_SCHEMA)
            if not errors:
                return await self._async_check()
            del self._typed[CONF_USER_ID]
        return self.async_show_form(
            step_id="large_account",
            data_schema=self.add_suggested_values_to_schema(
                USER_SCHEMA, user_input or {}
            ),
            description_placeholders={"count": str(self._found.count)},
            errors=errors,
        )

    @callback
    def _create(self) -> ConfigFlowResult:
        """Make the entry; its title tells entries apart and names no user."""
        # While a person read a step, another flow may have come first.
        self._abort_if_unique_id_configured()
        if self._overlaps():
            return self.async_abort(reason="overlapping_entry")
        sandbox = self._found.environment is Environment.SANDBOX
        base = "Amps AI (sandbox)" if sandbox else "Amps AI"
        taken = {entry.title for entry in self._other_entries()}
        title, count = base, 1
        while title in taken:
            count += 1
            title = f"{base} {count}"
        return self.async_create_entry(title=title, data=self._typed)

    # Mending

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Begin when the key is refused."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a new key."""
        return await self._async_mend(
            "reauth_confirm", KEY_SCHEMA, self._get_reauth_entry(), user_input
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change key, app id or end user."""
        return await self._async_mend(
            "reconfigure", ACCOUNT_SCHEMA, self._get_reconfigure_entry(), user_input
        )

    async def _async_mend(
        self,
        step_id: str,
        schema: vol.Schema,
        entry: ConfigEntry,
        user_input: dict[str, Any] | None,
    ) -> ConfigFlowResult:
        """Take new data for an entry, if they lead to the same devices."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._typed = {**_others(entry, schema), **_tidy(user_input)}
            errors = self._missing() or await self._async_look(schema, ids=True)
            reason = None if errors else self._unfit(entry)
            if reason is not None and schema is KEY_SCHEMA:
                # To close it would leave nothing to enter the right key in.
                errors[CONF_API_KEY] = reason
            elif reason is not None:
                return self.async_abort(reason=reason)
            elif not errors:
                # Others may have changed the rest while the key was tried.
                return self.async_update_reload_and_abort(
                    entry,
                    unique_id=self._unique_id(),
                    data={**self._typed, **_others(entry, schema)},
                )
        suggested = {
            name: value
            for name, value in (user_input or entry.data).items()
            if name != CONF_API_KEY
        }
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, suggested),
            description_placeholders={"title": entry.title, "docs_url": DOCS_URL},
            errors=errors,
        )

    @callback
    def _unfit(self, entry: ConfigEntry) -> str | None:
        """Return why an entry cannot have what was typed, or None if it can."""
        environment, _, _ = (entry.unique_id or "").partition(":")
        owned = {
            device_id
            for device in dr.async_entries_for_config_entry(
                dr.async_get(self.hass), entry.entry_id
            )
            for domain, device_id in device.identifiers
            if domain == DOMAIN and device_id != entry.entry_id
        }
        if environment != self._found.environment or (
            owned and not owned & self._found.device_ids
        ):
            return "wrong_account"
        unique_id = self._unique_id()
        if any(other.unique_id == unique_id for other in self._other_entries()):
            return "already_configured"
        return "overlapping_entry" if self._overlaps() else None
