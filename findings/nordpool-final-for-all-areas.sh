#!/usr/bin/env bash
# Prices of two Nord Pool areas, of which one is final and one preliminary.
# Expected: prices_final says whether the prices that were asked for are final.
# Happens: it says so of the first state in the answer alone. Final for SE3 and
# preliminary for FI is "final", and the other way round is "not final"; which is first
# is up to the service. Seen with pynordpool 0.4.0.
# Why it matters: Home Assistant asks for all areas of an entry at once. Who plans the
# night by "final" plans it with prices that may still change.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(pynordpool==0.4.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
import asyncio
from datetime import datetime
from importlib.metadata import version

from aiohttp import ClientSession, web
import pynordpool


def answer(states):
    """Return a day with one hour, as the service tells it."""
    return {
        "deliveryDateCET": "2026-11-16",
        "updatedAt": "2026-11-15T12:00:00.1234567Z",
        "currency": "EUR",
        "exchangeRate": 1,
        "multiAreaEntries": [
            {
                "deliveryStart": "2026-11-15T23:00:00Z",
                "deliveryEnd": "2026-11-16T00:00:00Z",
                "entryPerArea": {"SE3": 40.0, "FI": 50.0},
            }
        ],
        "blockPriceAggregates": [],
        "areaAverages": [],
        "areaStates": [{"state": state, "areas": areas} for state, areas in states],
    }


async def main():
    told = {}

    async def prices(request):
        return web.json_response(told)

    app = web.Application()
    app.router.add_get("/DayAheadPrices", prices)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    pynordpool.API = f"http://127.0.0.1:{port}"
    seen = []
    async with ClientSession() as session:
        client = pynordpool.NordPoolClient(session)
        for states in (
            [("Final", ["SE3"]), ("Preliminary", ["FI"])],
            [("Preliminary", ["FI"]), ("Final", ["SE3"])],
        ):
            told.clear()
            told.update(answer(states))
            data = await client.async_get_delivery_period(
                datetime(2026, 11, 16), pynordpool.Currency.EUR, ["SE3", "FI"]
            )
            seen.append(data.prices_final)
            print(f"{states}: prices_final is {data.prices_final}")
    await runner.cleanup()
    print("pynordpool", version("pynordpool"))
    assert seen == [True, False], seen


asyncio.run(main())
EOF
