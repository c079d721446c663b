"""What must not be told to others: who somebody is, and where they live.

For logs and diagnostics, which people paste into public places.
"""

from collections.abc import Callable
import re
from typing import Any, Final

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
        "credentials",
        "customerid",
        "email",
        "externaluserref",
        "gps",
        "ipaddress",
        "latitude",
        "licenseplate",
        "location",
        "longitude",
        "macaddress",
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
_MAIL: Final = re.compile(r"[^\s@\"'<>]+@[^\s@\"'<>]+\.[^\s@\"'<>]+")
_DEEPEST: Final = 50
_SIGNS: Final = re.compile("[^a-z0-9]")


def is_private(name: str) -> bool:
    """Tell whether a field of this name may not be told."""
    return _SIGNS.sub("", name.lower()) in _PRIVATE


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
    if not isinstance(value, dict | list | tuple):
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


def redacted(value: Any) -> Any:
    """Return a JSON value without what is private."""
    return map_texts(value, lambda text: _MAIL.sub(REDACTED, text), is_private)
