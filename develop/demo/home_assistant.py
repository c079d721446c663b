"""Home Assistant as it is, behind a fence: it reaches this machine only.

Home Assistant fetches packages and pictures of brands, looks for devices around
it and falls back to listening on all interfaces. A demo does none of that.
"""

import argparse
import asyncio
from ipaddress import ip_address
import os
import socket
import sys
from typing import Any, Final, override

from aiohttp.abc import AbstractResolver, ResolveResult

from .clock import HomeClock, ProcessClock

# The home's clock, where it is not the world's.
CLOCK: Final = "AMPS_DEMO_CLOCK"


def is_loopback(host: object) -> bool:
    """Tell whether an address is one of this machine's own."""
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    if host in (None, "localhost"):
        return True
    try:
        return ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _fence(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what would reach or be reached from beyond this machine."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.bind", "socket.sendto"):
        sock, address = arguments
        if sock.family not in (socket.AF_INET, socket.AF_INET6):
            return
        # Connecting a datagram socket sends nothing: it asks for a route.
        if event == "socket.connect" and sock.type == socket.SOCK_DGRAM:
            return
        host = address[0]
    else:
        return
    if not is_loopback(host):
        raise ConnectionRefusedError(f"The demo stays on this machine: {host}")


class LoopbackResolver(AbstractResolver):
    """Knows `localhost`, and asks nobody for anything else."""

    @override
    async def resolve(
        self, host: str, port: int = 0, family: int = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the one address there is."""
        if not is_loopback(host):
            raise OSError(f"The demo stays on this machine: {host}")
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    @override
    async def close(self) -> None:
        """Close nothing."""

    async def real_close(self) -> None:
        """Close nothing, as Home Assistant calls it."""


def _config_folder() -> str:
    """Return the folder that the command line names."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--config", required=True)
    return str(parser.parse_known_args()[0].config)


def main() -> int:
    """Run Home Assistant; return its exit status."""
    sys.addaudithook(_fence)
    clock = None
    if told := os.environ.pop(CLOCK, ""):
        clock = ProcessClock(HomeClock.from_text(told))
        clock.install()

    # Home Assistant looks there for integrations once, and then only where Python
    # does; the demo has one more than this checkout.
    sys.path.append(_config_folder())

    from homeassistant import __main__, runner
    from homeassistant.helpers import aiohttp_client
    from homeassistant.util import package
    import turbojpeg  # type: ignore[import-untyped]

    # Everything is installed; what is not has been forgotten in pyproject.toml,
    # and Home Assistant then says so.
    package.install_package = lambda *_, **__: False
    # The usual resolver asks name servers, and listens for multicast.
    aiohttp_client._async_make_resolver = lambda _hass: LoopbackResolver()  # type: ignore[assignment,return-value]  # noqa: SLF001
    # There is no camera here, so the system's library for pictures is not missed:
    # without it this is what Home Assistant makes of it, after a traceback.
    turbojpeg.TurboJPEG = bool
    if clock is not None:

        def _create_event_loop(debug: bool = False) -> asyncio.AbstractEventLoop:
            loop = clock.loop()
            runner.configure_event_loop(loop, debug)
            return loop

        runner.create_event_loop = _create_event_loop
    return __main__.main()


if __name__ == "__main__":
    sys.exit(main())
