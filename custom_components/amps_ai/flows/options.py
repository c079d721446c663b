"""Options: how fresh the data is kept, notifications, and webhooks."""

from typing import Any, Final

from homeassistant.components import webhook
from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.helpers.translation import async_get_translations
import voluptuous as vol

from ..api.webhook import InvalidSecretError, WebhookVerifier
from ..common.const import (
    CONF_FRESHNESS,
    CONF_NOTIFY_FAILURES,
    CONF_WEBHOOK,
    CONF_WEBHOOK_SECRET,
    DOCS_URL,
    DOMAIN,
)
from ..readings.levels import LEVELS, STANDARD
from ..webhooks import async_address

# Stands in the description where there is no address.
_NO_ADDRESS: Final = f"component.{DOMAIN}.options.error.no_external_url"


class AmpsOptionsFlow(OptionsFlowWithReload):
    """Change an account's options.

    What is secret lives in the entry's data: options are replaced as a whole,
    and shown again.
    """

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for everything at once."""
        errors: dict[str, str] = {}
        if user_input is not None:
            secret = user_input.pop(CONF_WEBHOOK_SECRET, "").strip()
            error = self._secret_error(secret, wanted=user_input[CONF_WEBHOOK])
            if error is None:
                return self._save(user_input, secret)
            errors[CONF_WEBHOOK_SECRET] = error
        shown = {**self.config_entry.options, **(user_input or {})}
        return self.async_show_form(
            step_id="init",
            data_schema=_schema(shown),
            description_placeholders={
                "url": await self._async_url(),
                "docs_url": DOCS_URL,
            },
            errors=errors,
        )

    def _secret_error(self, secret: str, *, wanted: bool) -> str | None:
        """Return what is wrong with a secret; an empty one keeps the old one."""
        if not secret:
            missing = CONF_WEBHOOK_SECRET not in self.config_entry.data
            return "secret_required" if wanted and missing else None
        try:
            WebhookVerifier(secret)
        except InvalidSecretError:
            return "invalid_secret"
        return None

    def _save(self, user_input: dict[str, Any], secret: str) -> ConfigFlowResult:
        """Take the options and the secret; one reload follows whatever changed."""
        entry = self.config_entry
        options = {**entry.options, **user_input}
        data = {**entry.data, CONF_WEBHOOK_SECRET: secret} if secret else entry.data
        changed = self.hass.config_entries.async_update_entry(entry, data=data)
        if changed and options == entry.options:
            # Changed options have the entry reloaded by themselves.
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_create_entry(data=options)

    async def _async_url(self) -> str:
        """Return the address to paste into the Amps dashboard, or say why not.

        It stays the same for good, so it is made when it is first shown.
        """
        entry = self.config_entry
        if CONF_WEBHOOK_ID not in entry.data:
            self.hass.config_entries.async_update_entry(
                entry,
                data={**entry.data, CONF_WEBHOOK_ID: webhook.async_generate_id()},
            )
        if (url := await async_address(self.hass, entry)) is not None:
            return url
        words = await async_get_translations(
            self.hass, self.hass.config.language, "options", [DOMAIN]
        )
        path = webhook.async_generate_path(entry.data[CONF_WEBHOOK_ID])
        return words.get(_NO_ADDRESS, "- ({path})").format(path=path)


def _schema(shown: dict[str, Any]) -> vol.Schema:
    """Return the form, filled in; a secret is never shown."""
    return vol.Schema(
        {
            vol.Required(
                CONF_FRESHNESS, default=shown.get(CONF_FRESHNESS, STANDARD)
            ): SelectSelector(
                SelectSelectorConfig(
                    options=list(LEVELS), translation_key=CONF_FRESHNESS
                )
            ),
            vol.Required(
                CONF_NOTIFY_FAILURES, default=shown.get(CONF_NOTIFY_FAILURES, True)
            ): BooleanSelector(),
            vol.Required(
                CONF_WEBHOOK, default=shown.get(CONF_WEBHOOK, False)
            ): BooleanSelector(),
            vol.Optional(CONF_WEBHOOK_SECRET): TextSelector(
                TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
            ),
        }
    )
