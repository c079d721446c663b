"""What devices are called.

The API has no names for devices: vendor and model is all there is.
"""

from collections.abc import Callable
from functools import lru_cache
import re
from typing import Final

from homeassistant.helpers.device_registry import BaseDeviceEntry

from ..api import Device, DeviceType

# Names that are not simply capitalised.
_VENDORS: Final = {
    "abb": "ABB",
    "alphaess": "AlphaESS",
    "bmw": "BMW",
    "byd": "BYD",
    "chargepoint": "ChargePoint",
    "ecobee": "ecobee",
    "ecoflow": "EcoFlow",
    "evbox": "EVBox",
    "e3dc": "E3/DC",
    "foxess": "FoxESS",
    "givenergy": "GivEnergy",
    "goodwe": "GoodWe",
    "kostal": "KOSTAL",
    "lg": "LG",
    "mg": "MG",
    "mini": "MINI",
    "myenergi": "myenergi",
    "nio": "NIO",
    "saic": "SAIC",
    "sma": "SMA",
    "solaredge": "SolarEdge",
    "solax": "SolaX",
    "sungrow": "Sungrow",
    "vw": "VW",
    "xpeng": "XPENG",
}

# Where a device has no model, its type stands for it.
_TYPES: Final = {
    DeviceType.BATTERY: "Battery",
    DeviceType.EV_CHARGER: "EV charger",
    DeviceType.HVAC: "Thermostat",
    DeviceType.SOLAR_INVERTER: "Solar inverter",
    DeviceType.VEHICLE: "Vehicle",
}


# What makes text run backwards or hides in it, and what cannot be seen.
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
# What would become a link, an image, an element or a style where Markdown is
# rendered, and what looks like it and stays text.
_MARKUP: Final = (
    (re.compile("<"), "‹"),
    (re.compile(">"), "›"),
    (re.compile(r"\["), "("),
    (re.compile(r"\]"), ")"),
    (re.compile("`"), "'"),
    (re.compile(r"\*"), "∗"),
    (re.compile("~"), "∼"),
    (re.compile("@"), "＠"),
    (re.compile("://"), ":∕∕"),
    (re.compile(r"(?i)\b(www)\."), r"\1․"),
    (re.compile(r"(?<![^\W_])_+|_+(?![^\W_])|^#+"), " "),
    # An item of a list begins with a space that can be broken.
    (re.compile(r"^([-+]|\d+[.)]) "), "\\1\u00a0"),
)
_LONGEST: Final = 100


def plain_text(text: str) -> str:
    """Return a text in one line, without what cannot be seen, and not endless."""
    # Nearly all are so already, and are asked for again and again.
    seen = text if text.isascii() and text.isprintable() else _UNSEEN.sub(" ", text)
    words = " ".join(seen.split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def without_markup(text: str) -> str:
    """Return a text in one line that looks the same and is no markup.

    Issues and forms render Markdown, and what the API tells can hold some.
    """
    text = plain_text(text)
    for pattern, instead in _MARKUP:
        text = pattern.sub(instead, text)
    return text


def given_name(registered: BaseDeviceEntry | None) -> str | None:
    """Return what a person calls a device, or what it is called without that."""
    if registered is None:
        return None
    return registered.name_by_user or registered.name


@lru_cache(maxsize=64)
def vendor_name(vendor: str | None) -> str | None:
    """Return a vendor as it is written: `example_vendor_a` → `Example Vendor A`."""
    if vendor is None:
        return None
    words = plain_text(vendor).replace("_", " ").replace("-", " ").split()
    return " ".join(
        _VENDORS.get(word.lower(), word[:1].upper() + word[1:]) for word in words
    )


def plain_name(device: Device) -> str:
    """Return the name that a device has by itself: its model, else its kind."""
    if device.model is not None and (model := plain_text(device.model)):
        return model
    vendor = vendor_name(device.vendor)
    kind = _TYPES[device.type]
    return f"{vendor} {kind}" if vendor else kind


def distinct_name(
    device: Device, given: str | None, owner: Callable[[str], DeviceType | None]
) -> str:
    """Return a name that no other device has.

    `given` is the name that the device has had so far: it stays, as long as
    it still fits, so that names do not depend on who comes first today.
    `owner` tells the type of the other device that has a name. What is of
    another type is told apart by that, and else by a number.
    """
    plain = plain_name(device)
    kind = _TYPES[device.type]
    if given is not None and given.startswith(plain) and owner(given) is None:
        rest = given.removeprefix(plain)
        if rest in ("", f" {kind}") or rest.removeprefix(" ").lstrip("#").isdecimal():
            return given
    other = owner(plain)
    name = plain if other in (None, device.type) else f"{plain} {kind}"
    count = 1
    while owner(name) is not None:
        count += 1
        name = f"{plain} #{count}"
    return name
