#!/usr/bin/env bash
# What the sender of a webhook hears from Home Assistant when its event is lost.
# Expected: 404 where there is no such webhook (yet, or any more), and 500 when the
# integration's handler fails.
# Happens: both are "200 OK"; only a wrong method is told, with 405. Seen with Home
# Assistant 2026.11.0.
# Why it matters: senders do not repeat what was answered with 200, so what comes in
# during a start, a reload or an error is gone. A handler has to catch everything and
# answer 5xx itself.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(homeassistant==2026.11.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
import asyncio
import logging
import sys

from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from homeassistant import bootstrap, loader
from homeassistant.config_entries import ConfigEntries
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.helpers import recorder
from homeassistant.setup import async_setup_component

logging.disable()


async def start(folder, *domains):
    """Prepare a Home Assistant with no more than is asked for; nothing listens."""
    hass = HomeAssistant(folder)
    loader.async_setup(hass)
    hass.config.skip_pip = True
    hass.config_entries = ConfigEntries(hass, {})
    recorder.async_initialize_recorder(hass)
    await bootstrap.async_load_base_functionality(hass)
    await async_process_ha_core_config(
        hass, {"time_zone": "Europe/Berlin", "auth_mfa_modules": []}
    )
    for domain in ("homeassistant", *domains):
        assert await async_setup_component(hass, domain, {}), domain
    await hass.async_block_till_done()
    return hass


async def main():
    hass = await start(sys.argv[1], "webhook")
    from homeassistant.components import webhook
    from homeassistant.components.http import KEY_HASS

    app = web.Application()
    app[KEY_HASS] = hass

    async def fails(hass, webhook_id, request):
        raise ValueError("one odd event")

    async def silent(hass, webhook_id, request):
        return None

    for name, handler in (("fails", fails), ("silent", silent), ("removed", silent)):
        webhook.async_register(
            hass, "house", name, name, handler, allowed_methods=["POST"]
        )
    webhook.async_unregister(hass, "removed")
    seen = {}
    for name, method in (
        ("silent", "POST"),
        ("fails", "POST"),
        ("removed", "POST"),
        ("never was", "POST"),
        ("silent", "DELETE"),
    ):
        response = await webhook.async_handle_webhook(
            hass, name, make_mocked_request(method, "/", app=app)
        )
        seen[f"{method} {name}"] = response.status
        print(f"{method}, {name}: {response.status}")
    await hass.async_stop(force=True)
    print("Home Assistant", __version__)
    assert seen == {
        "POST silent": 200,
        "POST fails": 200,
        "POST removed": 200,
        "POST never was": 200,
        "DELETE silent": 405,
    }, seen


asyncio.run(main())
EOF
