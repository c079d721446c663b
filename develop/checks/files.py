"""Check all JSON and YAML files: that they can be read, and that they fit.

What the tests see to is not looked at here: words, icons, the manifest and the
blueprints. An error is told with its file and line.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
import json
from pathlib import Path
import re
import sys
from typing import Any, Final, override

from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import TargetSelector, validate_selector
import voluptuous as vol
import yaml

from develop import ROOT

# What Home Assistant's own loader understands beside plain YAML.
TAGS: Final = (
    "!env_var",
    "!include",
    "!include_dir_list",
    "!include_dir_merge_list",
    "!include_dir_merge_named",
    "!include_dir_named",
    "!input",
    "!secret",
)

SUFFIXES: Final = (".json", ".yaml", ".yml")
# Beside the folders with a dot, of which only GitHub's is the project's own.
LEFT_BEHIND: Final = ("__pycache__", "dist", "htmlcov", "node_modules", "screenshots")

type Way = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """What is wrong, and where."""

    way: Way
    text: str
    # Where a file cannot be read there are no ways in it.
    line: int | None = None


class Loader(yaml.SafeLoader):
    """YAML as Home Assistant reads it: with its own tags."""

    @override
    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Take the word behind a tag for the value."""
        if node.tag in TAGS and isinstance(node, yaml.ScalarNode):
            return self.construct_scalar(node)
        return super().construct_object(node, deep)


@dataclass(frozen=True)
class Document:
    """A file, and where in it what stands."""

    path: Path
    text: str

    @cached_property
    def tree(self) -> yaml.Node | None:
        """Return the file's nodes; JSON is YAML as well."""
        tree: yaml.Node | None = yaml.compose(self.text, Loader=Loader)
        return tree

    @cached_property
    def content(self) -> Any:
        """Return what the file says."""
        if self.path.suffix == ".json":
            return json.loads(self.text)
        return yaml.load(self.text, Loader=Loader)

    def line(self, way: Way) -> int:
        """Return the line of something, or of the last part of its way there is."""
        node = self.tree
        line = 1
        for step in way:
            if isinstance(node, yaml.MappingNode):
                found = [pair for pair in node.value if _said(pair[0]) == step]
                if not found:
                    break
                key, node = found[0]
                line = key.start_mark.line + 1
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                node = node.value[step]
                line = node.start_mark.line + 1
            else:
                break
        return line


def _said(key: yaml.Node) -> Any:
    """Return a key as the content has it."""
    # YAML takes the word "on" for yes; workflows mean the word.
    if key.tag == "tag:yaml.org,2002:bool" and key.value in ("on", "On", "ON"):
        return True
    return key.value


def _twice(node: yaml.Node | None) -> Iterator[Fault]:
    """Find keys that stand twice in one mapping: the first is lost."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                yield Fault((), f"{key.value} stands here twice", _line(key))
            seen.add(key.value)
            yield from _twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _twice(value)


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line
    return line + 1


def _unread(document: Document) -> Iterator[Fault]:
    """Find what keeps a file from being read."""
    try:
        if document.path.suffix == ".json":
            json.loads(document.text)
        else:
            _ = document.content
    except json.JSONDecodeError as err:
        yield Fault((), err.msg, err.lineno)
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark or err.context_mark
        yield Fault((), str(err.problem or err.context), mark.line + 1 if mark else 1)
    else:
        yield from _twice(document.tree)


def _fits(
    schema: Callable[[Any], Any],
) -> Callable[[Document], Iterator[Fault]]:
    """Return a check by a schema of Home Assistant."""

    def _check(document: Document) -> Iterator[Fault]:
        try:
            schema(document.content)
        except vol.MultipleInvalid as err:
            for one in err.errors:
                yield Fault(_way(one.path), one.msg)
        except vol.Invalid as err:
            yield Fault(_way(err.path), err.msg)

    return _check


def _way(path: Sequence[Any]) -> Way:
    return tuple(step if isinstance(step, int) else str(step) for step in path)


def _selector(config: Any) -> Any:
    """Check a selector, and tell where in it something is wrong."""
    kind = next(iter(config), None) if isinstance(config, dict) else None
    inner = config[kind] if kind else None
    try:
        return validate_selector(config)
    except vol.Invalid as err:
        # What Home Assistant tells begins within the selector's own settings.
        if err.path and isinstance(inner, dict) and err.path[0] in inner:
            err.prepend([kind])
        raise


_FIELD: Final = {
    vol.Required("selector"): _selector,
    vol.Optional("required"): bool,
    vol.Optional("default"): object,
    vol.Optional("example"): object,
}
# Home Assistant itself lets pass what it does not know, such as a typing mistake.
DESCRIPTIONS: Final = vol.Schema(
    {
        cv.slug: {
            vol.Optional("target"): TargetSelector.CONFIG_SCHEMA,
            # A field, or a section of fields.
            vol.Optional("fields"): {
                cv.slug: vol.Any(
                    _FIELD,
                    {
                        vol.Required("fields"): {cv.slug: _FIELD},
                        vol.Optional("collapsed"): bool,
                    },
                )
            },
        }
    }
)

# The Marketplace leaves out what it does not know, or what is of another type.
HACS: Final = vol.Schema(
    {
        vol.Required("name"): str,
        vol.Required("homeassistant"): vol.Match(r"^\d{4}\.\d{1,2}\.\d+$"),
        vol.Optional("filename"): str,
        vol.Optional("hide_default_branch"): bool,
        vol.Optional("zip_release"): bool,
    }
)

# Who may do what has to be said, and how long it may take.
_JOB: Final = vol.Schema(
    {vol.Required("runs-on"): str, vol.Required("timeout-minutes"): int},
    extra=vol.ALLOW_EXTRA,
)
_CALL: Final = vol.Schema(
    {vol.Required("uses"): vol.Match(r"^\./\.github/workflows/[\w-]+\.yml$")},
    extra=vol.ALLOW_EXTRA,
)
WORKFLOW: Final = vol.Schema(
    {
        vol.Required("name"): str,
        # YAML's word for yes is "on", too.
        vol.Required(True): vol.Any(str, list, dict),
        vol.Required("permissions"): {str: vol.In(("none", "read"))},
        vol.Required("concurrency"): dict,
        vol.Required("jobs"): vol.All(dict, vol.Length(min=1)),
    },
    extra=vol.ALLOW_EXTRA,
)
# A tag can be moved, a commit cannot; the version behind it is for people.
_ACTION: Final = re.compile(r"^\s*(?:- )?uses: (?!\./)(?!\S+@[0-9a-f]{40} # \S+$)")

_OPTION: Final = vol.Any(
    str, vol.Schema({vol.Required("label"): str, vol.Optional("required"): bool})
)
_ELEMENT: Final = vol.Schema(
    {
        vol.Required("type"): vol.In(("checkboxes", "dropdown", "input", "textarea")),
        vol.Required("id"): vol.Match(r"^[a-z][a-z0-9-]*$"),
        vol.Required("attributes"): vol.Schema(
            {
                vol.Required("label"): str,
                vol.Optional("options"): vol.All([_OPTION], vol.Length(min=1)),
            },
            extra=vol.ALLOW_EXTRA,
        ),
        vol.Optional("validations"): {vol.Required("required"): bool},
    }
)
_MARKDOWN: Final = vol.Schema(
    {
        vol.Required("type"): "markdown",
        vol.Required("attributes"): {vol.Required("value"): str},
    }
)
FORM: Final = vol.Schema(
    {
        vol.Required("name"): str,
        vol.Required("description"): str,
        vol.Required("body"): vol.All(list, vol.Length(min=1)),
        vol.Optional("labels"): [str],
        vol.Optional("title"): str,
    }
)
CHOOSER: Final = vol.Schema(
    {
        vol.Required("blank_issues_enabled"): bool,
        vol.Optional("contact_links"): [
            {
                vol.Required("name"): str,
                vol.Required("url"): vol.Url(),
                vol.Required("about"): str,
            }
        ],
    }
)


def _within(
    document: Document, way: Way, schema: Callable[[Any], Any]
) -> Iterator[Fault]:
    """Check a part of a file."""
    part = document.content
    for step in way:
        part = part[step]
    inner = Document(document.path, "")
    inner.__dict__["content"] = part
    for fault in _fits(schema)(inner):
        yield Fault((*way, *fault.way), fault.text)


def _workflow(document: Document) -> Iterator[Fault]:
    """Check a workflow of GitHub."""
    wrong = list(_fits(WORKFLOW)(document))
    yield from wrong
    if wrong:
        return
    jobs: Mapping[str, Any] = document.content["jobs"]
    for name, job in jobs.items():
        schema = _CALL if isinstance(job, dict) and "uses" in job else _JOB
        yield from _within(document, ("jobs", name), schema)
    for number, line in enumerate(document.text.splitlines(), 1):
        if _ACTION.match(line):
            yield Fault((), "not pinned: uses: NAME@COMMIT # VERSION", number)


def _form(document: Document) -> Iterator[Fault]:
    """Check an issue form of GitHub."""
    wrong = list(_fits(FORM)(document))
    yield from wrong
    if wrong:
        return
    seen: set[str] = set()
    for number, element in enumerate(document.content["body"]):
        way: Way = ("body", number)
        is_text = isinstance(element, dict) and element.get("type") == "markdown"
        wrong = list(_within(document, way, _MARKDOWN if is_text else _ELEMENT))
        yield from wrong
        if wrong or is_text:
            continue
        if element["id"] in seen:
            yield Fault((*way, "id"), f"{element['id']} is there twice")
        seen.add(element["id"])
        chooses = element["type"] in ("checkboxes", "dropdown")
        if chooses != ("options" in element["attributes"]):
            yield Fault(
                way, "options are for checkboxes and dropdowns, which need them"
            )


# The first pattern that fits a file says what it must be.
CHECKS: Final[tuple[tuple[str, Callable[[Document], Iterator[Fault]]], ...]] = (
    ("hacs.json", _fits(HACS)),
    ("custom_components/amps_ai/services.yaml", _fits(DESCRIPTIONS)),
    ("custom_components/amps_ai/triggers.yaml", _fits(DESCRIPTIONS)),
    ("custom_components/amps_ai/conditions.yaml", _fits(DESCRIPTIONS)),
    (".github/workflows/*.yml", _workflow),
    (".github/ISSUE_TEMPLATE/config.yml", _fits(CHOOSER)),
    (".github/ISSUE_TEMPLATE/*.yml", _form),
)


def faults(path: Path, root: Path) -> Iterator[str]:
    """Find what is wrong with a file."""
    name = path.relative_to(root).as_posix()
    try:
        document = Document(path, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as err:
        yield f"{name}:1: not UTF-8: {err.reason}"
        return
    found = list(_unread(document))
    if not found:
        for pattern, check in CHECKS:
            if Path(name).full_match(pattern):
                found = list(check(document))
                break
    for fault in found:
        line = document.line(fault.way) if fault.line is None else fault.line
        where = ".".join(str(step) for step in fault.way)
        yield f"{name}:{line}: {where + ': ' if where else ''}{fault.text}"


def files(root: Path) -> list[Path]:
    """Return the files of the project, without what tools leave behind."""
    found = []
    for folder, folders, names in root.walk():
        folders[:] = [
            name
            for name in folders
            if name not in LEFT_BEHIND and (name[0] != "." or name == ".github")
        ]
        found += [folder / name for name in names if Path(name).suffix in SUFFIXES]
    return sorted(found)


def main() -> int:
    """Name what is wrong; non-zero if anything is."""
    checked = files(ROOT)
    found = [fault for path in checked for fault in faults(path, ROOT)]
    # A check of which the file has gone would be over without anybody's noticing.
    for pattern, _ in CHECKS:
        if not any(path.relative_to(ROOT).full_match(pattern) for path in checked):
            found.append(f"{pattern}:1: there is no such file")
    for fault in found:
        print(fault)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
