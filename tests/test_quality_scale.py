"""What quality_scale.yaml says is complete, and what it names is there."""

import ast
from importlib.util import find_spec
import json
from pathlib import Path
import re
import struct
from typing import Any, Final

import pytest
import yaml

from custom_components.amps_ai import PLATFORMS

from .pages import ROOT, parts

INTEGRATION: Final = ROOT / "custom_components" / "amps_ai"
MANIFEST: Final[dict[str, Any]] = json.loads(
    (INTEGRATION / "manifest.json").read_text(encoding="utf-8")
)

# All there are in 2026, in the order of the tiers.
TIERS: Final = {
    "Bronze": (
        "action-setup",
        "appropriate-polling",
        "brands",
        "common-modules",
        "config-flow",
        "config-flow-test-coverage",
        "dependency-transparency",
        "docs-actions",
        "docs-conditions",
        "docs-high-level-description",
        "docs-installation-instructions",
        "docs-removal-instructions",
        "docs-triggers",
        "entity-event-setup",
        "entity-unique-id",
        "has-entity-name",
        "runtime-data",
        "test-before-configure",
        "test-before-setup",
        "unique-config-entry",
    ),
    "Silver": (
        "action-exceptions",
        "config-entry-unloading",
        "docs-configuration-parameters",
        "docs-installation-parameters",
        "entity-unavailable",
        "integration-owner",
        "log-when-unavailable",
        "parallel-updates",
        "reauthentication-flow",
        "test-coverage",
    ),
    "Gold": (
        "devices",
        "diagnostics",
        "discovery",
        "discovery-update-info",
        "docs-data-update",
        "docs-examples",
        "docs-known-limitations",
        "docs-supported-devices",
        "docs-supported-functions",
        "docs-troubleshooting",
        "docs-use-cases",
        "dynamic-devices",
        "entity-category",
        "entity-device-class",
        "entity-disabled-by-default",
        "entity-translations",
        "exception-translations",
        "icon-translations",
        "reconfiguration-flow",
        "repair-issues",
        "stale-devices",
    ),
    "Platinum": ("async-dependency", "inject-websession", "strict-typing"),
}
# What a cloud account cannot have.
EXEMPT: Final = {"discovery", "discovery-update-info"}

# A file of the repository, with a test in it or a part of it.
EVIDENCE: Final = re.compile(
    r"(?P<path>(?:(?:custom_components|develop|docs|scripts|tests)/[\w./]*\w|\w+\.md))"
    r"(?:::(?P<test>\w+)|#(?P<part>[\w-]+))?"
)

SIZES: Final = {"icon.png": (256, 256), "icon@2x.png": (512, 512)}


def _read() -> dict[str, Any]:
    text = (INTEGRATION / "quality_scale.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


RULES: Final[dict[str, Any]] = _read()["rules"]


def test_all_rules_in_their_order() -> None:
    assert set(_read()) == {"rules"}
    assert list(RULES) == [rule for rules in TIERS.values() for rule in rules]


def test_tiers_are_told() -> None:
    """Each rule stands under the name of its tier, and none stands there twice."""
    tier = ""
    told: dict[str, list[str]] = {}
    for line in (INTEGRATION / "quality_scale.yaml").read_text("utf-8").splitlines():
        if heading := re.fullmatch(r"  # (\w+)", line):
            tier = heading[1]
        elif rule := re.fullmatch(r"  ([\w-]+):.*", line):
            told.setdefault(tier, []).append(rule[1])
    assert {name: tuple(rules) for name, rules in told.items()} == TIERS


@pytest.mark.parametrize("rule", RULES)
def test_rule(rule: str) -> None:
    """It is met, or cannot be; both with a word on how or why."""
    said = RULES[rule]
    assert set(said) == {"status", "comment"}
    assert said["status"] == ("exempt" if rule in EXEMPT else "done")
    assert said["comment"].strip()


def _tests(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in EXEMPT])
def test_evidence(rule: str) -> None:
    """What a rule names is there."""
    found = list(EVIDENCE.finditer(RULES[rule]["comment"]))
    assert found
    for item in found:
        path = ROOT / item["path"]
        assert path.is_file(), item[0]
        if item["test"]:
            assert item["test"].startswith("test_")
            assert item["test"] in _tests(path), item[0]
        if item["part"]:
            assert item["part"] in parts(path), item[0]


def test_manifest_claims_the_highest_tier() -> None:
    """Home Assistant shows every custom integration as such; reviewers read it."""
    assert MANIFEST["quality_scale"] == list(TIERS)[-1].lower()


# What no other test shows.


def test_owner() -> None:
    assert MANIFEST["codeowners"]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_parallel_updates(platform: str) -> None:
    """No platform leaves it to Home Assistant; commands wait in `push.py`."""
    tree = ast.parse((INTEGRATION / f"{platform}.py").read_text(encoding="utf-8"))
    said = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and [ast.unparse(target) for target in node.targets] == ["PARALLEL_UPDATES"]
    ]
    assert said == [0]


def _size(path: Path) -> tuple[int, int]:
    """Return the width and height of a PNG."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:])
    return width, height


@pytest.mark.parametrize("dark", ["", "dark_"], ids=["light", "dark"])
def test_brand(dark: str) -> None:
    """The images have the names and sizes that Home Assistant serves."""
    brand = INTEGRATION / "brand"
    for name, size in SIZES.items():
        assert _size(brand / f"{dark}{name}") == size
    for name, low, high in (("logo.png", 128, 256), ("logo@2x.png", 256, 512)):
        assert low <= min(_size(brand / f"{dark}{name}")) <= high


@pytest.mark.parametrize("requirement", MANIFEST["requirements"])
def test_libraries_are_typed(requirement: str) -> None:
    name = re.split(r"[=<>]", requirement)[0]
    spec = find_spec(name)
    assert spec is not None
    assert spec.submodule_search_locations
    assert (Path(spec.submodule_search_locations[0]) / "py.typed").is_file()
