"""The Energy dashboard and its settings, as a person uses them."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
import re
from typing import Any, Final

from playwright.async_api import Locator, expect

from tests.energy_page import KINDS, Setting, words

from .front_end import HASS, FrontEnd

DIALOGS: Final = {
    "solar": "dialog-energy-solar-settings",
    "battery": "dialog-energy-battery-settings",
    "device_consumption": "dialog-energy-device-settings",
}
# What a setting takes that is no entity.
CHOICES: Final = ("power_config",)
NUMBERS: Final = ("capacity",)


class EnergyPanel:
    """Home Assistant's Energy dashboard in a browser."""

    def __init__(self, front_end: FrontEnd) -> None:
        """Use a front end."""
        self._front_end = front_end
        self._page = front_end.page

    async def call(self, command: str, **data: Any) -> Any:
        """Ask Home Assistant."""
        return await self._page.evaluate(
            f"message => {HASS}.callWS(message)", {"type": command, **data}
        )

    # What it shows

    async def open(self, tab: str) -> None:
        """Open the dashboard from the side, and one of its tabs."""
        await self._front_end.open("/energy")
        await self._page.get_by_role("tab", name=tab, exact=True).click()

    async def data(self, card: str, chart: str = "ha-chart-base") -> Any:
        """Return what a card draws, once it draws something."""
        drawn = self._page.locator(f"hui-{card}-card {chart}").first
        await drawn.wait_for()
        for _ in range(100):
            if data := await drawn.evaluate("e => e.data"):
                return data
            await asyncio.sleep(0.1)
        raise AssertionError(f"{card} is empty")

    async def flows(self, card: str) -> dict[str, dict[str, Any]]:
        """Return the ends of the streams of a card, by their ids."""
        data = await self.data(card, "ha-sankey-chart")
        return {node["id"]: node for node in data["nodes"]}

    async def change(self, statistic_id: str, begin: str, end: str) -> float:
        """Return how much a counter rose."""
        found = await self.call(
            "recorder/statistics_during_period",
            start_time=begin,
            end_time=end,
            statistic_ids=[statistic_id],
            period="hour",
            types=["change"],
        )
        return float(sum(row["change"] for row in found[statistic_id]))

    # Its settings

    async def forget(self) -> None:
        """Set nothing up any more, as it is at first."""
        await self.call("energy/save_prefs", energy_sources=[], device_consumption=[])

    async def begin(self) -> None:
        """Open the dashboard for the first time: it asks step by step."""
        await self._front_end.open()
        await self._page.get_by_role("link", name="Energy", exact=True).click()
        await expect(self._page.locator("energy-setup-wizard-card")).to_contain_text(
            "Step 1 of"
        )

    async def step(self, kind: str) -> None:
        """Go on to the step that asks for something."""
        title = words(kind)["title"]
        wizard = self._page.locator("energy-setup-wizard-card")
        number = wizard.get_by_text("Step ")
        while not await wizard.get_by_text(title, exact=True).count():
            told = await number.inner_text()
            await wizard.get_by_role("button", name="Next").click()
            await expect(number).not_to_have_text(told)

    async def finish(self) -> None:
        """See the dashboard after the last step."""
        await self.step("water")
        await self._page.get_by_role(
            "button", name="Show me my energy dashboard!"
        ).click()
        await self._page.get_by_role("tab").first.wait_for()

    async def change_settings(self) -> None:
        """Open the settings from the dashboard."""
        await self._page.get_by_role("button", name="Edit dashboard").click()
        await self._page.wait_for_url("**/config/energy/electricity?**")

    async def add(
        self, kind: str, device: str, settings: Iterable[Setting], capacity: str
    ) -> None:
        """Add a device, field by field, and save it."""
        (button,) = (name for name, (_, of, _) in KINDS.items() if of == kind)
        part, _, name = button.partition(".")
        await self._page.get_by_role("button", name=words(part)[name]).click()
        dialog = self._page.locator(DIALOGS[kind])
        for setting in settings:
            if setting.key in CHOICES:
                await dialog.get_by_text(setting.chosen, exact=True).click()
            elif setting.key in NUMBERS:
                await _input(dialog, setting.field).fill(capacity)
            else:
                entity = re.search(r"\*(.+?)\*", setting.chosen)
                assert entity is not None
                await self._pick(dialog, setting.field, device, entity[1])
        await _input(dialog, words(part)["dialog.display_name"]).fill(device)
        await self._front_end.shoot(kind)
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog.locator("ha-dialog")).to_have_count(0)

    async def _pick(self, dialog: Locator, field: str, device: str, name: str) -> None:
        picker = dialog.locator("ha-statistic-picker").filter(has_text=field)
        # What it opens with before it knows any, stays empty.
        await self._page.wait_for_function(
            "e => e.statisticIds?.length", arg=await picker.element_handle()
        )
        await picker.locator("ha-picker-field, ha-button").first.click()
        choices = self._page.locator("ha-picker-combo-box")
        await choices.locator("ha-combo-box-item").first.wait_for()
        await choices.locator("input").fill(f"{device} {name}")
        choice = choices.locator("ha-combo-box-item").filter(has_text=device)
        await choice.get_by_text(name, exact=True).first.click()
        await expect(choices).to_have_count(0)


def points(series: Iterable[dict[str, Any]]) -> dict[str, list[float]]:
    """Return what a chart draws, by the names of its legend."""
    found: dict[str, list[float]] = defaultdict(list)
    for one in series:
        found[one.get("name", "")] += [
            (point["value"] if isinstance(point, dict) else point)[1]
            for point in one.get("data", ())
        ]
    return found


def _input(dialog: Locator, label: str) -> Locator:
    return dialog.locator("ha-input").filter(has_text=label).locator("input")
