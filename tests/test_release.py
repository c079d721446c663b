"""A release: one version in three places, and a zip that is always the same."""

import json
import os
from pathlib import Path
import re
import shutil
import subprocess
import tomllib
from typing import Final
from zipfile import ZipFile

import pytest

ROOT: Final = Path(__file__).parent.parent
INTEGRATION: Final = Path("custom_components", "amps_ai")
ZIP: Final = Path("dist", "amps_ai.zip")
NEEDED: Final = ("scripts/_lib.sh", "scripts/release", "develop/release_zip.py")
FIRST: Final = """\
# Changelog

## [0.1.0] - Unreleased

### Added

- All of it.
"""
LATER: Final = """\
# Changelog

## [Unreleased]

### Fixed

- A fault.

## [0.1.0] - 2026-06-01

### Added

- All of it.
"""


class Checkout:
    """A checkout of the project, small enough for a test."""

    def __init__(self, folder: Path, changelog: str) -> None:
        self.folder = folder
        for name in NEEDED:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        (folder / INTEGRATION / "api").mkdir(parents=True)
        self.write(INTEGRATION / "__init__.py", '"""An integration."""\n')
        self.write(INTEGRATION / "api" / "client.py", '"""A client."""\n')
        manifest = {"domain": "amps_ai", "name": "Amps AI", "version": "0.1.0"}
        self.write(INTEGRATION / "manifest.json", json.dumps(manifest, indent=2) + "\n")
        self.write(
            Path("pyproject.toml"),
            '[project]\nname = "amps"\nversion = "0.1.0"\n\n[tool.a]\nversion = "9"\n',
        )
        self.write(Path("CHANGELOG.md"), changelog)
        self.write(Path(".gitignore"), "__pycache__/\ndist/\n")
        for command in (["init", "-q"], ["add", "-A"]):
            subprocess.run(["git", *command], cwd=folder, check=True)

    def write(self, path: Path, text: str) -> None:
        (self.folder / path).write_text(text, encoding="utf-8")

    def read(self, path: Path | str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")

    @property
    def state(self) -> tuple[str, str, str]:
        return (
            self.read(INTEGRATION / "manifest.json"),
            self.read("pyproject.toml"),
            self.read("CHANGELOG.md"),
        )

    def release(self, *arguments: str, zone: str = "UTC") -> str:
        """Run the script, and return what it prints; it must not fail."""
        done = self.run(*arguments, zone=zone)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refuses(self, *arguments: str) -> str:
        """Run the script, which must fail, and return why it says so."""
        done = self.run(*arguments)
        assert done.returncode == 1
        assert re.search(r"^error: ", done.stderr, re.MULTILINE)
        return done.stderr

    def run(
        self, *arguments: str, zone: str = "UTC"
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["scripts/release", *arguments],
            cwd=self.folder,
            env={**os.environ, "TZ": zone},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout", LATER)


def test_versions_of_this_checkout_agree() -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "release", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("changelog", "version"),
    [(FIRST, "0.1.0"), (LATER, "0.2.0"), (LATER, "0.10.0"), (LATER, "1.0.0")],
    ids=["the first", "minor", "by number", "major"],
)
def test_release(tmp_path: Path, changelog: str, version: str) -> None:
    checkout = Checkout(tmp_path / "checkout", changelog)
    checkout.release(version)
    assert json.loads(checkout.read(INTEGRATION / "manifest.json"))["version"] == (
        version
    )
    project = tomllib.loads(checkout.read("pyproject.toml"))
    assert project["project"]["version"] == version
    assert project["tool"]["a"]["version"] == "9"
    headings = re.findall(r"^## .*", checkout.read("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "## [Unreleased]"
    assert re.fullmatch(
        rf"## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d", headings[1]
    )
    told = "### Added\n\n- All of it.\n"
    if changelog == LATER:
        assert headings[2:] == ["## [0.1.0] - 2026-06-01"]
        told = "### Fixed\n\n- A fault.\n"
    assert checkout.release("--notes") == told
    checkout.release("--check", f"v{version}")
    assert (checkout.folder / ZIP).is_file()


@pytest.mark.parametrize(
    "arguments",
    [
        ("0.0.9",),
        ("0.2",),
        ("0.2.0-beta",),
        ("00.2.0",),
        ("v0.2.0",),
        ("--what",),
        (),
        ("--check", "v0.2.0"),
        ("--check", "0.1.0"),
    ],
    ids=" ".join,
)
def test_refused(checkout: Checkout, arguments: tuple[str, ...]) -> None:
    """Nothing is changed then."""
    before = checkout.state
    checkout.refuses(*arguments)
    assert checkout.state == before
    assert not (checkout.folder / ZIP).exists()


@pytest.mark.parametrize(
    "changelog",
    [
        LATER.replace("### Fixed\n\n- A fault.\n\n", ""),
        LATER.replace("## [Unreleased]\n\n### Fixed\n\n- A fault.\n\n", ""),
    ],
    ids=["nothing under it", "no heading"],
)
def test_nothing_new(tmp_path: Path, changelog: str) -> None:
    checkout = Checkout(tmp_path / "checkout", changelog)
    before = checkout.state
    checkout.refuses("0.2.0")
    assert checkout.state == before


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (INTEGRATION / "manifest.json", "0.1.0", "0.1.1"),
        (INTEGRATION / "manifest.json", '"version"', '"versions"'),
        (Path("pyproject.toml"), "0.1.0", "0.1.1"),
        (Path("CHANGELOG.md"), "0.1.0", "0.1.1"),
        (Path("CHANGELOG.md"), "## [0.1.0]", "## 0.1.0"),
    ],
    ids=["manifest", "none in the manifest", "pyproject", "changelog", "none in it"],
)
def test_versions_that_differ(
    checkout: Checkout, path: Path, old: str, new: str
) -> None:
    checkout.release("--check")
    checkout.write(path, checkout.read(path).replace(old, new))
    checkout.refuses("--check")
    checkout.refuses("--zip")


def test_tag_of_what_has_no_date(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout", FIRST)
    checkout.release("--check")
    assert "no date" in checkout.refuses("--check", "v0.1.0")


def test_zip(checkout: Checkout) -> None:
    """It holds what is in git, without the folder, and always the same bytes."""
    (checkout.folder / INTEGRATION / "__pycache__").mkdir()
    checkout.write(INTEGRATION / "__pycache__" / "junk.pyc", "junk")
    checkout.release("--zip")
    with ZipFile(checkout.folder / ZIP) as archive:
        assert archive.namelist() == ["__init__.py", "api/client.py", "manifest.json"]
        for name in archive.namelist():
            assert archive.read(name).decode() == checkout.read(INTEGRATION / name)
    first = (checkout.folder / ZIP).read_bytes()
    for path in (checkout.folder / INTEGRATION).glob("*.py"):
        os.utime(path, (0, 0))
        path.chmod(0o600)
    checkout.release("--zip", zone="Asia/Tokyo")
    assert (checkout.folder / ZIP).read_bytes() == first


def test_zip_without_a_file_that_was_forgotten(checkout: Checkout) -> None:
    checkout.write(INTEGRATION / "new.py", '"""New."""\n')
    assert "new.py" in checkout.refuses("--zip")
    assert not (checkout.folder / ZIP).exists()
