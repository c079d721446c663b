"""What people say to Assist, and what they hear.

The sentences are those of the installed release of Home Assistant; the entities
are named as in a home that speaks the language.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
import shutil
from typing import Final
from unittest.mock import patch

from homeassistant.components import conversation
from homeassistant.components.climate import (
    ATTR_HVAC_MODE,
    DOMAIN as CLIMATE_DOMAIN,
    SERVICE_SET_HVAC_MODE,
    HVACMode,
)
from homeassistant.components.conversation.default_agent import (
    DefaultAgent,
    LanguageIntents,
)
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    intent,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import yaml

from custom_components.amps_ai.common.const import DOMAIN
from sandbox import Sandbox

BATTERY: Final = "device_battery_001"
CHARGER: Final = "device_ev_001"
HVAC: Final = "device_hvac_001"
SOLAR: Final = "device_inverter_001"
VEHICLE: Final = "device_vehicle_001"

# What a person exposes beside the switch and the thermostat, which are by default.
EXPOSED: Final = (
    ("sensor", f"{BATTERY}_level"),
    ("sensor", f"{BATTERY}_power"),
    ("binary_sensor", f"{BATTERY}_charging"),
    ("sensor", f"{CHARGER}_power"),
    ("sensor", f"{CHARGER}_status"),
    ("binary_sensor", f"{CHARGER}_connected"),
    ("binary_sensor", f"{CHARGER}_charging"),
    ("sensor", f"{SOLAR}_power"),
    ("binary_sensor", f"{SOLAR}_producing"),
    ("sensor", f"{VEHICLE}_battery_level"),
    ("sensor", f"{VEHICLE}_power"),
    ("binary_sensor", f"{VEHICLE}_plugged"),
    ("binary_sensor", f"{VEHICLE}_charging"),
)

SENTENCES: Final = yaml.safe_load(
    (Path(__file__).parent / "voice/sentences.yaml").read_text(encoding="utf-8")
)
OWN_SENTENCES: Final = Path(__file__).parents[2] / "docs/custom_sentences"

type Say = Callable[[str], Awaitable[intent.IntentResponse]]


def _heard(response: intent.IntentResponse) -> str:
    speech: str = response.speech["plain"]["speech"]
    return speech


def _entity(hass: HomeAssistant, platform: str, unique_id: str) -> str:
    entity_id = er.async_get(hass).async_get_entity_id(platform, DOMAIN, unique_id)
    assert entity_id is not None, unique_id
    return entity_id


pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture(autouse=True)
def config_folder(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Path:
    """Give each home sentences of its own."""
    monkeypatch.setattr(hass.config, "config_dir", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def known() -> dict[str, LanguageIntents | None]:
    """Keep what was read of each language."""
    return {}


@pytest.fixture(autouse=True)
def read_once(
    known: dict[str, LanguageIntents | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read a language once; a home with sentences of its own reads anew.

    It took longer than all the rest of a test.
    """
    usual = DefaultAgent._load_intents

    def _load(agent: DefaultAgent, language: str) -> LanguageIntents | None:
        if Path(agent.hass.config.path("custom_sentences")).exists():
            return usual(agent, language)
        if language not in known:
            known[language] = usual(agent, language)
        return known[language]

    monkeypatch.setattr(DefaultAgent, "_load_intents", _load)


@pytest.fixture
async def say(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox, language: str
) -> Say:
    """Furnish a home that speaks a language; return what speaks to it."""
    hass.config.language = language
    sandbox.action_seconds = 0
    for component in ("homeassistant", "conversation", "intent"):
        assert await async_setup_component(hass, component, {})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    for platform, unique_id in EXPOSED:
        async_expose_entity(
            hass, conversation.DOMAIN, _entity(hass, platform, unique_id), True
        )
    words = SENTENCES[language]
    area = ar.async_get(hass).async_create(words["area"])
    devices, entities = dr.async_get(hass), er.async_get(hass)
    thermostat = devices.async_get_device_by_identifier((DOMAIN, HVAC), entry.entry_id)
    assert thermostat is not None
    devices.async_update_device(thermostat.id, area_id=area.id)
    for platform, unique_id, alias in (
        ("sensor", f"{SOLAR}_power", words["solar"]),
        ("binary_sensor", f"{VEHICLE}_plugged", words["car"]),
    ):
        entities.async_update_entity(
            _entity(hass, platform, unique_id), aliases=[er.COMPUTED_NAME, alias]
        )
    await hass.async_block_till_done(wait_background_tasks=True)

    async def _say(sentence: str) -> intent.IntentResponse:
        result = await conversation.async_converse(
            hass, sentence, None, Context(), language=language
        )
        await hass.async_block_till_done(wait_background_tasks=True)
        return result.response

    return _say


@pytest.mark.parametrize("language", SENTENCES)
async def test_questions(say: Say, language: str, subtests: pytest.Subtests) -> None:
    for sentence, heard in SENTENCES[language]["ask"]:
        with subtests.test(sentence):
            response = await say(sentence)
            assert response.response_type is intent.IntentResponseType.QUERY_ANSWER
            assert heard in _heard(response)


@pytest.mark.parametrize("language", SENTENCES)
async def test_commands(
    say: Say, sandbox: Sandbox, language: str, subtests: pytest.Subtests
) -> None:
    """Nothing but the one device is told anything."""
    for sentence, heard, device_id, command in SENTENCES[language]["tell"]:
        with subtests.test(sentence):
            sandbox.requests.clear()
            response = await say(sentence)
            assert response.response_type is intent.IntentResponseType.ACTION_DONE
            assert _heard(response) == heard
            assert [
                (item, push.body)
                for item in (BATTERY, CHARGER, HVAC)
                for push in sandbox.requests.pushes(item)
            ] == [(device_id, {"action": {"command": command}})]


# The home's thermostat keeps a band of 19 to 25 °C.
HELD: Final = {
    HVACMode.HEAT: ("heat", {"target": 21}),
    HVACMode.COOL: ("cool", {"target": 21}),
    HVACMode.HEAT_COOL: ("auto", {"heatSetpoint": 18, "coolSetpoint": 24}),
}


async def _set_mode(hass: HomeAssistant, sandbox: Sandbox, mode: HVACMode) -> None:
    await hass.services.async_call(
        CLIMATE_DOMAIN,
        SERVICE_SET_HVAC_MODE,
        {
            ATTR_ENTITY_ID: _entity(hass, CLIMATE_DOMAIN, f"{HVAC}_climate"),
            ATTR_HVAC_MODE: mode,
        },
        blocking=True,
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    sandbox.requests.clear()


@pytest.mark.parametrize("mode", HELD)
@pytest.mark.parametrize("language", SENTENCES)
async def test_setpoint(
    hass: HomeAssistant,
    say: Say,
    sandbox: Sandbox,
    language: str,
    mode: HVACMode,
    subtests: pytest.Subtests,
) -> None:
    """One temperature is the setpoint of a mode, and the middle of a band."""
    command, setpoints = HELD[mode]
    if mode is not HVACMode.HEAT_COOL:
        await _set_mode(hass, sandbox, mode)
    for sentence, heard in SENTENCES[language]["hold"]:
        with subtests.test(sentence):
            sandbox.requests.clear()
            response = await say(sentence)
            assert response.response_type is intent.IntentResponseType.ACTION_DONE
            assert _heard(response) == heard
            (push,) = sandbox.requests.pushes(HVAC)
            assert push.body["action"] == {
                "command": command,
                "parameters": {
                    name: {"value": value, "unit": "celsius"}
                    for name, value in setpoints.items()
                },
            }


@pytest.mark.parametrize("language", SENTENCES)
async def test_setpoint_while_off(
    hass: HomeAssistant,
    say: Say,
    sandbox: Sandbox,
    language: str,
) -> None:
    """It does not start the heating, and Assist says so."""
    await _set_mode(hass, sandbox, HVACMode.OFF)
    words = SENTENCES[language]
    response = await say(words["hold"][0][0])
    assert response.response_type is intent.IntentResponseType.ERROR
    assert _heard(response) == words["while_off"]
    assert not sandbox.requests.pushes(HVAC)


async def _copy_own_sentences(
    hass: HomeAssistant, config_folder: Path, language: str
) -> None:
    """Do as docs/assist.md says."""
    (config_folder / "configuration.yaml").touch()
    shutil.copytree(
        OWN_SENTENCES / language, config_folder / "custom_sentences" / language
    )
    await hass.services.async_call(conversation.DOMAIN, "reload", {}, blocking=True)


@pytest.mark.parametrize("language", SENTENCES)
async def test_own_sentences(
    hass: HomeAssistant,
    say: Say,
    config_folder: Path,
    language: str,
    subtests: pytest.Subtests,
) -> None:
    """What Home Assistant has no sentence for is answered once a file is copied.

    What it has sentences for is answered as before.
    """
    words = SENTENCES[language]
    for sentence, _ in words["lacking"]:
        with subtests.test(sentence, copied=False):
            response = await say(sentence)
            assert response.response_type is intent.IntentResponseType.ERROR
    await _copy_own_sentences(hass, config_folder, language)
    for sentence, heard in words["lacking"]:
        with subtests.test(sentence, copied=True):
            response = await say(sentence)
            assert response.response_type is intent.IntentResponseType.QUERY_ANSWER
            assert _heard(response) == heard
    for sentence, heard in words["ask"]:
        with subtests.test(sentence):
            response = await say(sentence)
            assert response.response_type is intent.IntentResponseType.QUERY_ANSWER
            assert heard in _heard(response)


@pytest.mark.parametrize("language", ["en"])
async def test_command_that_fails(
    say: Say, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """What fails while Assist listens is heard as an error, never as done."""
    sandbox.device(CHARGER).next_action(
        "failed", code="DEVICE_REFUSED", message="Not now", seconds=0
    )
    with patch.object(intent.DynamicServiceIntentHandler, "service_timeout", 10):
        response = await say("Turn off Pulsar Plus")
    assert response.response_type is intent.IntentResponseType.ERROR
    assert _heard(response) == "An unexpected error occurred"
    assert (
        "Pulsar Plus: the command “Pause charging” failed (DEVICE_REFUSED"
        in caplog.text
    )


@pytest.mark.parametrize("language", ["en"])
async def test_what_is_not_exposed(
    hass: HomeAssistant, say: Say, sandbox: Sandbox
) -> None:
    """Assist neither tells nor steers what the person keeps from it."""
    for platform, unique_id in (
        ("switch", f"{CHARGER}_charge"),
        ("sensor", f"{VEHICLE}_battery_level"),
    ):
        async_expose_entity(
            hass, conversation.DOMAIN, _entity(hass, platform, unique_id), False
        )
    for sentence in ("Turn off Pulsar Plus", "What is the iX3 battery?"):
        response = await say(sentence)
        assert response.response_type is intent.IntentResponseType.ERROR
        assert "86" not in _heard(response)
    assert not sandbox.requests.pushes(CHARGER)
