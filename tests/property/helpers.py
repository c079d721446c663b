"""An account that can be anything, and what must be true whatever it is."""

from base64 import b64encode
from dataclasses import dataclass, field
import logging
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError
from aiohttp.web_protocol import RequestPayloadError
from homeassistant.const import MAX_LENGTH_STATE_STATE
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.json import json_bytes
import pytest

from custom_components.amps_ai.api import DeviceType
from custom_components.amps_ai.common.const import DOMAIN
from tests.api.helpers import page

from .strategies import UNWANTED, dump, no_end_in

APP_ID = "app_demo"
WEBHOOK_ID = "0123456789abcdef" * 4
SECRET = "whsec_" + b64encode(b"a secret of twenty-four.").decode()

# The recorder keeps no more than this.
_MOST_ATTRIBUTES = 16384
_PATHS = {device_type.path for device_type in DeviceType}


@dataclass(repr=False)
class Stage:
    """An account over HTTP that lists and tells what it was told to."""

    lists: dict[str, list[Any]] = field(default_factory=dict)
    # What single reads tell instead, by id.
    reads: dict[str, Any] = field(default_factory=dict)
    planned: list[Any] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def answer(self, request: web.Request) -> web.Response:
        """Answer a request."""
        self.requests.append(f"{request.method} {request.path}")
        match request.path.strip("/").split("/"):
            case [path] if path in _PATHS:
                return self._page(request, self.lists.get(path, []))
            case ["actions"]:
                return self._page(request, self.planned)
            case [path, device_id] if path in _PATHS and request.method == "GET":
                for item in self.lists.get(path, []):
                    if isinstance(item, dict) and item.get("id") == device_id:
                        found = self.reads.get(device_id, item)
                        return _reply({"success": True, "data": found})
        error = {"code": "DEVICE_NOT_FOUND", "message": "There is none."}
        return _reply({"success": False, "error": error}, 404)

    def _page(self, request: web.Request, items: list[Any]) -> web.Response:
        offset, limit = (int(request.query[name]) for name in ("offset", "limit"))
        shown = items[offset : offset + limit]
        more = offset + limit < len(items)
        return _reply(page(shown, total=len(items), more=more))


def _reply(body: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=dump(body), content_type="application/json")


def is_valid(state: State) -> None:
    """Check that a state is one that Home Assistant and others can work with."""
    assert len(state.state) <= MAX_LENGTH_STATE_STATE, state
    assert state.state.strip("-+") not in ("nan", "inf"), state
    assert no_end_in(dict(state.attributes)), state
    said = json_bytes(dict(state.attributes))
    assert len(said) <= _MOST_ATTRIBUTES, state.entity_id
    is_line(state.name)


def is_line(name: str | None) -> None:
    """Check that a name is one that a person can read."""
    assert not set(name or "") & UNWANTED, ascii(name)
    assert len(name or "") <= 255, name


def _is_packed_wrong(record: logging.LogRecord) -> bool:
    """Tell whether a record is of aiohttp's own: a request's body does not unpack.

    It is logged whatever the answer is, and by whomever it is given.
    """
    return record.name == "aiohttp.server" and isinstance(
        (record.exc_info or (None, None))[1],
        RequestPayloadError | ContentEncodingError,
    )


@dataclass(repr=False)
class Checks:
    """Look for anything out of order."""

    hass: HomeAssistant
    caplog: pytest.LogCaptureFixture

    def all(self) -> None:
        """Check the log, all states and all devices."""
        self.log()
        for state in self.hass.states.async_all():
            is_valid(state)
        for device in self.devices():
            is_line(device.name)
            is_line(device.manufacturer)
            is_line(device.model)

    def devices(self) -> list[dr.DeviceEntry]:
        """Return all devices of the integration."""
        registry = dr.async_get(self.hass)
        return [
            device
            for entry in self.hass.config_entries.async_entries(DOMAIN)
            for device in dr.async_entries_for_config_entry(registry, entry.entry_id)
        ]

    def log(self) -> None:
        """Check that nothing went wrong unseen, and begin anew."""
        wrong = [
            f"{record.name}: {record.getMessage()} {record.exc_text or ''}"
            for record in self.caplog.records
            if (record.levelno >= logging.ERROR or record.exc_info)
            and not _is_packed_wrong(record)
        ]
        # A line of the log is one line.
        wrong += [
            ascii(record.getMessage())
            for record in self.caplog.records
            if record.name.startswith("custom_components")
            and record.levelno >= logging.INFO
            and set(record.getMessage()) & UNWANTED
        ]
        self.caplog.clear()
        assert not wrong, "\n".join(line[:2000] for line in wrong)
