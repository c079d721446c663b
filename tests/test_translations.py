"""Every word that the code needs is there, and none that it does not need."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from itertools import combinations
import json
from pathlib import Path
import re
from string import Formatter
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import WEEKDAYS
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.typing import UNDEFINED
import pytest
import voluptuous as vol
import yaml

from custom_components.amps_ai import PLATFORMS, condition, config_flow, trigger
from custom_components.amps_ai.api import (
    FINAL_STATES,
    Action,
    ActionState,
    AmpsError,
    AmpsRefusedError,
    DeviceType,
    Environment,
)
from custom_components.amps_ai.api.values import Json
from custom_components.amps_ai.api.vocabulary import (
    LIVE_CONTROL,
    READ_ONLY_SETTINGS,
    STEERABLE,
    Commands,
    Execution,
    Parameters,
    Settings,
    Units,
    command_of,
    parameter_of,
)
from custom_components.amps_ai.common import (
    errors,
    issues,
    refusals,
    units,
    words as common_words,
)
from custom_components.amps_ai.common.const import ATTR_REPORTED_STATUS
from custom_components.amps_ai.entities import action_attributes
from custom_components.amps_ai.entities.thermostat import PRESET_HOLD, PRESET_SCHEDULE
from sandbox.catalogue import CATALOGUE, commands_of

ROOT: Final = Path(config_flow.__file__).parent
PLATFORM_NAMES: Final = [str(platform) for platform in PLATFORMS]


def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / name).read_text(encoding="utf-8"))
    return loaded


WORDS: Final = _load("translations/en.json")
ICONS: Final = _load("icons.json")
MANIFEST: Final = _load("manifest.json")


def _placeholders(text: str) -> set[str]:
    """Return the names in braces."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _leaves(
    tree: Mapping[str, Any], *above: str
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Return all texts of a file with the way to each."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, *above, key)
        else:
            yield (*above, key), value


# What the code says, read off its source.


@dataclass(kw_only=True)
class Source:
    """A module's source, with what is needed to follow a name to its values."""

    name: str
    tree: ast.Module
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Return all calls: of functions by their name, of methods with a dot."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                function = node.func
                if isinstance(function, ast.Name):
                    yield function.id, node
                elif isinstance(function, ast.Attribute):
                    yield f".{function.attr}", node

    def function_of(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef:
        """Return the function that something stands in."""
        while not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node = self.parents[node]
        return node

    def texts(self, node: ast.expr) -> set[str]:
        """Return the texts that an expression can be.

        A constant of the module is what it is, a parameter of the function
        around it what its callers pass.
        """
        if isinstance(node, ast.Constant):
            assert isinstance(node.value, str), ast.unparse(node)
            return {node.value}
        if isinstance(node, ast.IfExp):
            return self.texts(node.body) | self.texts(node.orelse)
        assert isinstance(node, ast.Name), f"{self.name}: {ast.unparse(node)}"
        module = import_module(f"custom_components.amps_ai.{self.name}")
        if isinstance(constant := getattr(module, node.id, None), str):
            return {constant}
        function = self.function_of(node)
        names = [item.arg for item in function.args.args if item.arg != "self"]
        place = names.index(node.id)
        found: set[str] = set()
        for name, call in self.calls():
            if name.removeprefix(".") == function.name:
                found |= self.texts(call.args[place])
        assert found, f"{self.name}: nobody calls {function.name}"
        return found


@cache
def _sources() -> dict[str, Source]:
    sources = {}
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parents = {
            child: node
            for node in ast.walk(tree)
            for child in ast.iter_child_nodes(node)
        }
        sources[name] = Source(name=name, tree=tree, parents=parents)
    return sources


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((item.value for item in call.keywords if item.arg == name), None)


def _by_key(function: str) -> dict[str, list[set[str]]]:
    """Return the keys that calls of a function name, with the placeholders passed."""
    found: dict[str, list[set[str]]] = defaultdict(list)
    for source in _sources().values():
        # This one makes errors of what it is given.
        if source.name == "common.errors":
            continue
        for name, call in source.calls():
            if name == function and (key := _keyword(call, "translation_key")):
                passed = _keys_of_dict(_keyword(call, "translation_placeholders"))
                for text in source.texts(key):
                    found[text].append(passed)
    return found


def _keys_of_dict(node: ast.expr | None) -> set[str]:
    if node is None:
        return set()
    assert isinstance(node, ast.Dict), ast.unparse(node)
    return {ast.literal_eval(key) for key in node.keys if key is not None}


# Errors that people read.


@cache
def _said() -> dict[str, list[set[str]]]:
    """Return the exceptions that the code names, with the placeholders passed."""
    said: dict[str, list[set[str]]] = defaultdict(list)
    kinds: set[str] = set()
    for source in _sources().values():
        if source.name == "common.errors":
            continue
        for name, call in source.calls():
            if name in ("refused", "refused_by_state", "RequestRefusedError"):
                passed = {item.arg for item in call.keywords if item.arg is not None}
                for key in source.texts(call.args[0]):
                    said[key].append(passed | {"device"})
            elif name.endswith(("Error", "Failed", "NotReady")):
                kinds.add(name)
    for kind in kinds:
        for key, passed_by in _by_key(kind).items():
            said[key] += passed_by
    return said


def _all_errors(kind: type[AmpsError] = AmpsError) -> Iterator[type[AmpsError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _all_errors(below)


# What the API says of a refusal, as documented.
_DETAILS: Final[tuple[Json, ...]] = (
    {},
    *(
        {"supportedExecution": list(taken)}
        for count in (1, 2)
        for taken in combinations(("immediate", "scheduled", "windowed"), count)
    ),
    *(
        {"reason": reason}
        for reason in ("owner_app", "third_party", "earlier_action", "else")
    ),
    {"parameter": "power", "value": 9, "unit": "kw", "min": 0, "max": 5},
    {"parameter": "power", "providedUnit": "watts", "supportedUnits": ["kw"]},
    {"unsupportedParameters": ["power"]},
    {"deviceCapabilities": {"supportedModes": ["charge"]}},
)


@cache
def _spoken() -> dict[str, list[set[str]]]:
    """Return the exceptions that come of errors of the API and of actions."""
    said: list[HomeAssistantError] = [errors.several_failed([], 2)]
    for code in (None, "SOME_CODE", *refusals._CODES, *refusals._BY_CODE):
        said += [
            errors.spoken(kind("message", code=code), "Name", HomeAssistantError)
            for kind in _all_errors()
        ]
        for details in _DETAILS:
            said.append(
                errors.spoken(
                    AmpsRefusedError("message", code=code, details=details),
                    "Name",
                    HomeAssistantError,
                )
            )
            said.append(
                errors.action_error(
                    Action(id="id", error_code=code, result=details), "Name"
                )
            )
    spoken: dict[str, list[set[str]]] = defaultdict(list)
    for error in said:
        assert error.translation_key is not None
        spoken[error.translation_key].append(set(error.translation_placeholders or {}))
    return spoken


def test_exceptions() -> None:
    """Every exception has a message, and every message an exception."""
    assert set(WORDS["exceptions"]) == set(_said()) | set(_spoken())


@pytest.mark.parametrize("key", WORDS["exceptions"])
def test_placeholders_of_exceptions(key: str) -> None:
    """What is passed for one message alone stands in it; what is not, does not."""
    used = _placeholders(WORDS["exceptions"][key]["message"])
    for passed in _said().get(key, []):
        assert used == passed
    # Those of the API all get the same three, and use what they need.
    for passed in _spoken().get(key, []):
        assert used <= passed
    assert ("reasons" if key == "several_failed" else "device") in used


def test_all_reasons_to_refuse() -> None:
    """The reading of the source finds what it is there to find."""
    assert {
        "command_not_supported",
        "parameter_out_of_range",
        "setting_out_of_range",
        "temperature_while_off",
        "device_busy",
    } <= set(_said())


# Entities.


@dataclass(frozen=True, kw_only=True)
class Described:
    """A description of a platform's table, or one for the account (no type)."""

    platform: str
    device_type: DeviceType | None
    description: EntityDescription

    @property
    def key(self) -> str | None:
        """Return the key of the words and icons."""
        return self.description.translation_key


def _is_description(value: object) -> bool:
    """Tell a description; those without a class of their own derive from no class."""
    return not isinstance(value, type) and hasattr(
        value, "entity_registry_enabled_default"
    )


@cache
def _described() -> tuple[Described, ...]:
    """Return all rows of all tables of all platforms."""
    found = []
    for platform in PLATFORM_NAMES:
        module = import_module(f"custom_components.amps_ai.{platform}")
        for table in vars(module).values():
            if _is_description(table):
                found.append(
                    Described(platform=platform, device_type=None, description=table)
                )
            if not isinstance(table, Mapping):
                continue
            for device_type, rows in table.items():
                if isinstance(device_type, DeviceType) and isinstance(rows, tuple):
                    found += [
                        Described(
                            platform=platform, device_type=device_type, description=row
                        )
                        for row in rows
                        if _is_description(row)
                    ]
    return tuple(found)


@cache
def _keys() -> dict[str, set[str]]:
    """Return the translation keys that the code uses, by platform."""
    keys: dict[str, set[str]] = defaultdict(set)
    for row in _described():
        if row.key is not None:
            keys[row.platform].add(row.key)
    for platform in PLATFORM_NAMES:
        for node in ast.walk(_sources()[platform].tree):
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)
                and node.targets[0].id == "_attr_translation_key"
            ):
                keys[platform].add(ast.literal_eval(node.value))
    return keys


def test_tables_are_found() -> None:
    assert {row.platform for row in _described()} >= {
        "binary_sensor",
        "button",
        "climate",
        "event",
        "number",
        "select",
        "sensor",
        "switch",
    }
    assert {row.device_type for row in _described()} >= set(DeviceType)


def test_words_of_entities() -> None:
    """All translation keys have words, and all words a translation key."""
    assert {platform: set(words) for platform, words in WORDS["entity"].items()} == (
        _keys()
    )


def test_icons_of_entities() -> None:
    """No icon without an entity; no entity without an icon or a device class."""
    icons = {platform: set(found) for platform, found in ICONS["entity"].items()}
    for platform, found in icons.items():
        assert found <= _keys()[platform]
    for row in _described():
        if row.key is not None and getattr(row.description, "device_class", 0) is None:
            assert row.key in icons[row.platform], row


@pytest.mark.parametrize(
    "row",
    _described(),
    ids=lambda row: f"{row.device_type}-{row.platform}.{row.description.key}",
)
def test_name_of_entity(row: Described) -> None:
    """An entity is named once: by words, by its device class, or as the device."""
    description = row.description
    if row.key is None:
        assert description.name is UNDEFINED
        assert description.device_class is not None
        return
    words = WORDS["entity"][row.platform][row.key]
    if description.name is UNDEFINED:
        assert words["name"]
    else:
        assert description.name is None
        assert "name" not in words


def test_keys_of_entities_are_those_of_their_words() -> None:
    """A unique id ends as the words are called, so that both are easily found."""
    for row in _described():
        assert row.key in (None, row.description.key)


@cache
def _states() -> dict[tuple[str, str], set[str]]:
    """Return the states that need words, by platform and translation key."""
    states: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in _described():
        options = getattr(row.description, "options", None)
        if row.key is not None and options:
            assert row.description.device_class is SensorDeviceClass.ENUM
            states[row.platform, row.key] |= set(options)
    states["sensor", "last_action"] |= {state.value for state in ActionState}
    states["select", "mode"] |= {
        command.replace(".", "_")
        for model in CATALOGUE["battery"]
        for command in commands_of(model) or {}
    }
    return states


def test_words_of_states() -> None:
    """All options have words; where a word stands, there is such a state."""
    assert set(_attributes("sensor", "next")) == {"status"}
    told = {
        (platform, key): set(words["state"])
        for platform, keys in WORDS["entity"].items()
        for key, words in keys.items()
        if "state" in words and platform not in ("binary_sensor", "switch")
    }
    assert told == _states()
    for platform in ("binary_sensor", "switch"):
        for words in WORDS["entity"][platform].values():
            assert set(words.get("state", ("on", "off"))) == {"on", "off"}


def test_icons_of_states() -> None:
    for platform, keys in ICONS["entity"].items():
        for key, icons in keys.items():
            known = _states().get((platform, key), {"on", "off"})
            assert set(icons.get("state", ())) <= known, (platform, key)


def _attributes(platform: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = WORDS["entity"][platform][key].get("state_attributes", {})
    return found


def test_words_of_attributes() -> None:
    """The attributes that the code adds have names, and no others."""
    action = set(action_attributes(Action(id="id")))
    assert set(_attributes("sensor", "last_action")) == action
    assert set(_attributes("event", "action")) == action | {"event_type"}
    for platform, key in (("sensor", "status"), ("select", "mode")):
        assert set(_attributes(platform, key)) == {ATTR_REPORTED_STATUS}
    assert set(_attributes("climate", "climate")) == {"preset_mode"}
    assert set(_attributes("sensor", "next")) == {"status"}
    told = {
        (platform, key)
        for platform, keys in WORDS["entity"].items()
        for key in keys
        if _attributes(platform, key)
    }
    assert told == {
        ("climate", "climate"),
        ("event", "action"),
        ("select", "mode"),
        ("sensor", "last_action"),
        ("sensor", "next"),
        ("sensor", "status"),
    }


def test_words_of_states_of_attributes() -> None:
    events = _attributes("event", "action")["event_type"]["state"]
    assert set(events) == {state.value for state in FINAL_STATES}
    presets = {PRESET_SCHEDULE, PRESET_HOLD}
    assert set(_attributes("climate", "climate")["preset_mode"]["state"]) == presets
    icons = ICONS["entity"]["climate"]["climate"]["state_attributes"]["preset_mode"]
    assert set(icons["state"]) == presets


# The config flow.

SCHEMAS: Final[dict[str, vol.Schema]] = {
    "user": config_flow.ACCOUNT_SCHEMA,
    "large_account": config_flow.USER_SCHEMA,
    "reauth_confirm": config_flow.KEY_SCHEMA,
    "reconfigure": config_flow.ACCOUNT_SCHEMA,
}
FLOW: Final = WORDS["config"]
# Where the words of a flow stand, and where the flow.
FLOWS: Final = {"config": "config_flow"} | (
    {"options": "flows.options"} if (ROOT / "flows/options.py").exists() else {}
)


@cache
def _steps(module: str) -> dict[str, tuple[str, set[str]]]:
    """Return the steps that a flow shows: how, and with which placeholders."""
    steps: dict[str, tuple[str, set[str]]] = {}
    source = _sources()[module]
    for name, call in source.calls():
        if name not in (".async_show_form", ".async_show_menu"):
            continue
        node = _keyword(call, "step_id")
        assert node is not None
        passed = _keys_of_dict(_keyword(call, "description_placeholders"))
        for step in source.texts(node):
            steps[step] = (name, passed)
    return steps


def _used(words: Mapping[str, Any]) -> set[str]:
    """Return the placeholders of all texts."""
    return {name for _, text in _leaves(words) for name in _placeholders(text)}


@pytest.mark.parametrize("section", FLOWS)
def test_steps(section: str) -> None:
    """Every step has words, and they use what is passed, and nothing else."""
    shown = _steps(FLOWS[section])
    assert set(WORDS[section]["step"]) == set(shown)
    for step, words in WORDS[section]["step"].items():
        assert _used(words) == shown[step][1], step


def test_forms() -> None:
    shown = _steps("config_flow")
    assert set(SCHEMAS) == {
        step for step, (how, _) in shown.items() if how == ".async_show_form"
    }


@pytest.mark.parametrize("step", SCHEMAS)
def test_fields_of_step(step: str) -> None:
    """Every field has a name and an explanation."""
    fields = {str(marker) for marker in SCHEMAS[step].schema}
    assert set(FLOW["step"][step]["data"]) == fields
    assert set(FLOW["step"][step]["data_description"]) == fields


def test_menu() -> None:
    (call,) = (
        call
        for name, call in _sources()["config_flow"].calls()
        if name == ".async_show_menu"
    )
    node = _keyword(call, "menu_options")
    assert node is not None
    options = ast.literal_eval(node)
    assert set(FLOW["step"]["no_devices"]["menu_options"]) == set(options)
    for option in options:
        assert hasattr(config_flow.AmpsConfigFlow, f"async_step_{option}")


def test_errors_of_the_flow() -> None:
    constants = {
        node.value
        for node in ast.walk(_sources()["config_flow"].tree)
        if isinstance(node, ast.Constant)
    }
    assert set(FLOW["error"]) == {
        *(error for _, error in config_flow._ERRORS),
        "invalid_app_id",
        "overlapping_entry",
        "required",
        "unknown",
        "wrong_account",
    }
    assert set(FLOW["error"]) <= constants


def _reasons_of(method: str) -> set[str]:
    """Return the texts that a method of the flow returns."""
    return {
        constant.value
        for function in ast.walk(_sources()["config_flow"].tree)
        if isinstance(function, ast.FunctionDef) and function.name == method
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and node.value is not None
        for constant in ast.walk(node.value)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    }


def test_aborts_of_the_flow() -> None:
    source = _sources()["config_flow"]
    reasons: set[str] = set()
    for name, call in source.calls():
        if name == ".async_abort":
            node = _keyword(call, "reason")
            assert node is not None
            # A reason by name is one that an entry cannot have what was typed.
            reasons |= (
                _reasons_of("_unfit")
                if ast.unparse(node) == "reason"
                else source.texts(node)
            )
        elif name == "._abort_if_unique_id_configured":
            reasons.add("already_configured")
        elif name == ".async_update_reload_and_abort":
            reasons |= {"reauth_successful", "reconfigure_successful"}
    assert set(FLOW["abort"]) == reasons


def test_words_of_the_dialog_of_plans() -> None:
    """Its errors, its ends and its fields have words, and there are no others."""
    source = _sources()["flows.plan"]
    words = WORDS["config_subentries"]["plan"]
    constants = {
        node.value for node in ast.walk(source.tree) if isinstance(node, ast.Constant)
    }
    assert set(words["error"]) <= constants
    reasons: set[str] = set()
    for name, call in source.calls():
        if name == ".async_abort":
            node = _keyword(call, "reason")
            assert node is not None
            reasons |= source.texts(node)
    assert set(words["abort"]) == reasons
    for step in words["step"].values():
        assert set(step["data"]) == set(step["data_description"])
    assert set(words["initiate_flow"]) == {"user", "reconfigure"}
    assert list(WORDS["selector"]["weekday"]["options"]) == WEEKDAYS


# Repairs.


def _issues() -> dict[str, set[str]]:
    """Return the issues that the code opens, with the placeholders passed."""
    source = _sources()["common.issues"]
    opened: dict[str, set[str]] = {}
    for name, call in source.calls():
        if name == "_open":
            passed = _keys_of_dict(call.args[4])
            key = call.args[3]
            if isinstance(key, ast.JoinedStr):
                # By type: those that can be steered, and not in live yet.
                keys = {
                    f"{issues.NOT_OPEN_YET}_{kind}" for kind in STEERABLE - LIVE_CONTROL
                }
            elif ast.unparse(key) == "key":
                keys = set(issues.DENIALS)
            else:
                keys = source.texts(key)
            opened |= dict.fromkeys(keys, passed)
    return opened


def test_issues() -> None:
    """Every issue has words, and every word an issue."""
    assert set(WORDS.get("issues", {})) == set(_issues())


@pytest.mark.parametrize("key", WORDS.get("issues", {}))
def test_placeholders_of_issue(key: str) -> None:
    """The words use what is passed; those of a fix may add what went wrong."""
    words = WORDS["issues"][key]
    fix = words.get("fix_flow", {})
    used = _used({**words, "fix_flow": {"step": fix.get("step", {})}})
    passed = _issues()[key]
    assert used == passed
    assert _used(fix.get("error", {})) <= passed | {"error"}


# Actions.


def _services() -> dict[str, Any]:
    """Return the actions as their forms are described."""
    path = ROOT / "services.yaml"
    if not path.exists():
        return {}
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def test_actions() -> None:
    """All actions have words and icons, and all words and icons an action."""
    assert set(WORDS.get("services", {})) == set(_services())
    assert set(ICONS.get("services", {})) == set(_services())


def _fields(rows: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a form, those of its sections among them."""
    fields: dict[str, Any] = {}
    for name, row in rows.items():
        fields |= row.get("fields", {name: row})
    return fields


@pytest.mark.parametrize("service", _services())
def test_fields_of_action(service: str) -> None:
    """Every field has a name and an explanation, and what it offers has words."""
    rows = _services()[service].get("fields", {})
    sections = {name for name, row in rows.items() if "fields" in row}
    named = WORDS["services"][service].get("sections", {})
    assert {name: set(words) for name, words in named.items()} == {
        key: {"name", "description"} for key in sections
    }
    fields = _fields(rows)
    words = WORDS["services"][service]["fields"]
    assert set(words) == set(fields)
    for name, described in fields.items():
        assert set(words[name]) == {"name", "description"}
        selector = described["selector"].get("select", {})
        if (key := selector.get("translation_key")) is not None:
            assert set(WORDS["selector"][key]["options"]) == set(selector["options"])
        parts = described["selector"].get("object", {})
        if parts:
            assert set(WORDS["selector"][parts["translation_key"]]["fields"]) == set(
                parts["fields"]
            )


# Triggers and conditions.

BLOCKS: Final[Mapping[str, tuple[str, Mapping[str, type]]]] = {
    "triggers": ("trigger", trigger.TRIGGERS),
    "conditions": ("condition", condition.CONDITIONS),
}


@cache
def _blocks(section: str) -> dict[str, Any]:
    """Return the triggers or conditions as their forms are described."""
    path = ROOT / f"{section}.yaml"
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("section", BLOCKS)
def test_blocks(section: str) -> None:
    """All of the code are described, with words and an icon, and nothing else is."""
    icon, known = BLOCKS[section]
    assert set(_blocks(section)) == set(known)
    assert set(WORDS[section]) == set(known)
    assert set(ICONS[section]) == set(known)
    for icons in ICONS[section].values():
        assert set(icons) == {icon}


@pytest.mark.parametrize(
    ("section", "key"), [(section, key) for section in BLOCKS for key in WORDS[section]]
)
def test_fields_of_block(section: str, key: str) -> None:
    """Every field has a name and an explanation, and none of another field."""
    described = _blocks(section)[key]
    assert set(described) <= {"target", "fields"}
    # What else a target could filter by, is not for triggers and conditions.
    assert set(described["target"]) <= {"entity", "primary_entities_only"}
    words = WORDS[section][key]
    assert set(words) <= {"name", "description", "fields"}
    assert set(words.get("fields", {})) == set(described.get("fields", {}))
    for name, field_of in described.get("fields", {}).items():
        assert set(words["fields"][name]) == {"name", "description"}
        assert set(field_of) <= {"required", "default", "example", "selector"}
        assert field_of["selector"].keys()


def test_commands_of_triggers() -> None:
    """The editor offers the commands that devices can be sent."""
    for key in ("command_completed", "command_failed"):
        field_of = _blocks("triggers")[key]["fields"]["command"]
        offered = field_of["selector"]["select"]["options"]
        assert offered == [
            item.replace(".", "_") for item in Commands if item != "set_max_power"
        ]
        assert [command_of(key) for key in offered] == list(Commands)[:-1]


def test_forms_of_values() -> None:
    """What is known of settings and parameters can be typed into fields."""
    rows = {
        "parameters": _services()["send_command"]["fields"]["parameters"],
        "settings": _services()["update_settings"]["fields"]["settings"],
    }
    offered = {key: row["selector"]["object"]["fields"] for key, row in rows.items()}
    assert [parameter_of(key) for key in offered["parameters"]] == list(Parameters)
    assert set(offered["settings"]) == set(Settings) - READ_ONLY_SETTINGS


def test_selectors() -> None:
    """No words for selectors that nobody uses, and none without words."""
    used = {
        described["selector"].get(kind, {}).get("translation_key")
        for kind in ("select", "object")
        for form in (_services(), _blocks("triggers"), _blocks("conditions"))
        for row in form.values()
        for described in _fields(row.get("fields", {})).values()
    }
    used |= set(_by_key("SelectSelectorConfig"))
    assert set(WORDS.get("selector", {})) == used - {None}


# What is said in the language of the house.


def test_common_words() -> None:
    """All that the code says has words, and all words are said."""
    said = {
        text.removeprefix("common.")
        for source in _sources().values()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant)
        and isinstance(text := node.value, str)
        and text.startswith("common.")
        and not text.endswith("_")
    } - {""}
    said |= {key for _, key in common_words._REASONS}
    said |= {f"part_{item}" for item in Execution}
    said |= {f"environment_{item}" for item in Environment}
    said |= {f"type_{item}" for item in STEERABLE}
    # Commands that no select has, and those that other devices call otherwise.
    modes = WORDS["entity"]["select"]["mode"]["state"]
    keys = {item.replace(".", "_") for item in Commands}
    said |= {f"command_{key}" for key in keys - set(modes)}
    others = {
        key
        for key in WORDS["common"]
        for kind in STEERABLE
        if key.startswith((f"command_{kind}_", f"done_{kind}_"))
        and key.partition(f"{kind}_")[2] in keys
    }
    assert set(WORDS["common"]) == said | others


def test_words_of_parameters() -> None:
    """Every parameter is called as a field or an entity is."""
    ways = {".".join(way) for way, _ in _leaves(WORDS)}
    assert set(common_words._PARAMETERS) == set(Parameters)
    assert set(common_words._PARAMETERS.values()) <= ways
    assert set(units.UNITS) == set(Units)


# What Home Assistant's own check demands.

KEY: Final = re.compile(r"[a-z0-9]+(?:[_-][a-z0-9]+)*")
SECTIONS: Final = {
    "common",
    "conditions",
    "config",
    "config_subentries",
    "device",
    "entity",
    "exceptions",
    "issues",
    "options",
    "selector",
    "services",
    "system_health",
    "title",
    "triggers",
}
STEP_KEYS: Final = {
    "title",
    "description",
    "data",
    "data_description",
    "menu_options",
    "menu_option_descriptions",
    "sections",
    "submit",
}
LEAVES: Final = list(_leaves(WORDS))


def test_sections() -> None:
    assert set(WORDS) <= SECTIONS
    # At run time nobody reads this one.
    assert not (ROOT / "strings.json").exists()


@pytest.mark.parametrize(("path", "text"), LEAVES, ids=[".".join(p) for p, _ in LEAVES])
def test_text(path: tuple[str, ...], text: Any) -> None:
    """Plain words: no address, no markup, no stray space, no odd key."""
    assert isinstance(text, str)
    assert text
    assert text == text.strip()
    assert "  " not in text
    for key in path:
        assert KEY.fullmatch(key), key
    assert not re.search(r"https?:|www\.|\w\.(?:ai|com|io|org)\b", text)
    assert not re.search(r"<[^>]*>|&\w+;", text)
    assert "[%key:" not in text
    assert not re.search(r"'\{\w+\}'", text)
    for name in _placeholders(text):
        assert name.isidentifier()
    if path[0] == "entity":
        # A plan's entities are named after it.
        of_plan = path[2:] in (("plan", "name"), ("next", "name"))
        assert _placeholders(text) == ({"plan"} if of_plan else set())


def test_shape_of_flows() -> None:
    for section in ("config", "options"):
        flow = WORDS.get(section, {})
        assert set(flow) <= {"abort", "create_entry", "error", "progress", "step"}
        for step in flow.get("step", {}).values():
            assert set(step) <= STEP_KEYS
            assert set(step.get("data_description", ())) <= set(step.get("data", ()))


def test_shape_of_entities() -> None:
    for keys in WORDS["entity"].values():
        for words in keys.values():
            assert set(words) <= {
                "name",
                "state",
                "state_attributes",
                "unit_of_measurement",
            }
            for attribute in words.get("state_attributes", {}).values():
                assert set(attribute) <= {"name", "state"}


def test_shape_of_the_rest() -> None:
    for words in WORDS["exceptions"].values():
        assert set(words) == {"message"}
    for words in WORDS.get("issues", {}).values():
        assert "title" in words
        assert len({"description", "fix_flow"} & set(words)) == 1
    for section in ("services", "triggers", "conditions"):
        for words in WORDS.get(section, {}).values():
            assert words["name"]
            assert words["description"]
            for item in words.get("fields", {}).values():
                assert item["name"]


def test_icons() -> None:
    for path, icon in _leaves(ICONS):
        assert re.fullmatch(r"mdi:[a-z0-9]+(?:-[a-z0-9]+)*", icon), path
    for keys in ICONS["entity"].values():
        for icons in keys.values():
            assert "default" in icons
            assert set(icons) <= {"default", "state", "range", "state_attributes"}


def test_order_of_the_manifest() -> None:
    """Domain and name first, the rest by the alphabet."""
    keys = list(MANIFEST)
    assert keys[:2] == ["domain", "name"]
    assert keys[2:] == sorted(keys[2:])


def test_manifest() -> None:
    assert (
        {
            "codeowners",
            "config_flow",
            "documentation",
            "integration_type",
            "iot_class",
            "issue_tracker",
            "version",
        }
        <= set(MANIFEST)
        <= {
            "after_dependencies",
            "categories",
            "codeowners",
            "config_flow",
            "connectivity",
            "dependencies",
            "documentation",
            "domain",
            "import_executor",
            "integration_type",
            "iot_class",
            "issue_tracker",
            "loggers",
            "name",
            "quality_scale",
            "requirements",
            "version",
        }
    )
    assert MANIFEST["domain"] == ROOT.name
    assert MANIFEST["name"] == "Amps AI"
    assert MANIFEST["config_flow"] is True
    assert MANIFEST["integration_type"] == "hub"
    assert MANIFEST["iot_class"] == "cloud_polling"
    assert re.fullmatch(r"\d+\.\d+\.\d+", MANIFEST["version"])
    for address in (MANIFEST["documentation"], MANIFEST["issue_tracker"]):
        assert address.startswith("https://")
    for owner in MANIFEST["codeowners"]:
        assert re.fullmatch(r"@[\w-]+", owner)
    for requirement in MANIFEST["requirements"]:
        assert " " not in requirement


def test_dependencies() -> None:
    """What is imported of Home Assistant's components is loaded before."""
    imported = {
        name.split(".")[2]
        for source in _sources().values()
        for node in ast.walk(source.tree)
        for name in _imported(node)
        if name.startswith("homeassistant.components.")
    }
    declared = {
        *MANIFEST.get("dependencies", ()),
        *MANIFEST.get("after_dependencies", ()),
    }
    # What a platform is there for is loaded already.
    platforms = {path.stem for path in ROOT.glob("*.py")}
    # These two are always there.
    core = {"homeassistant", "persistent_notification"}
    assert imported - declared <= {*PLATFORM_NAMES, *platforms, *core}


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        if node.module == "homeassistant.components":
            return [f"{node.module}.{alias.name}" for alias in node.names]
        return [node.module]
    return []
