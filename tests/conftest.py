"""What the tests share: a sandbox over real loopback HTTP."""

import asyncio
from collections.abc import AsyncGenerator, Generator
import gc
from itertools import count
import os
import random

import freezegun
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.http import HomeAssistantHTTP
from homeassistant.helpers.script import DATA_SCRIPTS
import pytest
from pytest_socket import enable_socket, socket_allow_hosts

from sandbox import Clock, Sandbox

from .lean import forget_cores, make_lean, watch_threads

# Noon, UTC, of the day on which most documented bodies were taken.
NOON = "2026-06-01T12:00:00Z"

# After so many cores, what they left behind is collected.
SWEEP = 30

_cores = count(1)
_LOOP = pytest.StashKey[asyncio.AbstractEventLoop]()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Take imports and pytest's items out of every collection to come.

    Every look at them took a third of a second, and there was one for every
    dozen tests. By itself, Python looks rarely: it finds little.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 10)


@pytest.fixture(autouse=True, scope="module")
def garbage_collection() -> None:
    """Neither collect nor freeze for each module.

    Frozen later, when there are cores, each would be kept to the end of the run.
    """


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep of what was written only what tells why a test failed.

    Pytest keeps it of each test, to the end: a gibibyte and more of lines.
    """
    report = yield
    if report.passed and not set("PA") & set(item.config.option.reportchars):
        report.sections.clear()
    if report.when == "teardown":
        item._report_sections.clear()
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let go of finished cores; by itself, Python rarely looks for them."""
    result = yield
    if "hass" in getattr(item, "fixturenames", ()):
        forget_cores()
        if next(_cores) % SWEEP == 0:
            gc.collect()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Let the loop live by the real clock as soon as a test has ended.

    By one that jumped along, all that was planned would be due in the midst of
    what is taken down: polls of a sandbox that is gone, and what they log.
    """
    try:
        return (yield)
    finally:
        if (loop := item.stash.get(_LOOP, None)) is not None:
            # By its whole name: one imported here would be frozen as well.
            loop.time = freezegun.api.real_monotonic  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Take a finished core apart.

    Much of it is then gone at once, and need not be found among the garbage. A
    script looks into its core once more when it goes itself, so those stay whole.
    """
    core = getattr(item, "funcargs", {}).get("hass")
    try:
        return (yield)
    finally:
        if core is not None and not core.data.get(DATA_SCRIPTS):
            vars(core).clear()


@pytest.fixture(autouse=True)
def loopback() -> None:
    """Let tests talk to this machine, and to nothing else."""
    socket_allow_hosts(["127.0.0.1"])
    enable_socket()


@pytest.fixture(autouse=True)
def lots(request: pytest.FixtureRequest) -> None:
    """Draw the same lots in each run of a test: who is first hangs on them.

    AMPS_AI_SEED=1 brings other ones, with which all has to hold as well.
    """
    random.seed(f"{os.environ.get('AMPS_AI_SEED', '')} {request.node.nodeid}")


@pytest.fixture(autouse=True)
async def enable_event_loop_debug(request: pytest.FixtureRequest) -> None:
    """Let the loop check who calls it; PYTHONASYNCIODEBUG=1 brings all the rest.

    That shows where a task or a timer was made that a test left behind.
    """
    loop = asyncio.get_running_loop()
    request.node.stash[_LOOP] = loop
    if not loop.get_debug():
        watch_threads(loop)


@pytest.fixture(autouse=True, scope="session")
def disable_http_server() -> Generator[None]:
    """Bind no port of Home Assistant's, as the tools see to it for each test."""

    async def _nothing(*args: object) -> None: ...

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HomeAssistantHTTP, "async_bind", _nothing)
        patch.setattr(HomeAssistantHTTP, "start", _nothing)
        yield


@pytest.fixture(autouse=True, scope="session")
def lean() -> Generator[None]:
    """Spend the time of the tests on what they test."""
    with pytest.MonkeyPatch.context() as patch:
        make_lean(patch)
        yield


@pytest.fixture
def home() -> str:
    """Return the home that the sandbox holds; tests choose another one."""
    return "home"


@pytest.fixture
async def sandbox(home: str) -> AsyncGenerator[Sandbox]:
    """Run the sandbox, with a clock that moves by hand."""
    server = Sandbox(home=home, clock=Clock.manual(NOON))
    await server.start()
    yield server
    await server.stop()
    assert not server.crashes


@pytest.fixture
async def freezer() -> AsyncGenerator[FrozenDateTimeFactory]:
    """Stop the clock on the wall; the event loop's runs on, and jumps along.

    It is the sandbox's noon, whenever the tests are run: what is due within a
    part of a second, or at the end of an hour, does not hang on that.

    With a loop whose time stands still, nothing that waits a little would
    ever go on; with one that does not jump, no timer would be due.
    """
    loop = asyncio.get_running_loop()
    usual = loop.time
    with freezegun.freeze_time(NOON) as frozen:
        assert isinstance(frozen, FrozenDateTimeFactory)
        start = frozen.time_to_freeze

        def _time() -> float:
            # By its whole name: one imported here would be frozen as well.
            real = freezegun.api.real_monotonic()
            return real + (frozen.time_to_freeze - start).total_seconds()

        loop.time = _time  # type: ignore[method-assign]
        try:
            yield frozen
        finally:
            loop.time = usual  # type: ignore[method-assign]
