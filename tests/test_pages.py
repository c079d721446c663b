"""The pages for people: their links and pictures, and that each can be found."""

from pathlib import Path
import re
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from .pages import DOCS, ROOT, links, parts

README: Final = ROOT / "README.md"
PAGES: Final = [
    *(ROOT / f"{name}.md" for name in ("README", "info", "CONTRIBUTING", "SECURITY")),
    *DOCS,
]
PICTURES: Final = sorted((ROOT / "docs" / "images").iterdir())
BLUEPRINTS: Final = ROOT / "blueprints" / "automation" / "amps_ai"
PROJECT: Final = "https://github.com/amps-ai/home-assistant"


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_links_lead_somewhere(page: Path) -> None:
    """Each leads to a file of the repository, and to a part that this has."""
    for link in links(page):
        address = link.removeprefix(f"{PROJECT}/blob/main/")
        url = urlsplit(address)
        if url.scheme:
            continue
        # What was an address of the project counts from its root.
        start = page.parent if address == link else ROOT
        path = (start / url.path).resolve() if url.path else page
        assert path.exists(), link
        if url.fragment:
            assert url.fragment in parts(path), link


@pytest.mark.parametrize("page", DOCS, ids=_named)
def test_readme_leads_to_every_page(page: Path) -> None:
    assert _named(page) in links(README)


def test_readme_is_short() -> None:
    """What takes longer to tell has a page of its own."""
    assert len(README.read_text(encoding="utf-8").split()) < 1500
    assert len((ROOT / "info.md").read_text(encoding="utf-8").split()) < 200


@pytest.mark.parametrize("picture", PICTURES, ids=_named)
def test_pictures_are_small_and_shown(picture: Path) -> None:
    assert picture.stat().st_size < 150_000
    assert any(
        (page.parent / link).resolve() == picture
        for page in PAGES
        for link in links(page)
    )


def test_each_blueprint_can_be_imported() -> None:
    """By the link that opens the reader's own Home Assistant."""
    there = []
    for link in links(ROOT / "docs" / "blueprints.md"):
        url = urlsplit(link)
        if url.netloc == "my.home-assistant.io":
            assert url.path == "/redirect/blueprint_import/"
            (source,) = parse_qs(url.query)["blueprint_url"]
            there.append(source)
    prefix = "https://raw.githubusercontent.com/amps-ai/home-assistant/main"
    assert sorted(there) == [
        f"{prefix}/{_named(path)}" for path in sorted(BLUEPRINTS.glob("*.yaml"))
    ]


def _examples() -> list[Any]:
    return [
        pytest.param(block, id=f"{page.stem}-{number}")
        for page in DOCS
        for number, block in enumerate(
            re.findall(
                r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL
            )
        )
    ]


@pytest.mark.parametrize("example", _examples())
def test_examples_are_yaml(example: str) -> None:
    """And call only actions of ours that there are."""
    assert yaml.safe_load(example)
    services = yaml.safe_load(
        (ROOT / "custom_components" / "amps_ai" / "services.yaml").read_text("utf-8")
    )
    assert set(re.findall(r"action: amps_ai\.(\w+)", example)) <= set(services)


def test_reliability_names_tests_that_there_are() -> None:
    """Each line of the page is held by the tests that it names."""
    tests = ROOT / "tests"
    page = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    lines = [line for line in page.splitlines() if "::" in line]
    assert len(lines) > 50
    for line in lines:
        path = None
        for name, test in re.findall(r"`([\w/]*(?:\.py)?)::(\w+)`", line):
            if name:
                place = tests if "/" in name else tests / "integration"
                path = place / name.removeprefix("tests/")
            assert path is not None, line
            assert f"def {test}(" in path.read_text("utf-8"), test
