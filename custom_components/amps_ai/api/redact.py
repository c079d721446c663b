"""What must not be told to others: who somebody is, and where they live.

For logs and diagnostics, which people paste into public places.
"""

from collections.abc import Callable
import re
from typing import Any, Final
from urllib.parse import quote

REDACTED: Final = "**REDACTED**"

# Names of fields, without case and signs. The API documents no such field of
# a device; one that appears must not be told by accident.
_PRIVATE: Final = frozenset(
    {
        "accesstoken",
        "accountid",
        "address",
        "apikey",
        "city",
        "cloudhookurl",
        "coordinates",
        "credentials",
        "customerid",
        "email",
        "externaluserref",
        "firstname",
        "gps",
        "ip",
        "lastname",
        "lat",
        "latitude",
        "licenseplate",
        "lng",
        "location",
        "lon",
        "longitude",
        "mac",
        "owner",
        "password",
        "phone",
        "postalcode",
        "reconnectionurl",
        "refreshtoken",
        "secret",
        "serial",
        "serialnumber",
        "ssid",
        "street",
        "token",
        "userid",
        "username",
        "vin",
        "webhookid",
        "webhooksecret",
        "zip",
    }
)
_MAIL: Final = re.compile(r"(?<![^\s@\"'<>])[^\s@\"'<>]+@[^\s@\"'<>]+\.[^\s@\"'<>]+")
_DEEPEST: Final = 50
# Made once: this is asked of each value of each body.
_CONTAINERS: Final = (dict, list, tuple)
_WORDS: Final = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# No private name is made of more words.
_MOST_WORDS: Final = 3


def is_private(name: str) -> bool:
    """Tell whether a field of this name may not be told.

    One private word among several is enough: `homeAddress`, `vehicle_vin`.
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    return any(
        "".join(words[start : start + count]) in _PRIVATE
        for count in range(1, _MOST_WORDS + 1)
        for start in range(len(words))
    )


def map_texts(
    value: Any,
    change: Callable[[str], str],
    hide: Callable[[str], bool] = lambda _name: False,
    *,
    depth: int = 0,
) -> Any:
    """Return a JSON value with its texts changed, and the hidden fields' values gone.

    What is nested deeper than anything genuine is left out.
    """
    if isinstance(value, str):
        return change(value)
    if not isinstance(value, _CONTAINERS):
        return value
    if depth > _DEEPEST:
        return REDACTED
    if isinstance(value, dict):
        return {
            change(str(name)): (
                REDACTED
                if item is not None and hide(str(name))
                else map_texts(item, change, hide, depth=depth + 1)
            )
            for name, item in value.items()
        }
    return [map_texts(item, change, hide, depth=depth + 1) for item in value]


def pattern_of(*secrets: str | None) -> re.Pattern[str] | None:
    """Return what finds these texts, None where there are none.

    An address of e-mail is the same in capitals or not, and whichever of its signs
    an address of the web has in its own way.
    """
    # The longest first: one may be a part of another.
    found = sorted(filter(None, secrets), key=len, reverse=True)
    if not found:
        return None
    return re.compile("|".join(map(_in_any_form, found)), re.IGNORECASE)


def _in_any_form(secret: str) -> str:
    return "".join(
        f"(?:{re.escape(sign)}|{re.escape(quote(sign, safe=''))})" for sign in secret
    )


def redacted(value: Any) -> Any:
    """Return a JSON value without what is private."""
    return map_texts(value, _without_mail, is_private)


def _without_mail(text: str) -> str:
    # Few texts have the sign, and a look for it costs next to nothing.
    return _MAIL.sub(REDACTED, text) if "@" in text else text
