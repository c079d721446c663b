"""The options: what is asked, what is stored where, and one reload."""

from base64 import b64encode
from collections.abc import Generator
from typing import Any
from unittest.mock import AsyncMock, patch

from homeassistant.components import cloud
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amps_ai.common.const import (
    CONF_CLOUDHOOK_URL,
    CONF_WEBHOOK_SECRET,
)
from custom_components.amps_ai.readings.levels import LEVELS
from sandbox import Sandbox

SECRET = "whsec_" + b64encode(b"a secret of twenty-four.").decode()
OTHER = "whsec_" + b64encode(b"another one, and longer..").decode()
CLOUDHOOK = "https://hooks.nabu.example/abc"
ON = {"freshness": "standard", "notify_failures": True, "webhook": True}
OFF = {"freshness": "standard", "notify_failures": True, "webhook": False}


@pytest.fixture
def reloads(hass: HomeAssistant) -> Generator[AsyncMock]:
    """Count the reloads."""
    with patch.object(
        hass.config_entries, "async_reload", AsyncMock(return_value=True)
    ) as reload:
        yield reload


@pytest.fixture
def cloudhook() -> Generator[AsyncMock]:
    """Let Home Assistant Cloud be active."""
    with (
        patch.object(cloud, "async_active_subscription", return_value=True),
        patch.object(
            cloud, "async_get_or_create_cloudhook", AsyncMock(return_value=CLOUDHOOK)
        ) as create,
    ):
        yield create


async def _open(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "init"
    assert not result["errors"]
    return result


async def _submit(hass: HomeAssistant, entry: MockConfigEntry, typed: Any) -> Any:
    result = await _open(hass, entry)
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], dict(typed)
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


def _shown(result: Any) -> dict[str, Any]:
    """Return what a form shows in its fields."""
    shown = {}
    for key in result["data_schema"].schema:
        if callable(key.default):
            shown[str(key)] = key.default()
        assert not (key.description or {}).get("suggested_value")
    return shown


# What cannot be.


@pytest.mark.parametrize(
    ("secret", "error"),
    [
        ({}, "secret_required"),
        ({"webhook_secret": ""}, "secret_required"),
        ({"webhook_secret": "  "}, "secret_required"),
        ({"webhook_secret": "whsec_"}, "invalid_secret"),
        ({"webhook_secret": "c2VjcmV0c2VjcmV0"}, "invalid_secret"),
        ({"webhook_secret": "whsec_no base64"}, "invalid_secret"),
        ({"webhook_secret": "sk_test_demo"}, "invalid_secret"),
    ],
)
async def test_no_good_secret(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    reloads: AsyncMock,
    secret: dict[str, str],
    error: str,
) -> None:
    """A secret is needed, and has to be one; it can be mended in place."""
    result = await _submit(hass, loaded, {**ON, "freshness": "fast", **secret})
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"webhook_secret": error}
    # What was typed stands there still, but for the secret.
    assert _shown(result) == {**ON, "freshness": "fast"}
    assert loaded.options == {}
    assert CONF_WEBHOOK_SECRET not in loaded.data
    reloads.assert_not_awaited()
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], {**ON, "webhook_secret": f" {SECRET} "}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert loaded.data[CONF_WEBHOOK_SECRET] == SECRET


async def test_bad_secret_while_off(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A secret that is none is never stored."""
    result = await _submit(hass, loaded, {**OFF, "webhook_secret": "nothing"})
    assert result["errors"] == {"webhook_secret": "invalid_secret"}


async def test_unknown_freshness(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Only what the form offers is taken."""
    with pytest.raises(InvalidData):
        await _submit(hass, loaded, {"freshness": "often", "webhook": False})


# What is stored where.


async def test_defaults(
    hass: HomeAssistant, loaded: MockConfigEntry, reloads: AsyncMock
) -> None:
    """At first, everything is as without options."""
    result = await _open(hass, loaded)
    assert _shown(result) == OFF
    result = await hass.config_entries.options.async_configure(result["flow_id"], {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert loaded.options == OFF


@pytest.mark.parametrize("freshness", LEVELS)
async def test_freshness(
    hass: HomeAssistant, loaded: MockConfigEntry, reloads: AsyncMock, freshness: str
) -> None:
    """The freshness is an option, and shown as chosen."""
    await _submit(hass, loaded, {"freshness": freshness, "webhook": False})
    assert loaded.options == {**OFF, "freshness": freshness}
    reloads.assert_awaited_once_with(loaded.entry_id)
    result = await _open(hass, loaded)
    assert _shown(result)["freshness"] == freshness


async def test_secret_is_stored_in_the_data_and_never_shown(
    hass: HomeAssistant, loaded: MockConfigEntry, reloads: AsyncMock
) -> None:
    """Options are shown and replaced; the secret is neither."""
    result = await _submit(hass, loaded, {**ON, "webhook_secret": SECRET})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert SECRET not in str(result)
    assert loaded.options == ON
    assert loaded.data[CONF_WEBHOOK_SECRET] == SECRET
    reloads.assert_awaited_once_with(loaded.entry_id)
    result = await _open(hass, loaded)
    assert SECRET not in str(result)
    assert _shown(result) == ON


async def test_other_options_stay(
    hass: HomeAssistant, loaded: MockConfigEntry, reloads: AsyncMock
) -> None:
    """What is none of the form's business is kept."""
    hass.config_entries.async_update_entry(loaded, options={"other": 1})
    await _submit(hass, loaded, OFF)
    assert loaded.options == {"other": 1, **OFF}


async def test_one_reload_for_whatever_changed(
    hass: HomeAssistant, loaded: MockConfigEntry, reloads: AsyncMock
) -> None:
    """Secret, options, or both: one reload; nothing: none."""
    await _submit(hass, loaded, {**ON, "webhook_secret": SECRET})
    assert reloads.await_count == 1
    await _submit(hass, loaded, ON)
    assert reloads.await_count == 1
    assert loaded.data[CONF_WEBHOOK_SECRET] == SECRET
    await _submit(hass, loaded, {**ON, "webhook_secret": SECRET})
    assert reloads.await_count == 1
    await _submit(hass, loaded, {**ON, "webhook_secret": OTHER})
    assert reloads.await_count == 2
    assert loaded.data[CONF_WEBHOOK_SECRET] == OTHER
    await _submit(hass, loaded, {**OFF, "webhook_secret": SECRET})
    assert reloads.await_count == 3
    assert loaded.data[CONF_WEBHOOK_SECRET] == SECRET


async def test_it_really_reloads(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Webhooks are received from then on, and no more once switched off."""
    await _submit(hass, loaded, {**ON, "webhook_secret": SECRET})
    assert loaded.state is ConfigEntryState.LOADED
    assert loaded.data[CONF_WEBHOOK_ID] in hass.data["webhook"]
    await _submit(hass, loaded, OFF)
    assert loaded.data[CONF_WEBHOOK_ID] not in hass.data["webhook"]


async def test_while_the_entry_is_not_set_up(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """Options can be changed while the API is away."""
    entry.add_to_hass(hass)
    sandbox.faults.add(status=500)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    sandbox.faults.clear()
    await _submit(hass, entry, {**ON, "webhook_secret": SECRET})
    assert entry.state is ConfigEntryState.LOADED


async def test_a_new_key_keeps_it_all(
    hass: HomeAssistant, loaded: MockConfigEntry, reloads: AsyncMock
) -> None:
    """To change the account is not to change its webhooks."""
    await _submit(hass, loaded, {**ON, "webhook_secret": SECRET})
    before = dict(loaded.data)
    result = await loaded.start_reconfigure_flow(hass)
    assert SECRET not in str(result)
    await hass.config_entries.flow.async_configure(
        result["flow_id"], {"api_key": "sk_test_demo", "app_id": "app_demo"}
    )
    assert loaded.data == before


# The address.


async def _url(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    url = (await _open(hass, entry))["description_placeholders"]["url"]
    assert isinstance(url, str)
    return url


@pytest.mark.parametrize("external", [None, "http://home.example"])
async def test_no_address(
    hass: HomeAssistant, loaded: MockConfigEntry, external: str | None
) -> None:
    """Where Amps AI can reach nothing, no address is shown; the path is."""
    urls = {"internal_url": "http://192.168.1.5:8123"}
    if external is not None:
        urls["external_url"] = external
    await async_process_ha_core_config(hass, urls)
    words = await _url(hass, loaded)
    assert "192.168" not in words
    assert "home.example" not in words
    assert f"/api/webhook/{loaded.data[CONF_WEBHOOK_ID]}" in words
    assert "https" in words
    assert "{" not in words


async def test_external_address(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """The external address is shown, and stays the same."""
    await async_process_ha_core_config(hass, {"external_url": "https://home.example"})
    url = await _url(hass, loaded)
    webhook_id = loaded.data[CONF_WEBHOOK_ID]
    assert url == f"https://home.example/api/webhook/{webhook_id}"
    assert len(webhook_id) == 64
    assert await _url(hass, loaded) == url


async def test_cloudhook(
    hass: HomeAssistant, loaded: MockConfigEntry, cloudhook: AsyncMock
) -> None:
    """With Home Assistant Cloud, that is the address."""
    await async_process_ha_core_config(hass, {"external_url": "https://home.example"})
    assert await _url(hass, loaded) == CLOUDHOOK
    assert loaded.data[CONF_CLOUDHOOK_URL] == CLOUDHOOK
    cloudhook.assert_awaited_once_with(hass, loaded.data[CONF_WEBHOOK_ID])
    assert await _url(hass, loaded) == CLOUDHOOK


@pytest.mark.parametrize(
    "trouble", [cloud.CloudNotConnected(), cloud.CloudNotAvailable(), ValueError()]
)
async def test_cloud_trouble(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    cloudhook: AsyncMock,
    trouble: Exception,
) -> None:
    """While the cloud is away, its known address stands, else the external."""
    await async_process_ha_core_config(hass, {"external_url": "https://home.example"})
    cloudhook.side_effect = trouble
    assert (await _url(hass, loaded)).startswith("https://home.example/")
    cloudhook.side_effect = None
    assert await _url(hass, loaded) == CLOUDHOOK
    cloudhook.side_effect = trouble
    assert await _url(hass, loaded) == CLOUDHOOK


async def test_subscription_that_ended(
    hass: HomeAssistant, loaded: MockConfigEntry, cloudhook: AsyncMock
) -> None:
    """Without a subscription, a cloudhook leads nowhere."""
    assert await _url(hass, loaded) == CLOUDHOOK
    await async_process_ha_core_config(hass, {"external_url": "https://home.example"})
    with patch.object(cloud, "async_active_subscription", return_value=False):
        assert (await _url(hass, loaded)).startswith("https://home.example/")


async def test_cloud_that_was_never_loaded(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Home Assistant Cloud is a heavy import, and not made for this."""
    with patch.dict("sys.modules"):
        import sys

        del sys.modules["homeassistant.components.cloud"]
        assert "/api/webhook/" in await _url(hass, loaded)
        assert "homeassistant.components.cloud" not in sys.modules
