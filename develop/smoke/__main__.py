"""Run the smoke: `scripts/smoke`."""

import argparse
import asyncio
import os
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
import traceback
from typing import Final

from develop import ROOT
from sandbox import Clock, Sandbox

from .log import DOMAIN, Log

# Noon of a day in summer: the sun shines, and the car is away.
NOON: Final = "2026-06-01T12:00:00+02:00"
# All of it, with starting and stopping.
TIME_LIMIT: Final = 240


def say(text: str) -> None:
    """Show what is being done."""
    print(text, file=sys.stderr, flush=True)


async def _run(integration: Path, folder: Path) -> bool:
    """Live through it; tell whether all went well."""
    from homeassistant.const import __version__

    from develop.bare_core import CoreError

    from .core import started
    from .life import Life

    say(f"Home Assistant {__version__}")
    sandbox = Sandbox(clock=Clock.real(NOON), action_seconds=0.2)
    await sandbox.start()
    os.environ["AMPS_AI_API_URL"] = sandbox.url
    os.environ["AMPS_AI_LINK_URL"] = f"{sandbox.url}/link"
    step = "the start of Home Assistant"
    try:
        async with asyncio.timeout(TIME_LIMIT), started(integration, folder) as hass:
            for step, act in Life(hass, sandbox).steps:
                await act()
                say(f"- {step}")
            step = "the end of Home Assistant"
    except CoreError as err:
        say(f"error: {step}: {err}")
        return False
    except TimeoutError:
        say(f"error: {step}: the time of {TIME_LIMIT} s is over")
        return False
    except Exception:  # noqa: BLE001
        # Whatever it is, a line that says where comes first.
        say(f"error: {step}:\n{traceback.format_exc()}")
        return False
    finally:
        await sandbox.stop()
    for crash in sandbox.crashes:
        say(f"error: the sandbox: {crash!r}")
    return not sandbox.crashes


def main() -> int:
    """Run the smoke; return the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/smoke")
    parser.add_argument(
        "--integration",
        type=Path,
        default=ROOT / "custom_components" / DOMAIN,
        help="the integration's folder, or a zip with what belongs into it",
    )
    integration: Path = parser.parse_args().integration.resolve()
    if not integration.exists():
        say(f"error: {integration} does not exist")
        return 1
    # The integration is found where a person installs it, and only there.
    sys.path[:] = [path for path in sys.path if Path(path).resolve() != ROOT]
    log = Log()
    log.listen()
    with TemporaryDirectory(prefix="amps-ai-smoke-") as folder:
        went_well = asyncio.run(_run(integration, Path(folder)))
    for line in log.bad:
        say(f"error: in the log: {line}")
    # Each start tells of the custom integration: without it nothing was heard.
    if not log.heard:
        say("error: the log was not heard")
    return 0 if went_well and log.heard and not log.bad else 1


if __name__ == "__main__":
    sys.exit(main())
