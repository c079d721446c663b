"""What the API tells is text: nowhere does it become a link, an image or a style.

The frontend renders as Markdown the descriptions of issues, of the steps of
flows and of the ends of flows, with the placeholders already filled in.
Titles and errors it shows as they are.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
import json
from pathlib import Path
import re
import time
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from markdown_it import MarkdownIt
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

import custom_components.amps_ai as integration
from custom_components.amps_ai.api import Action
from custom_components.amps_ai.api.webhook import DeviceDisconnected, parse_event
from custom_components.amps_ai.common import issues
from custom_components.amps_ai.common.const import DOMAIN
from sandbox import Sandbox
from sandbox.webhooks import headers_of

from .conftest import MakeEntry
from .helpers import SECRET, WEBHOOK_ID
from .strategies import MARKUP, UNSEEN, start_of

BATTERY = "device_battery_001"
RELINK = "https://auth.amps.ai/?reconnect=true&token=abc"

TRANSLATIONS = Path(integration.__file__).parent / "translations"
LANGUAGES = sorted(path.stem for path in TRANSLATIONS.glob("*.json"))

_MARKDOWN = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(
    ["table", "strikethrough"]
)
_PLAIN = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak"}
# The frontend makes links also of what looks like one, unless it is escaped.
_BARE = re.compile(r"\w://|\bwww\.\w|\w@\w", re.IGNORECASE)
_ESCAPED = re.compile(r"\\[!-/:-@\[-`{-~]")
# What is ours, and no text of the API.
_OURS = re.compile(r"https://auth\.amps\.ai/\S*|http://127\.0\.0\.1:\d+/\S*")


def markup_in(description: str) -> list[str]:
    """Return what would be rendered as anything but text, in one paragraph."""
    text = _OURS.sub("-", description)
    tokens = _MARKDOWN.parse(text)
    found = [token.type for token in tokens if token.type not in _PLAIN]
    found += [
        child.type
        for token in tokens
        for child in token.children or ()
        if child.type not in _PLAIN | {"text_special"}
    ]
    found += _BARE.findall(_ESCAPED.sub(" ", text))
    if sum(token.type == "paragraph_open" for token in tokens) != 1:
        found.append("paragraphs")
    return found


def test_markup_is_found() -> None:
    """What looks for markup finds it."""
    for markup in MARKUP:
        # A table is one only where it begins a line.
        assert markup_in(f"The command {markup} failed.") or markup_in(markup), markup
    assert not markup_in("The command auto.balanced for Model_S 3 failed: 5 < 6 & 7.")
    assert not markup_in(r"The command \[x\]\(http\:\/\/evil.example\) failed.")


async def _words(hass: HomeAssistant, key: str) -> dict[str, str]:
    """Return what is said of issues in all languages, under a name for each."""
    path = f"component.{DOMAIN}.issues.{key}.description"
    return {
        f"{key} ({language})": words[path]
        for language in LANGUAGES
        for words in (await async_get_translations(hass, language, "issues", [DOMAIN]),)
        if path in words
    }


async def _descriptions(hass: HomeAssistant) -> dict[str, str]:
    """Return the description of each open issue, as it is rendered."""
    return {
        name: words.format(**(issue.translation_placeholders or {}))
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN
        for name, words in (await _words(hass, str(issue.translation_key))).items()
    }


async def _steps(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> dict[str, str]:
    """Return the description of the first step of each repair, as it is rendered."""
    client = await hass_client()
    found: dict[str, str] = {}
    for issue in tuple(ir.async_get(hass).issues.values()):
        if issue.domain != DOMAIN or not issue.is_fixable:
            continue
        reply = await client.post(
            "/api/repairs/issues/fix",
            json={"handler": DOMAIN, "issue_id": issue.issue_id},
        )
        step = await reply.json()
        key = f"{issue.translation_key}.fix_flow.step.{step['step_id']}"
        placeholders = {
            **(issue.translation_placeholders or {}),
            **(step["description_placeholders"] or {}),
        }
        for name, words in (await _words(hass, key)).items():
            found[name] = words.format(**placeholders)
    return found


@pytest.mark.parametrize("markup", [*MARKUP, *UNSEEN, "x" * 5000], ids=start_of)
async def test_issues(
    hass: HomeAssistant,
    sandbox: Sandbox,
    reach: Callable[[str], None],
    make_entry: MakeEntry,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
    markup: str,
) -> None:
    reach(sandbox.url)
    monkeypatch.setattr("custom_components.amps_ai.pushes.following._POLLS", (0.02,))
    assert await async_setup_component(hass, "repairs", {})
    sandbox.device(BATTERY).model = markup
    entry: MockConfigEntry = make_entry()
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)

    client = await hass_client_no_auth()

    async def _deliver(message_id: str, **body: Any) -> None:
        raw = json.dumps({"deviceId": BATTERY, "deviceType": "battery", **body})
        headers = headers_of([SECRET], message_id, int(time.time()), raw.encode())
        reply = await client.post(
            f"/api/webhook/{WEBHOOK_ID}", data=raw, headers=headers
        )
        assert reply.status == 200
        await hass.async_block_till_done(wait_background_tasks=True)

    sandbox.device(BATTERY).credentials_refused = True
    await _deliver("msg_1", timestamp="2026-06-01T12:00:01Z", reconnectionUrl=RELINK)
    await _deliver(
        "msg_2",
        # As much of it as an id can have: one with more is no action's.
        actionId="".join(filter(str.isprintable, f"act {markup}"))[:255],
        command=markup,
        failedAt="2026-06-01T12:00:02Z",
        error={"code": "SCHEDULER_ACTIVE", "message": markup},
    )
    runtime = entry.runtime_data
    battery = next(iter(runtime.coordinators["battery"].data.values()))
    name = runtime.account.async_spoken_name(battery)
    now = dt_util.utcnow()
    action = Action(id="act_displaced", command=markup, start=now)
    over = now + timedelta(hours=1)
    issues.async_displaced(hass, entry, BATTERY, name, action, over)
    issues.async_not_open_yet(hass, entry, battery.type, name)
    issues.async_owned_elsewhere(
        hass, entry, battery.type, {BATTERY: (name, "Another entry")}
    )

    descriptions = await _descriptions(hass)
    steps = await _steps(hass, hass_client)
    said = {name.partition(" ")[0] for name in descriptions}
    assert {"device_disconnected", "owned_elsewhere"} <= said
    assert set(steps) == {
        f"{key}.fix_flow.step.confirm ({language})"
        for key in ("displaced", "scheduler_active")
        for language in LANGUAGES
    }
    for key, description in (descriptions | steps).items():
        assert not markup_in(description), f"{key}: {description}"
        # One thing that is told does not bury all others.
        assert len(description) < 2000, key


@pytest.mark.parametrize("markup", MARKUP, ids=start_of)
async def test_a_model_is_told_as_it_is(
    hass: HomeAssistant, loaded: MockConfigEntry, markup: str
) -> None:
    """What is shown as it is, in titles and errors, is not escaped for others."""
    coordinator = loaded.runtime_data.coordinators["battery"]
    device = replace(coordinator.data[BATTERY], id="another", model=markup)
    name = loaded.runtime_data.account.async_spoken_name(device)
    assert name == " ".join(markup.split())


@pytest.mark.parametrize("markup", [*MARKUP, *UNSEEN], ids=start_of)
def test_an_address_is_one_link(markup: str) -> None:
    """Where an address stands among words, it is one link, and ends with itself."""
    for text in (markup, "".join(markup.split())):
        for url in (f"https://a.example/{text}", f"https://{text}", text):
            body = {"deviceId": "a", "timestamp": "2026-06-01T12:00:00Z"}
            event = parse_event(json.dumps({**body, "reconnectionUrl": url}).encode())
            assert isinstance(event, DeviceDisconnected)
            if (address := event.reconnection_url) is not None:
                assert address.startswith("https://")
                assert address.isprintable()
                assert not set(address) & set(' <>[]{}`|^\\"')
