"""The check of files finds what is wrong, with the line, and nothing else."""

from pathlib import Path
from typing import Final

import pytest

from develop import ROOT
from develop.checks.files import faults, files

WORKFLOW: Final = """\
name: Test
on: push
permissions:
  contents: read
concurrency:
  group: test
jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - uses: actions/checkout@0123456789abcdef0123456789abcdef01234567 # v7.0.1
      - run: "true"
"""
FORM: Final = """\
name: A form
description: What it is for
body:
  - type: markdown
    attributes:
      value: Hello
  - type: dropdown
    id: choice
    attributes:
      label: Choose
      options: [one, two]
"""
SERVICES: Final = """\
charge:
  fields:
    target:
      selector:
        number:
          min: 0
          max: 100
"""
WORKFLOWS: Final = ".github/workflows/test.yml"
FORMS: Final = ".github/ISSUE_TEMPLATE/bug.yml"
DESCRIBED: Final = "custom_components/amps_ai/services.yaml"
HACS: Final = '{\n  "name": "Amps AI",\n  "homeassistant": "2026.10.0"\n}\n'


def _faults(root: Path, name: str, text: str) -> list[str]:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return list(faults(path, root))


def test_this_checkout() -> None:
    checked = files(ROOT)
    assert {"manifest.json", "services.yaml", "test.yml"} <= {
        path.name for path in checked
    }
    assert [fault for path in checked for fault in faults(path, ROOT)] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (WORKFLOWS, WORKFLOW),
        (FORMS, FORM),
        (DESCRIBED, SERVICES),
        ("hacs.json", HACS),
        ("blueprint.yaml", "a: !input b\nc: !secret d\ne: !include f.yaml\n"),
        ("merged.yaml", "a: &a {b: 1}\nc:\n  <<: *a\n"),
        ("empty.yaml", "# nothing\n"),
    ],
    ids=lambda value: value if "\n" not in value else "",
)
def test_nothing_is_wrong(tmp_path: Path, name: str, text: str) -> None:
    assert _faults(tmp_path, name, text) == []


@pytest.mark.parametrize(
    ("name", "text", "line", "word"),
    [
        ("any.json", '{\n  "a": 1,\n}\n', 2, ""),
        ("any.json", '{\n  "a": 1,\n  "a": 2\n}\n', 3, "twice"),
        ("any.yaml", "a: 1\nb: [1\nc: 2\n", 3, ""),
        ("any.yaml", "a:\n  b: 1\n  c: 2\n  b: 3\n", 4, "twice"),
        ("any.yaml", "a: 1\nb: !python/name:os.system\n", 2, "tag"),
        ("any.yaml", "a: 1\n\tb: 2\n", 2, ""),
        ("hacs.json", HACS.replace('"Amps AI"', "1"), 2, "name"),
        ("hacs.json", HACS.replace("2026.10.0", "soon"), 3, "homeassistant"),
        ("hacs.json", HACS.replace('"name"', '"nome"'), 2, "nome"),
        (DESCRIBED, SERVICES.replace("min: 0", "min: none"), 6, "min"),
        (DESCRIBED, SERVICES.replace("number", "numbers"), 4, "selector"),
        (DESCRIBED, SERVICES.replace("fields:", "feelds:"), 2, "feelds"),
        (
            DESCRIBED.replace("services", "triggers"),
            "a:\n  feelds:\n    b:\n",
            2,
            "feelds",
        ),
        (
            DESCRIBED.replace("services", "conditions"),
            "a:\n  fields: 1\n",
            2,
            "fields",
        ),
        (WORKFLOWS, WORKFLOW.replace("on: push\n", ""), 1, ""),
        (WORKFLOWS, WORKFLOW.replace("contents: read", "contents: write"), 4, ""),
        (WORKFLOWS, WORKFLOW.replace("    timeout-minutes: 5\n", ""), 8, "timeout"),
        (WORKFLOWS, WORKFLOW.replace(" # v7.0.1", ""), 12, "pinned"),
        (WORKFLOWS, WORKFLOW.replace("@0123456789abcdef", "@v7"), 12, "pinned"),
        (FORMS, FORM.replace("description: What it is for\n", ""), 1, "description"),
        (FORMS, FORM.replace("    id: choice\n", ""), 7, "id"),
        (FORMS, FORM.replace("      label: Choose\n", ""), 9, "label"),
        (FORMS, FORM.replace("      options: [one, two]\n", ""), 7, "options"),
        (FORMS, FORM.replace("dropdown", "dropdowns"), 7, "type"),
        (FORMS, FORM.replace("value: Hello", "text: Hello"), 6, "text"),
        (
            FORMS,
            FORM + "  - type: input\n    id: choice\n    attributes: {label: A}\n",
            13,
            "twice",
        ),
        (FORMS.replace("bug", "config"), "blank_issues_enabled: maybe\n", 1, ""),
    ],
)
def test_wrong(tmp_path: Path, name: str, text: str, line: int, word: str) -> None:
    found = _faults(tmp_path, name, text)
    assert any(
        fault.startswith(f"{name}:{line}: ") and word in fault for fault in found
    ), found


def test_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "any.yaml"
    path.write_bytes(b"a: \xff\n")
    (fault,) = faults(path, tmp_path)
    assert fault.startswith("any.yaml:1: not UTF-8")
