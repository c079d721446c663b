"""What is told to others, in logs and diagnostics, and what is not."""

import logging
from typing import Any

import aiohttp
import pytest

from custom_components.amps_ai.api import AmpsClient, AmpsError, DeviceType
from custom_components.amps_ai.api.redact import REDACTED, redacted
from sandbox import Sandbox


@pytest.mark.parametrize(
    "name",
    ["vin", "VIN", "serialNumber", "serial_number", "Latitude", "userId", "e-mail"],
)
def test_private_fields(name: str) -> None:
    assert redacted({"a": [{name: "it"}]}) == {"a": [{name: REDACTED}]}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"vin": None}, {"vin": None}),
        (
            {"level": 71, "ok": True, "none": None},
            {"level": 71, "ok": True, "none": None},
        ),
        ("mail to some.one@example.com now", f"mail to {REDACTED} now"),
        ({"some.one@example.com": 1}, {REDACTED: 1}),
        (("a", 1.5), ["a", 1.5]),
    ],
)
def test_the_rest_is_told(value: Any, told: Any) -> None:
    assert redacted(value) == told


def test_depth_has_an_end() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    told = redacted(deep)
    for _ in range(51):
        told = told[0]
    assert told == REDACTED


async def test_what_is_no_json(
    sandbox: Sandbox, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """A page of a proxy can hold anything, so only its size is told."""
    caplog.set_level(logging.DEBUG)
    sandbox.faults.add(path="/battery", kind="html")
    client = AmpsClient(session, "amps_sk_test_sandbox", base_url=sandbox.url)
    with pytest.raises(AmpsError):
        await client.async_list_devices(DeviceType.BATTERY)
    assert "bytes that are no JSON" in caplog.text
    assert "<html" not in caplog.text


async def test_no_answer(
    sandbox: Sandbox, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = sandbox.url
    await sandbox.stop()
    client = AmpsClient(session, "amps_sk_test_sandbox", base_url=url)
    with pytest.raises(AmpsError):
        await client.async_list_devices(DeviceType.BATTERY)
    assert client.requests == {"GET /battery no answer": 1}
    assert "GET /battery" in caplog.text


async def test_a_long_answer_is_cut(
    sandbox: Sandbox, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox.faults.add(
        path="/battery", status=422, code="NO_SUCH", details={"x": "y" * 10_000}
    )
    client = AmpsClient(session, "amps_sk_test_sandbox", base_url=sandbox.url)
    with pytest.raises(AmpsError):
        await client.async_list_devices(DeviceType.BATTERY)
    told = next(message for message in caplog.messages if "NO_SUCH" in message)
    assert told.endswith("y…")
    assert len(told) < 4200
