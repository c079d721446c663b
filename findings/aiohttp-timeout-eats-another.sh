#!/usr/bin/env bash
# A loop that asks a server again and again, for two seconds at most: asyncio.timeout(2)
# around it, ClientTimeout(total=2) for each request. The server is silent, and the
# machine sleeps through both limits (here: something blocks for three seconds).
# Expected: after the sleep both limits are over, and the outer one ends the loop. Two
# nested asyncio.timeout do that.
# Happens: the request ends with TimeoutError and the loop asks on for ever; the outer
# limit says that it has expired, and nobody is told. A task that is cancelled in that
# moment goes on as well. The request's limit stands twice on the way of the cancellation,
# around the request and around the wait for the reply's beginning, and each takes one
# cancellation back: its own, and then the caller's. Seen with aiohttp 3.14.5 on Python
# 3.14.
# Why it matters: a poll that is given some minutes lives on after a laptop's or a virtual
# machine's sleep, and nothing in a log says so.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(aiohttp==3.14.5)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - <<'EOF'
import asyncio
from importlib.metadata import version
import time

import aiohttp

LIMIT = 2.0
ENOUGH = 3


async def silent(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    asked.set()
    await reader.read()
    writer.close()


async def ask_on(session, url, *, own):
    """Ask until somebody ends it; return how often, and what the outer limit says."""
    count = 0
    outer = asyncio.timeout(LIMIT)
    try:
        async with outer:
            while count < ENOUGH:
                count += 1
                limit = aiohttp.ClientTimeout(total=LIMIT if own else None)
                try:
                    async with asyncio.timeout(None if own else LIMIT):
                        async with session.get(url, timeout=limit):
                            pass
                except TimeoutError:
                    pass
    except TimeoutError:
        return count, "ended", outer.expired()
    return count, "went on", outer.expired()


async def sleep_through(session, url, *, own):
    asked.clear()
    task = asyncio.create_task(ask_on(session, url, own=own))
    await asyncio.wait_for(asked.wait(), 30)
    time.sleep(LIMIT + 1)
    return await task


async def main():
    global asked
    asked = asyncio.Event()
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with aiohttp.ClientSession() as session:
        library = await sleep_through(session, url, own=True)
        nested = await sleep_through(session, url, own=False)
    server.close()
    return library, nested


library, nested = asyncio.run(main())
print(f"aiohttp {version('aiohttp')}")
print(f"  ClientTimeout(total)    {library[0]} requests, {library[1]}, expired: {library[2]}")
print(f"  asyncio.timeout instead {nested[0]} request, {nested[1]}, expired: {nested[2]}")
assert library == (ENOUGH, "went on", True), library
assert nested == (1, "ended", True), nested
EOF
