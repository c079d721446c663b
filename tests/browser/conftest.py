"""A browser, and the demo that it looks at."""

from collections.abc import AsyncGenerator, Generator
import os

from playwright.async_api import Browser, Page, async_playwright
import pytest

from develop import ROOT, chromium as chromium_browser

from .demo import DemoProcess, running_demo
from .front_end import FrontEnd

SCREENSHOTS = ROOT / "screenshots"
# Two in the morning, UTC: the car is plugged in and charges.
NIGHT = "2026-06-01T02:00Z"


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the browser; without one the tests are skipped, or fail where asked."""
    if (path := chromium_browser.find()) is not None:
        return path
    reason = chromium_browser.MISSING
    if os.environ.get("AMPS_AI_REQUIRE_BROWSER"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
async def browser(chromium: str) -> AsyncGenerator[Browser]:
    """Start the browser; it ends with the test."""
    async with async_playwright() as playwright:
        # What Playwright starts, it also ends.
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=list(chromium_browser.ARGUMENTS)
        )
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
def empty_demo(
    chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Generator[DemoProcess]:
    """Run the demo without the integration."""
    state = tmp_path_factory.mktemp("empty")
    with running_demo(state, "--port=0", "--no-entry", f"--start={NIGHT}") as demo:
        yield demo


@pytest.fixture(scope="module")
def full_demo(
    chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Generator[DemoProcess]:
    """Run the demo as a person first sees it."""
    with running_demo(
        tmp_path_factory.mktemp("full"), "--port=0", "--bare", f"--start={NIGHT}"
    ) as demo:
        yield demo


@pytest.fixture(scope="module")
def present_demo(
    chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Generator[DemoProcess]:
    """Run the demo with the home in the present, as plans for later need it."""
    state = tmp_path_factory.mktemp("present")
    with running_demo(state, "--port=0", "--bare") as demo:
        yield demo


@pytest.fixture
async def page(browser: Browser) -> AsyncGenerator[Page]:
    """Open a page of a desktop's size."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    yield page
    await context.close()


@pytest.fixture(scope="session", autouse=True)
def screenshots() -> None:
    """Keep the pictures of this run only."""
    SCREENSHOTS.mkdir(exist_ok=True)
    for old in SCREENSHOTS.glob("*.png"):
        old.unlink()


async def visit(
    page: Page, demo: DemoProcess, request: pytest.FixtureRequest
) -> AsyncGenerator[FrontEnd]:
    """Visit a demo; a picture shows where a test has ended."""
    name = request.node.name.removeprefix("test_")
    front_end = FrontEnd(page, demo.url, demo.sandbox_url, SCREENSHOTS / name)
    yield front_end
    await front_end.shoot("end")


@pytest.fixture
async def empty(
    page: Page, empty_demo: DemoProcess, request: pytest.FixtureRequest
) -> AsyncGenerator[FrontEnd]:
    """Visit the demo that begins without the integration."""
    async for front_end in visit(page, empty_demo, request):
        yield front_end


@pytest.fixture
async def full(
    page: Page, full_demo: DemoProcess, request: pytest.FixtureRequest
) -> AsyncGenerator[FrontEnd]:
    """Visit the whole demo."""
    async for front_end in visit(page, full_demo, request):
        yield front_end


@pytest.fixture
async def present(
    page: Page, present_demo: DemoProcess, request: pytest.FixtureRequest
) -> AsyncGenerator[FrontEnd]:
    """Visit the demo whose home lives in the present."""
    async for front_end in visit(page, present_demo, request):
        yield front_end
