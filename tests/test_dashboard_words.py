"""The dashboard's own words: all six languages have them, and it says no others."""

from functools import cache
import json
import re
from string import Formatter
from typing import Final

import pytest

from custom_components.amps_ai import frontend

from .test_languages import ENGLISH, LANGUAGES, OTHERS

FOLDER: Final = frontend.FOLDER / "words"
# What is one and the same word in English and in another language.
SAME: Final[dict[str, frozenset[str]]] = {
    "de": frozenset({"Pause"}),
    "es": frozenset(),
    "fr": frozenset({"Batteries", "Diagnostic", "Thermostats"}),
    "it": frozenset(),
    "nl": frozenset(),
}


@cache
def _words(language: str) -> dict[str, str]:
    text = (FOLDER / f"{language}.json").read_text(encoding="utf-8")
    words: dict[str, str] = json.loads(text)
    return words


@cache
def _module(name: str) -> str:
    return (frontend.FOLDER / name).read_text(encoding="utf-8")


@cache
def _descriptions() -> dict[str, str]:
    """Return what is said where a dashboard is added."""
    found = re.search(
        r"const DESCRIPTIONS = \{(.*?)\};", _module("amps-ai.js"), re.DOTALL
    )
    assert found
    return dict(re.findall(r'^ +(\w+): "(.+)",$', found[1], re.MULTILINE))


def _placeholders(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name)


def test_languages() -> None:
    """They are the languages of the integration, in the code as well."""
    assert {path.name for path in FOLDER.iterdir()} == {
        f"{language}.json" for language in LANGUAGES
    }
    assert sorted(_descriptions()) == sorted(LANGUAGES)
    found = re.search(
        r"const LANGUAGES = (\[.*?\]);", _module("strategy.js"), re.DOTALL
    )
    assert found
    assert sorted(json.loads(found[1])) == sorted(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_words(language: str) -> None:
    words = _words(language)
    assert list(words) == sorted(_words(ENGLISH))
    for key, text in words.items():
        assert text == text.strip(), key
        assert text, key
        assert _placeholders(text) == _placeholders(_words(ENGLISH)[key]), key
        assert text.endswith(".") == _words(ENGLISH)[key].endswith("."), key


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_left_in_english(language: str) -> None:
    words, english = _words(language), _words(ENGLISH)
    same = {text for key, text in words.items() if text == english[key]}
    assert same == SAME[language]
    assert _descriptions()[language] != _descriptions()[ENGLISH]


def test_words_are_used() -> None:
    """The code says all words, and none that is not there."""
    code = _module("strategy.js")
    said = set(re.findall(r'\bsay\(\s*"(\w+)"', code))
    said |= set(re.findall(r'headed\(\s*"(\w+)"', code))
    said |= {"pause", "turn_off"}
    said |= {f"{command}_for" for command in ("charge", "discharge", "heat", "cool")}
    kinds = re.search(r"const ICONS = \{(.*?)\};", code, re.DOTALL)
    energies = re.search(r"const ENERGIES = \[(.*?)\];", code, re.DOTALL)
    assert kinds
    assert energies
    said |= {f"kind_{kind}" for kind in re.findall(r"(\w+): ", kinds[1])}
    said |= set(re.findall(r'"sensor\.(\w+)"', energies[1]))
    assert said == set(_words(ENGLISH))


def test_ways_to_words_of_the_integration() -> None:
    """What the integration's own translations say, they have under that key."""
    translations = json.loads(
        (frontend.FOLDER.parents[1] / "translations" / "en.json").read_text(
            encoding="utf-8"
        )
    )
    ways = re.findall(r'"component\.amps_ai\.([\w.]+)"', _module("strategy.js"))
    assert len(ways) > 5
    for way in ways:
        words = translations
        for key in way.split("."):
            words = words[key]
        assert isinstance(words, str), way
