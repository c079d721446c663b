"""Every language says all that English says, and says it in its own words."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
import json
import re
from string import Formatter
from typing import Any, Final

from homeassistant.config_entries import SOURCE_USER
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.translation import async_get_translations
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amps_ai.api import DeviceType
from custom_components.amps_ai.common.const import CONF_APP_ID, DOMAIN
from sandbox import TEST_KEY, Sandbox

from .test_translations import (
    PLATFORM_NAMES,
    ROOT,
    Described,
    _described,
    _leaves,
    _placeholders,
)

type Way = tuple[str, ...]

FOLDER: Final = ROOT / "translations"
ENGLISH: Final = "en"
LANGUAGES: Final = ("de", "en", "es", "fr", "it", "nl")
OTHERS: Final = tuple(language for language in LANGUAGES if language != ENGLISH)

# What is one and the same word in English and in another language.
SAME: Final[Mapping[str, frozenset[str]]] = {
    "de": frozenset(
        {
            "Name",
            "Plan",
            "Thermostat",
            "{command}: {state}",
            "Plan {plan}",
            "Reserve",
            "Standby",
            "Status",
            "Webhooks",
        }
    ),
    "es": frozenset({"No", "{command}: {state}", "Plan", "Plan {plan}", "Webhooks"}),
    "fr": frozenset(
        {
            "Charge",
            "Thermostat",
            "Mode",
            "Options",
            "Plan",
            "Plan {plan}",
            "Plans",
            "Webhooks",
        }
    ),
    "it": frozenset(
        {"Account", "No", "{command}: {state}", "{day} {month} {year}, {time}"}
    ),
    "nl": frozenset(
        {
            "Account",
            "Parameters",
            "{command}: {state}",
            "Plan",
            "Plan {plan}",
            "Reserve",
            "Status",
            "Webhooks",
        }
    ),
}

# What stays as it is wherever it stands: names, and what a person types or reads
# in just this way elsewhere.
KEPT: Final = (
    "Amps AI",
    "Home Assistant",
    "Home Assistant Cloud",
    "Link UI",
    "auto.balanced",
    "https",
    "on_conflict",
    "sk_live",
    "sk_test",
    "whsec_",
)

# The longest that fits a tile, a row or a menu.
LONGEST_NAME: Final = 40


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of a file, in which no key stands twice."""
    keys = Counter(key for key, _ in pairs)
    assert max(keys.values(), default=1) == 1, keys
    return dict(pairs)


@cache
def _words(language: str) -> dict[str, Any]:
    text = (FOLDER / f"{language}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text, object_pairs_hook=_once)
    return loaded


@cache
def _texts(language: str) -> dict[Way, str]:
    return dict(_leaves(_words(language)))


def _pairs(language: str) -> Iterator[tuple[str, str, str]]:
    """Return each text's way, the English and the language's own."""
    own = _texts(language)
    for way, english in _texts(ENGLISH).items():
        if way in own:
            yield ".".join(way), english, own[way]


def test_languages() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {
        f"{language}.json" for language in LANGUAGES
    }


# The files, one against the other.


@pytest.mark.parametrize("language", OTHERS)
def test_keys(language: str) -> None:
    """No text is missing, and none is there that English does not have."""
    own, english = set(_texts(language)), set(_texts(ENGLISH))
    assert english - own == set()
    assert own - english == set()


@pytest.mark.parametrize("language", OTHERS)
def test_placeholders(language: str) -> None:
    for way, english, own in _pairs(language):
        assert _placeholders(own) == _placeholders(english), way
        # Nothing but names: no conversions, no formats, no braces of their own.
        for _, name, form, conversion in Formatter().parse(own):
            assert (name or "x").isidentifier(), way
            assert not form, way
            assert conversion is None, way


@pytest.mark.parametrize("language", LANGUAGES)
def test_plain_words(language: str) -> None:
    """No address, no markup, no stray space, and nothing that quotes a placeholder."""
    for way, text in _texts(language).items():
        assert isinstance(text, str), way
        assert text, way
        assert text == text.strip(), way
        # Not the usual space, nor one that does not break beside one that does.
        assert not re.search(r"\s{2}", text.replace("\n\n", "")), way
        assert not re.search(r"https?:|www\.|\w\.(?:ai|com|io|org)\b", text), way
        assert not re.search(r"<[^>]*>|&\w+;", text), way
        assert "[%key:" not in text, way
        # The front end takes a brace behind an apostrophe as it stands.
        assert not re.search(r"'[{}]", text), way


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_left_in_english(language: str) -> None:
    same = {own for _, english, own in _pairs(language) if own == english}
    assert same <= SAME[language]


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_let_pass_that_need_not(language: str) -> None:
    """What may be as in English is so somewhere."""
    same = {own for _, english, own in _pairs(language) if own == english}
    assert same >= SAME[language]


@pytest.mark.parametrize("language", OTHERS)
def test_what_stays_as_it_is(language: str) -> None:
    """Names are not translated, and numbers are the same ones."""
    for way, english, own in _pairs(language):
        for name in KEPT:
            assert name in own or name not in english, (way, name)
        assert sorted(re.findall(r"\d+", own)) == sorted(re.findall(r"\d+", english)), (
            way
        )


@pytest.mark.parametrize("language", OTHERS)
def test_form_of_sentences(language: str) -> None:
    """A sentence stays one, a question too, and so do paragraphs and names."""
    for way, english, own in _pairs(language):
        for sign in (".", "?"):
            assert own.endswith(sign) == english.endswith(sign), way
        assert own.count("\n\n") == english.count("\n\n"), way
        # In braces, a name can be anything; a part goes on with a sentence.
        is_part = way.startswith(("common.part_", "common.reason_"))
        assert is_part or own[0] in "{¿¡„«‘" or own[0].isupper(), way


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_are_short(language: str) -> None:
    for way, text in _texts(language).items():
        if way[-1] == "name" or "state" in way[:-1]:
            assert len(text) <= LONGEST_NAME, (way, text)


# What a person has to tell apart.


def _beside(tree: Mapping[str, Any], *above: str) -> Iterator[tuple[Way, list[str]]]:
    """Return what stands side by side: options, states, and names of one kind."""
    plain = [value for value in tree.values() if isinstance(value, str)]
    if above and above[-1] in ("state", "options", "menu_options", "data", "info"):
        yield above, plain
    named = [
        value["name"]
        for value in tree.values()
        if isinstance(value, dict) and isinstance(value.get("name"), str)
    ]
    if named and above[0] != "entity":
        yield above, named
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _beside(value, *above, key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_has_the_name_of_its_neighbour(language: str) -> None:
    groups = dict(_beside(_words(language)))
    assert {("services",), ("triggers",), ("conditions",)} <= set(groups)
    assert ("entity", "select", "mode", "state") in groups
    for way, names in groups.items():
        assert len({name.casefold() for name in names}) == len(names), (way, names)


def _name(
    row: Described, words: Mapping[str, Any], core: Mapping[str, str]
) -> str | None:
    """Return what an entity is called beside its device; None: it is the device."""
    if row.description.name is None:
        return None
    if row.key is not None:
        name: str = words["entity"][row.platform][row.key]["name"]
        return name
    kind = f"component.{row.platform}.entity_component.{row.description.device_class}"
    return core[f"{kind}.name"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_two_entities_of_a_device_have_one_name(
    hass: HomeAssistant, language: str
) -> None:
    """Whatever of a type's entities a device has, each has a name of its own."""
    core = await async_get_translations(
        hass, language, "entity_component", PLATFORM_NAMES
    )
    for device_type in DeviceType:
        names = [
            _name(row, _words(language), core)
            for row in _described()
            if row.device_type is device_type
        ]
        assert len(names) > 3
        twice = [
            name
            for name, count in Counter(
                name.casefold() if name else name for name in names
            ).items()
            if count > 1
        ]
        assert not twice, device_type


# What a person reads, in a home that speaks the language.


@pytest.fixture
def _integration(
    enable_custom_integrations: None,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Let Home Assistant find the integration, and that the sandbox."""
    monkeypatch.setenv("AMPS_AI_API_URL", sandbox.url)
    monkeypatch.setenv("AMPS_AI_LINK_URL", f"{sandbox.url}/link")


@dataclass(kw_only=True)
class Reader:
    """One who reads what Home Assistant hands out, as its front end would."""

    hass: HomeAssistant
    language: str

    async def say(self, way: str, placeholders: Mapping[str, str] | None = None) -> str:
        """Return a text, which is no English one, filled in."""
        category = way.split(".", maxsplit=1)[0]
        words = await async_get_translations(
            self.hass, self.language, category, [DOMAIN]
        )
        text = words[f"component.{DOMAIN}.{way}"]
        assert text == _texts(self.language)[tuple(way.split("."))]
        filled = text.format(**placeholders or {})
        assert not re.search(r"[{}]", filled)
        return filled

    async def form(self, category: str, result: Any) -> list[str]:
        """Return all that stands in a form."""
        step = f"{category}.step.{result['step_id']}"
        placeholders = result["description_placeholders"]
        ways = [f"{step}.title", f"{step}.description"]
        ways += [
            f"{step}.{part}.{key}"
            for key in result["data_schema"].schema
            for part in ("data", "data_description")
        ]
        ways += [
            f"{category}.error.{error}" for error in (result["errors"] or {}).values()
        ]
        return [await self.say(way, placeholders) for way in ways]

    async def error(self, err: HomeAssistantError) -> str:
        """Return what is shown of something that did not work."""
        assert err.translation_domain == DOMAIN
        return await self.say(
            f"exceptions.{err.translation_key}.message", err.translation_placeholders
        )


@pytest.fixture(params=LANGUAGES)
def reader(
    hass: HomeAssistant, _integration: None, request: pytest.FixtureRequest
) -> Reader:
    """Let the home speak a language."""
    hass.config.language = request.param
    return Reader(hass=hass, language=request.param)


@pytest.fixture
async def home_of(hass: HomeAssistant, reader: Reader) -> MockConfigEntry:
    """Set up an account there."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Amps AI (sandbox)",
        unique_id="sandbox:app_demo:*",
        data={CONF_API_KEY: TEST_KEY, CONF_APP_ID: "app_demo"},
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


async def test_home_assistant_takes_all(
    reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    """Home Assistant hands out every text as it stands, and falls back on none."""
    for category, tree in _words(reader.language).items():
        handed_out = await async_get_translations(
            reader.hass, reader.language, category, [DOMAIN]
        )
        assert handed_out == {
            f"component.{DOMAIN}.{'.'.join(way)}": text
            for way, text in _leaves(tree, category)
        }
    assert not [
        record
        for record in caplog.records
        if record.name.startswith("homeassistant.helpers.translation")
        and record.levelname in ("WARNING", "ERROR")
    ]


@pytest.mark.parametrize("home", ["empty"])
async def test_reading_the_set_up(hass: HomeAssistant, reader: Reader) -> None:
    """The forms of the set-up: the first, a refused key, a home without devices."""
    result: Any = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert len(await reader.form("config", result)) == 2 + 2 * 3
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {CONF_API_KEY: "sk_test_unknown", CONF_APP_ID: "app_demo"}
    )
    assert result["errors"]
    assert len(await reader.form("config", result)) == 2 + 2 * 3 + 1
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {CONF_API_KEY: TEST_KEY, CONF_APP_ID: "app_demo"}
    )
    assert result["type"] is FlowResultType.MENU
    step = f"config.step.{result['step_id']}"
    for option in result["menu_options"]:
        assert await reader.say(f"{step}.menu_options.{option}")
    link = result["description_placeholders"]["link_url"]
    text = await reader.say(f"{step}.description", result["description_placeholders"])
    assert link in text


async def test_reading_the_options(
    hass: HomeAssistant, reader: Reader, home_of: MockConfigEntry
) -> None:
    """The options, with the one text that is filled in before it is handed out."""
    result: Any = await hass.config_entries.options.async_init(home_of.entry_id)
    said = await reader.form("options", result)
    assert len(said) == 2 + 2 * 4
    assert result["description_placeholders"]["docs_url"] in said[1]
    # Nothing leads to this home from outside, and it says so in its language,
    # where the webhooks are switched on.
    (told,) = (text for text in said if "/api/webhook/" in text)
    path = re.search(r"/api/webhook/\w+", told)
    assert path is not None
    missing = await reader.say("options.error.no_external_url", {"path": path.group()})
    assert told.endswith(missing)


async def test_reading_the_entities(
    hass: HomeAssistant, reader: Reader, home_of: MockConfigEntry
) -> None:
    """Each entity is called as the language calls it, and no two of a device alike."""
    registry = er.async_get(hass)
    names: dict[str | None, list[str]] = {}
    for entity in er.async_entries_for_config_entry(registry, home_of.entry_id):
        names.setdefault(entity.device_id, []).append(entity.original_name or "")
        if entity.translation_key and entity.original_name:
            way = f"entity.{entity.domain}.{entity.translation_key}.name"
            assert await reader.say(way) == entity.original_name
    assert len(names) == 6
    for of_device in names.values():
        assert len({name.casefold() for name in of_device}) == len(of_device)


async def test_reading_a_refusal(
    hass: HomeAssistant, reader: Reader, home_of: MockConfigEntry
) -> None:
    """A refused action says what is wrong with what, and what would work."""
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, "device_battery_001"), home_of.entry_id
    )
    assert device is not None
    with pytest.raises(HomeAssistantError) as caught:
        await hass.services.async_call(
            DOMAIN,
            "send_command",
            {"device_id": device.id, "command": "pause"},
            blocking=True,
        )
    text = await reader.error(caught.value)
    modes = _words(reader.language)["entity"]["select"]["mode"]["state"]
    for word in ("Powerwall 2", "pause", modes["auto_balanced"]):
        assert word in text
    assert "auto.balanced" not in text
