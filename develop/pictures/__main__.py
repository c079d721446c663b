"""Take the pictures: `scripts/pictures`."""

import argparse
import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
import re
import sys
from tempfile import TemporaryDirectory
from typing import Final, Literal

from PIL import Image
from playwright.async_api import Page, async_playwright

from develop import ROOT, chromium
from develop.children import Child

# A morning in June: the sun shines, and the car still charges.
MORNING: Final = "2026-06-10T08:20Z"
PATIENCE: Final = 60
MOST_BYTES: Final = 150_000
DASHBOARD: Final = "/amps-home"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What is shown, how large, and how one gets there."""

    name: str
    look: Callable[[Page, str], Awaitable[None]]
    width: int
    height: int
    demo: tuple[str, ...] = (f"--start={MORNING}",)
    scheme: Literal["light", "dark"] = "light"
    scale: float = 2


async def _dashboard(page: Page, url: str) -> None:
    await page.goto(f"{url}{DASHBOARD}")
    await page.locator("hui-tile-card").first.wait_for()
    # What moves comes to rest.
    await asyncio.sleep(2)


async def _battery(page: Page, url: str) -> None:
    await _dashboard(page, url)
    heading = page.get_by_role("heading", name="Powerwall 2", exact=True)
    await heading.evaluate("e => e.scrollIntoView({block: 'start'})")
    await page.mouse.wheel(0, -80)
    await asyncio.sleep(1)


async def _energy(page: Page, url: str) -> None:
    await page.goto(f"{url}/energy/electricity")
    await page.locator("hui-energy-usage-graph-card").first.wait_for()
    # The day before is whole.
    await page.get_by_label("Previous").first.click()
    await page.mouse.move(1, 1)
    await asyncio.sleep(3)


async def _power(page: Page, url: str) -> None:
    await page.goto(f"{url}/energy/now")
    await page.locator("hui-power-sankey-card ha-sankey-chart").first.wait_for()
    await page.mouse.move(1, 1)
    await asyncio.sleep(3)


async def _set_up(page: Page, url: str) -> None:
    await page.goto(f"{url}/config/integrations/dashboard/add?domain=amps_ai")
    await page.get_by_role("button", name=re.compile("^ok$", re.IGNORECASE)).click()
    await page.locator("dialog-data-entry-flow input[name=api_key]").wait_for()
    await asyncio.sleep(1)


async def _plan(page: Page, url: str) -> None:
    await page.goto(f"{url}/config/integrations/integration/amps_ai")
    await page.get_by_text("Add plan").first.click()
    dialog = page.locator("dialog-data-entry-flow")
    for title in ("Which device?", "What should it do?"):
        await dialog.get_by_text(title).wait_for()
        await dialog.get_by_role("button", name="Submit").click()
    await dialog.get_by_text("How, and when?").wait_for()
    await dialog.locator("ha-selector-number input").first.fill("90")
    for number, hours in enumerate((22, 5)):
        field = dialog.locator("ha-time-input").nth(number)
        # The minutes are 0 then.
        await field.locator("input[name=hours]").fill(str(hours))
        await field.locator("input[name=hours]").blur()
    await page.mouse.move(1, 1)
    await asyncio.sleep(1)


async def _calendar(page: Page, url: str) -> None:
    await page.goto(f"{url}/calendar")
    event = page.locator(".fc-event", has_text="Powerwall 2: Night charge")
    await event.nth(5).click()
    await page.locator("dialog-calendar-event-detail .description").wait_for()
    await page.mouse.move(1, 1)
    await asyncio.sleep(1)


def _pair(name: str, **given: object) -> list[Picture]:
    """Return a picture in both schemes."""
    return [
        Picture(name=f"{name}-{scheme}", scheme=scheme, **given)  # type: ignore[arg-type]
        for scheme in ("light", "dark")
    ]


PICTURES: Final = [
    *_pair("dashboard", look=_dashboard, width=1360, height=1000, scale=1.5),
    *_pair("phone", look=_battery, width=390, height=844),
    *_pair("energy", look=_energy, width=1360, height=960, scale=1.5),
    *_pair("power", look=_power, width=1360, height=1000, scale=1.5),
    Picture(name="plan", look=_plan, width=600, height=1000, scale=1),
    Picture(name="plan-calendar", look=_calendar, width=1024, height=844, scale=1),
    Picture(
        name="set-up",
        look=_set_up,
        width=700,
        height=740,
        demo=("--no-entry",),
    ),
]


@asynccontextmanager
async def _demo(arguments: tuple[str, ...]) -> AsyncGenerator[str]:
    """Run a demo; give its address."""
    with TemporaryDirectory() as folder:
        output = Path(folder) / "demo.out"
        child = await Child.start(
            "demo",
            ["-m", "develop.demo", "--port=0", f"--state={folder}", *arguments],
            output,
        )
        try:
            for _ in range(PATIENCE * 10):
                said = "\n".join(child.last_lines(40))
                if "Ctrl-C ends" in said and (
                    match := re.search(r"ready: (\S+)", said)
                ):
                    break
                if not child.running:
                    raise SystemExit(f"The demo does not start:\n{said}")
                await asyncio.sleep(0.1)
            else:
                raise SystemExit("The demo does not start.")
            yield match[1]
        finally:
            await child.stop(30)


def store(shot: bytes, path: Path) -> None:
    """Store a picture small enough for a page."""
    image = Image.open(BytesIO(shot)).convert("RGB")
    for quality in (88, 80, 70, 60, 50):
        image.save(path, "WEBP", quality=quality, method=6)
        if path.stat().st_size < MOST_BYTES:
            return
    raise SystemExit(f"{path.name} does not become small enough.")


async def _take(pictures: list[Picture], folder: Path, browser: str) -> None:
    demos = list(dict.fromkeys(picture.demo for picture in pictures))
    async with async_playwright() as playwright:
        chrome = await playwright.chromium.launch(
            executable_path=browser, args=list(chromium.ARGUMENTS)
        )
        for demo in demos:
            async with _demo(demo) as url:
                for picture in pictures:
                    if picture.demo != demo:
                        continue
                    context = await chrome.new_context(
                        viewport={"width": picture.width, "height": picture.height},
                        color_scheme=picture.scheme,
                        device_scale_factor=picture.scale,
                        reduced_motion="reduce",
                        timezone_id="Europe/Berlin",
                        locale="en-GB",
                    )
                    page = await context.new_page()
                    page.set_default_timeout(PATIENCE * 1000)
                    await picture.look(page, url)
                    store(await page.screenshot(), folder / f"{picture.name}.webp")
                    print(folder / f"{picture.name}.webp", flush=True)
                    await context.close()
        await chrome.close()


def main() -> int:
    """Take the pictures that are asked for."""
    parser = argparse.ArgumentParser(prog="scripts/pictures")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images")
    given = parser.parse_args()
    if (browser := chromium.find()) is None:
        print(f"error: {chromium.MISSING}", file=sys.stderr)
        return 1
    given.to.mkdir(parents=True, exist_ok=True)
    chosen = [
        picture
        for picture in PICTURES
        if not given.only or picture.name.startswith(tuple(given.only))
    ]
    asyncio.run(_take(chosen, given.to, browser))
    return 0


if __name__ == "__main__":
    sys.exit(main())
