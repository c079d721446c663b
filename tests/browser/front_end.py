"""Home Assistant's front end as a person uses it, and the sandbox behind it.

Its parts live in shadow roots, which Playwright's selectors look into. Names of
elements change less than their order and style, so they are what is looked for.
"""

import asyncio
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, Page, expect
import yaml

PATIENCE = 20_000  # ms
HASS = "document.querySelector('home-assistant').hass"


class FrontEnd:
    """A page of Home Assistant."""

    def __init__(
        self, page: Page, url: str, sandbox_url: str, screenshots: Path
    ) -> None:
        """Look at a page."""
        self.page = page
        self.url = url
        self.sandbox_url = sandbox_url
        self._screenshots = screenshots
        self._shots = 0
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)

    async def open(self, path: str = "/") -> None:
        """Go to a path, and wait until the front end is there."""
        await self.page.goto(f"{self.url}{path}")
        await self.page.locator("home-assistant-main").wait_for()

    async def shoot(self, name: str) -> None:
        """Take a picture, once what moves has come to rest."""
        await asyncio.sleep(0.7)
        self._shots += 1
        await self.page.screenshot(
            path=f"{self._screenshots}-{self._shots:02d}-{name}.png"
        )

    # The dialog

    @property
    def dialog(self) -> Locator:
        """The set-up dialog."""
        return self.page.locator("dialog-data-entry-flow")

    async def open_dialog(self) -> None:
        """Walk from the start page to the set-up dialog."""
        await self.open()
        await self.page.get_by_role("link", name="Settings").click()
        await self.page.get_by_text("Devices & services").first.click()
        await self.page.get_by_text("Add integration").first.click()
        search = self.page.get_by_placeholder("Search for a brand name")
        await search.fill("amps")
        await self.shoot("search")
        await self.page.get_by_text("Amps AI", exact=True).last.click()
        await self.dialog.locator("input[name=api_key]").wait_for()

    async def fill(self, **fields: str) -> None:
        """Fill the fields of the dialog in."""
        for name, value in fields.items():
            await self.dialog.locator(f"input[name={name}]").fill(value)

    async def submit(self) -> None:
        """Send the dialog off."""
        await self.dialog.get_by_role("button", name="Submit").click()

    async def open_options(self) -> None:
        """Go to the integration's page, and open the dialog with its options."""
        await self.open("/config/integrations/integration/amps_ai")
        await self.page.get_by_role("button", name="Configure").click()
        await self.dialog.locator("input[name=webhook_secret]").wait_for()

    async def finish(self) -> None:
        """Close the dialog that says that all went well."""
        await self.dialog.get_by_role("button", name="Finish").click()
        await expect(self.dialog.locator("ha-dialog")).to_have_count(0)

    # The tool that performs actions

    async def open_action(self, action: str) -> None:
        """Go to the tool, and choose an action by its full name."""
        await self.open("/config/tools/action")
        await self._pick("ha-service-picker", action, action)

    async def choose_device(self, name: str) -> None:
        """Choose the device of an action."""
        await self._pick("ha-device-picker", name, name)

    async def _pick(self, picker: str, words: str, choice: str) -> None:
        await self.page.locator(picker).click()
        choices = self.page.locator("ha-picker-combo-box")
        await choices.locator("input").fill(words)
        await choices.get_by_text(choice, exact=True).first.click()

    async def set_field(self, name: str, value: str, *, part: str = "") -> None:
        """Tick a field of an action, and give it a value."""
        row = self.page.locator("ha-settings-row").filter(
            has=self.page.get_by_text(name, exact=True)
        )
        tick = row.locator("ha-checkbox")
        if not await tick.locator("input").is_checked():
            await tick.click()
        field = row.locator(f"input[name={part}]" if part else "ha-input input")
        await field.fill(value)
        await field.press("Tab")

    async def perform(self) -> None:
        """Perform the action."""
        await self.page.get_by_role("button", name="Perform action").click()

    async def response(self) -> Any:
        """Return the response of an action, as soon as it is shown."""
        card = self.page.locator("ha-card").filter(has_text="Response")
        await card.locator(".cm-content").scroll_into_view_if_needed()
        shown = await card.locator("ha-code-editor").evaluate("e => e.value")
        return yaml.safe_load(shown)

    # Devices and their entities

    async def entries(self) -> list[dict[str, Any]]:
        """Return the entries of the integration."""
        entries: list[dict[str, Any]] = await self.page.evaluate(
            f"{HASS}.callWS({{type: 'config_entries/get', domain: 'amps_ai'}})"
        )
        return entries

    async def devices(self) -> dict[str, str]:
        """Return the ids of the integration's devices, by name."""
        found: dict[str, str] = await self.page.evaluate(
            f"""() => Object.fromEntries(Object.values({HASS}.devices)
                .filter(d => d.identifiers.some(i => i[0] === 'amps_ai'))
                .map(d => [d.name, d.id]))"""
        )
        return found

    async def open_device(self, name: str) -> None:
        """Go to the page of a device."""
        await self.open()
        device_id = (await self.devices())[name]
        await self.open(f"/config/devices/device/{device_id}")
        await self.page.locator("ha-device-entities-card").first.wait_for()

    async def state(self, entity_id: str) -> dict[str, Any]:
        """Return the state of an entity, as the front end has it."""
        state: dict[str, Any] = await self.page.evaluate(
            f"id => {HASS}.states[id]", entity_id
        )
        assert state is not None, entity_id
        return state

    async def wait_for_state(self, entity_id: str, state: str) -> None:
        """Wait until an entity has a state."""
        await self.page.wait_for_function(
            f"([id, state]) => {HASS}.states[id].state === state",
            arg=[entity_id, state],
        )

    def row(self, kind: str, name: str) -> Locator:
        """Return the row of an entity on a device's page."""
        return self.page.locator(f"hui-{kind}-entity-row").filter(has_text=name)

    async def spoken(self) -> dict[str, list[str]]:
        """Return all that the front end says of the integration's entities."""
        words: dict[str, list[str]] = await self.page.evaluate(
            f"""() => {{
                const hass = {HASS};
                const hidden = new Set(["friendly_name", "icon", "restored"]);
                return Object.fromEntries(Object.values(hass.entities)
                    .filter(e => e.platform === "amps_ai" && hass.states[e.entity_id])
                    .map(e => {{
                        const s = hass.states[e.entity_id];
                        const options = (s.attributes.options || [])
                            .concat(s.attributes.event_types || []);
                        const presets = s.attributes.preset_modes || [];
                        return [e.entity_id, [
                            s.attributes.friendly_name,
                            hass.formatEntityState(s),
                            ...options.map(o => hass.formatEntityState(s, o)),
                            ...presets.map(p => hass.formatEntityAttributeValue(
                                s, "preset_mode", p)),
                            ...Object.keys(s.attributes).filter(a => !hidden.has(a))
                                .map(a => hass.formatEntityAttributeName(s, a)),
                        ]];
                    }}));
            }}"""
        )
        return words

    async def wait_for_no_issues(self) -> None:
        """Wait until there is nothing to repair."""
        await expect(
            self.page.get_by_text("There are currently no repairs")
        ).to_be_visible()

    # The sandbox

    async def requests(self, method: str, path: str) -> list[dict[str, Any]]:
        """Return the requests that the sandbox has received."""
        reply = await self.page.context.request.get(
            f"{self.sandbox_url}/_sandbox/requests"
        )
        items = (await reply.json())["items"]
        return [
            item
            for item in items
            if item["method"] == method and item["path"].rstrip("/") == path
        ]

    async def wait_for_request(self, path: str) -> dict[str, Any]:
        """Wait for what is posted to a path, and return its body."""
        for _ in range(PATIENCE // 100):
            if posted := await self.requests("POST", path):
                body: dict[str, Any] = posted[-1]["body"]
                return body
            await asyncio.sleep(0.1)
        raise AssertionError(f"Nothing was posted to {path}")

    async def control(
        self, method: str, path: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        """Have the sandbox change something; returns what it says."""
        reply = await self.page.context.request.fetch(
            f"{self.sandbox_url}/_sandbox{path}", method=method, data=body
        )
        assert reply.ok, await reply.text()
        answer: dict[str, Any] = await reply.json()
        return answer

    async def forget_requests(self) -> None:
        """Begin a new page of the sandbox's log of requests."""
        await self.page.context.request.delete(f"{self.sandbox_url}/_sandbox/requests")
