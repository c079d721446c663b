"""Whatever a document says: a device, an action, or a refusal, and soon."""

from dataclasses import fields
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

from hypothesis import given, strategies as st
import orjson
import pytest

from custom_components.amps_ai.api import (
    Action,
    Device,
    DeviceType,
    Push,
    Quantity,
    RequestRefusedError,
    capabilities,
    check_push,
    in_order,
    setting_bounds,
    settings_body,
    takes_power_cap_command,
)
from custom_components.amps_ai.api.commands import push_body
from custom_components.amps_ai.api.models import MalformedError
from custom_components.amps_ai.api.redact import redacted
from custom_components.amps_ai.api.vocabulary import Commands, Parameters, Settings
from custom_components.amps_ai.api.webhook import parse_event
from custom_components.amps_ai.common.names import plain_name

from .strategies import (
    DEVICES,
    MARKUP,
    QUIET,
    UNSEEN,
    UNWANTED,
    Nested,
    actions,
    anything,
    devices,
    dump,
    examples,
    impossible_numbers,
    mutated,
    nasty_texts,
    no_end_in,
    numbers,
    received,
    start_of,
    texts,
    unfolded,
)

pytestmark = QUIET

TYPES = tuple(DeviceType)


@st.composite
def typed(draw: st.DrawFn, documents: Any = devices) -> tuple[DeviceType, Any]:
    device_type = draw(st.sampled_from(TYPES))
    return device_type, draw(documents(device_type.value))


def known(device_type: DeviceType) -> Device:
    return Device.from_raw(
        device_type, received(DEVICES[device_type.value][0]), detailed=True
    )


def read(device_type: DeviceType, raw: Any, **more: Any) -> Device | None:
    try:
        return Device.from_raw(device_type, raw, **more)
    except MalformedError:
        return None


def check(device: Device) -> None:
    """Whatever the device was made of, it is one."""
    assert isinstance(device.id, str) and device.id
    for part in (device.state, device.sync, device.last_action):
        if part is None:
            continue
        for item in fields(part):
            if item.name not in ("raw", "parameters", "result"):
                value = getattr(part, item.name)
                assert value is None or isinstance(value, str) or no_end_in(value)
                if isinstance(value, int | float) and not isinstance(value, bool):
                    # What calculates with it takes it as a float.
                    float(value)
    for vendor in (device.vendor, device.model, device.source):
        assert vendor is None or isinstance(vendor, str)
    for name, command in capabilities(device).items():
        assert isinstance(name, str)
        for parameter in command.parameters.values():
            assert no_end_in([parameter.min, parameter.max])
    for setting in (device.settings or {}).values():
        assert no_end_in(list(setting_bounds(setting)))
    assert sorted(in_order(capabilities(device))) == sorted(capabilities(device))
    takes_power_cap_command(device)
    repr(device)
    assert device.changes(device) == frozenset()


@examples(250)
@given(typed(), st.booleans())
def test_a_device_or_none(drawn: tuple[DeviceType, Any], detailed: bool) -> None:
    device_type, document = drawn
    raw = received(document)
    device = read(device_type, raw, detailed=detailed)
    for before in (device, known(device_type)):
        again = read(device_type, received(document), known=before, detailed=detailed)
        assert (again is None) is (device is None)
        if device is not None and again is not None:
            check(again)
            assert again.id == device.id
            assert again.state == device.state
    if device is not None:
        check(device)
        # The same again is the very object.
        same = read(device_type, received(document), known=device, detailed=detailed)
        assert same is device


@examples(100)
@given(
    typed(
        lambda name: mutated(
            st.sampled_from(DEVICES[name]),
            impossible_numbers | st.sampled_from(("\ud800", "a\udfffb")),
        )
    )
)
def test_what_no_json_can_say(drawn: tuple[DeviceType, Any]) -> None:
    device_type, document = drawn
    device = read(device_type, unfolded(document), detailed=True)
    if device is not None:
        check(device)


@examples(250)
@given(actions)
def test_an_action_or_none(document: Any) -> None:
    try:
        action = Action.from_raw(received(document))
    except MalformedError:
        return
    assert action.id
    assert action.is_final in (True, False)
    record = action.as_record()
    assert record["id"] == action.id
    assert no_end_in(record)
    filled = Action(id="a", command="charge").filled_from(action)
    assert filled.id == "a" and filled.command == "charge"
    assert filled.state == action.state


# What may be sent


def _quantities() -> st.SearchStrategy[Quantity]:
    return st.builds(
        Quantity,
        value=numbers | impossible_numbers | st.integers(0, 100),
        unit=st.none() | st.sampled_from(("percent", "kw", "celsius")) | texts,
    )


@st.composite
def pushes(draw: st.DrawFn, device: Device) -> Push:
    names = [*capabilities(device), *Commands]
    command = draw(st.sampled_from(names) | texts)
    known_command = capabilities(device).get(command)
    parameters = [*(known_command.parameters if known_command else ()), *Parameters]
    return draw(
        st.builds(
            Push,
            command=st.just(command),
            parameters=st.dictionaries(
                st.sampled_from(parameters) | texts, _quantities(), max_size=3
            ),
            start=st.none() | texts | st.datetimes(),
            end=st.none() | st.datetimes(),
            on_conflict=st.none() | texts,
        )
    )


def is_told(err: RequestRefusedError) -> None:
    """Check that a refusal says in words what is wrong."""
    assert str(err)
    assert all(isinstance(word, str) for word in err.context.values())


@examples(250)
@given(typed(), st.booleans(), st.data())
def test_what_is_sent_is_allowed(
    drawn: tuple[DeviceType, Any], detailed: bool, data: st.DataObject
) -> None:
    device_type, document = drawn
    device = read(device_type, received(document), detailed=detailed) or known(
        device_type
    )
    push = data.draw(pushes(device))
    try:
        checked = check_push(device, push)
    except RequestRefusedError as err:
        is_told(err)
        return
    body = push_body(device, checked)
    assert no_end_in(body)
    sent = orjson.loads(orjson.dumps(body))
    if push.command == Commands.SET_MAX_POWER or device.is_older:
        assert isinstance(sent["action"], str)
        return
    command = capabilities(device)[push.command]
    assert sent["action"]["command"] == push.command
    if command.execution is not None:
        assert checked.execution in command.execution
    for name, quantity in sent["action"].get("parameters", {}).items():
        bounds = command.parameters[name]
        assert bounds.unit is None or quantity["unit"] == bounds.unit
        assert bounds.min is None or quantity["value"] >= bounds.min
        assert bounds.max is None or quantity["value"] <= bounds.max


@examples(150)
@given(typed(), st.data())
def test_what_is_set_is_allowed(
    drawn: tuple[DeviceType, Any], data: st.DataObject
) -> None:
    device_type, document = drawn
    device = read(device_type, received(document), detailed=True) or known(device_type)
    known_settings = device.settings or {}
    values = data.draw(
        st.dictionaries(
            st.sampled_from([*known_settings, *Settings]) | texts,
            numbers | impossible_numbers | st.integers(0, 100),
            max_size=3,
        )
    )
    try:
        body = settings_body(device, values)
    except RequestRefusedError as err:
        is_told(err)
        return
    for name, quantity in orjson.loads(orjson.dumps(body)).items():
        low, high = setting_bounds(known_settings[name])
        assert quantity["value"] >= low
        assert high is None or quantity["value"] <= high
        assert quantity["unit"] == known_settings[name].unit


# Names


@examples(150)
@given(
    st.sampled_from(TYPES),
    st.none() | nasty_texts | st.text(max_size=400),
    st.none() | nasty_texts | st.text(max_size=400),
)
def test_a_default_name_is_a_line_to_read(
    device_type: DeviceType, vendor: str | None, model: str | None
) -> None:
    device = Device.from_raw(
        device_type, {"id": "a", "vendor": vendor, "metadata": {"model": model}}
    )
    name = plain_name(device)
    assert name == name.strip()
    assert name
    assert not set(name) & UNWANTED
    assert len(name) <= 255


@pytest.mark.parametrize("model", [*UNSEEN, "x" * 100_000], ids=start_of)
def test_a_model_that_is_no_name(model: str) -> None:
    device = Device.from_raw(
        DeviceType.BATTERY, {"id": "a", "metadata": {"model": model}}
    )
    name = plain_name(device)
    assert not set(name) & UNWANTED
    assert 0 < len(name) <= 255


@pytest.mark.parametrize("model", MARKUP, ids=start_of)
def test_a_name_says_what_the_model_says(model: str) -> None:
    """A name stays what it is: where it is rendered, it is to be escaped."""
    device = Device.from_raw(
        DeviceType.BATTERY, {"id": "a", "metadata": {"model": model}}
    )
    assert plain_name(device) == " ".join(model.split())


# Webhooks


@examples(250)
@given(
    actions
    | mutated(
        st.just(
            {
                "deviceId": "device_battery_001",
                "deviceType": "battery",
                "timestamp": "2026-06-01T12:00:00Z",
                "reconnectionUrl": "https://auth.amps.ai/?token=a",
            }
        )
    )
)
def test_an_event_or_none(document: Any) -> None:
    parse_event(dump(document))


@examples(150)
@given(st.binary(max_size=100))
def test_an_event_of_any_bytes(body: bytes) -> None:
    parse_event(body)


# What is told to others


@examples(150)
@given(anything | st.sampled_from(TYPES).flatmap(lambda name: devices(name.value)))
def test_what_is_told_names_nobody(document: Any) -> None:
    """Whatever a document is: what a log tells of it is short, JSON, and private."""
    raw = received({"email": "b@evil.example", "a": document})
    told = redacted(raw)
    assert _depth(told) <= 52
    said = orjson.dumps(told).decode()
    assert "@evil.example" not in said
    assert no_end_in(orjson.loads(said))


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [
            item
            for outer in level
            for item in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return depth


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "a@" * 500_000,
        "a@" + "a." * 500_000,
        "a@b" * 300_000,
        "A" * 1_000_000,
        "aB" * 500_000,
        "@." * 500_000,
        '"@' * 500_000,
    ],
    ids=start_of,
)
def test_a_long_text_is_told_soon(text: str) -> None:
    """Each letter with each would meet the time limit of the suite."""
    assert isinstance(redacted({text: text, "a": [text]}), dict)


# Bounded


def _big(kind: str) -> Any:
    count = 100_000
    match kind:
        case "commands":
            return {
                f"c{number}": {"parameters": {}, "execution": ["immediate"]}
                for number in range(count)
            }
        case "settings":
            return {f"s{number}": {"value": 1} for number in range(count)}
        case "list":
            return ["a"] * count * 5
        case _:
            return "a-B " * count * 5


@pytest.mark.parametrize("part", ["commands", "settings", "state", "vendor", "id"])
@pytest.mark.parametrize("kind", ["commands", "settings", "list", "text"])
def test_a_big_one_is_read_soon(part: str, kind: str) -> None:
    """A reply of some megabytes is no more work than its size is worth.

    Each with each would be, and would meet the time limit of the suite.
    """
    raw = received(DEVICES["battery"][0])
    raw[part] = _big(kind)
    first = read(DeviceType.BATTERY, raw, detailed=True)
    again = read(DeviceType.BATTERY, raw, known=first, detailed=True)
    assert again is first
    if first is not None:
        plain_name(first)
        with pytest.raises(RequestRefusedError):
            check_push(first, Push(command="none"))
        with pytest.raises(RequestRefusedError):
            settings_body(first, {"none": 1})


# What the library that writes JSON can do where a document is nested deeply: to
# write behind its memory, which ends the process at best. So it is tried in
# another process, with a watch over its memory. Each way leads to where it is
# written, here or in Home Assistant.
_BEGIN = """
import logging, sys, types
package = types.ModuleType("custom_components.amps_ai")
package.__path__ = ["custom_components/amps_ai"]
sys.modules["custom_components.amps_ai"] = package
from custom_components.amps_ai.api import AmpsClient
from custom_components.amps_ai.api import Action, Device, DeviceType
from custom_components.amps_ai.api.models import MalformedError
from custom_components.amps_ai.api.webhook import parse_event
import orjson
"""
_DEVICE = """
    body = orjson.loads(raw)
    sound = {**body, "lastAction": None}
    bodies = [body, *({**sound, n: {"x": body["lastAction"]}} for n in PARTS)]
    for known in (None, Device.from_raw(DeviceType.BATTERY, sound, detailed=True)):
        for body in bodies:
            try:
                for again in (body, body, dict(reversed(body.items()))):
                    known = Device.from_raw(
                        DeviceType.BATTERY, again, known=known, detailed=DETAILED
                    )
            except MalformedError:
                pass
""".replace("PARTS", '("state", "sync", "x")')
_WAYS = {
    "list": _DEVICE.replace("DETAILED", "False"),
    "single": _DEVICE.replace("DETAILED", "True"),
    "action": """
    orjson.dumps(Action.from_raw(orjson.loads(raw)).as_record())
""",
    "webhook": """
    event = parse_event(raw)
    if event is not None:
        orjson.dumps(event.action.as_record())
""",
    "log": """
    AmpsClient(None, "sk_test_a")._told(raw)
""",
}


@pytest.mark.parametrize("way", sorted(_WAYS))
def test_nothing_is_written_where_it_must_not(way: str) -> None:
    charge: dict[str, Any] = {
        "parameters": {
            "target": {"unit": "percent", "max": 100},
            "power": {"unit": "kw", "min": 0, "max": 5.0},
        },
        "execution": ["immediate", "scheduled"],
    }
    target = {"unit": "percent", "min": 10, "max": 100}
    discharge = {**charge, "parameters": {**charge["parameters"], "target": target}}
    documents: list[bytes] = []
    for depth in (200, 250):
        commands = {
            "charge": charge,
            "discharge": discharge,
            "auto.balanced": {"parameters": {}, "execution": charge["execution"]},
        }
        nested = Nested(depth, in_objects=False)
        last = {
            "id": "act_abc123",
            "command": "auto.balanced",
            "createdAt": "2026-06-01T09:15:00.000Z",
            "errorCode": None,
            "errorMessage": None,
            "links": {"self": nested},
        }
        # It depends on a few bytes whether there is room for what is written.
        for more in range(160):
            raw: dict[str, Any] = {
                "id": "d" * (1 + more),
                "commands": commands,
                "conflictStrategies": ["cancel_and_replace", "queue_after"],
                "lastAction": last,
                "currentSchedule": None,
            }
            if way in ("action", "webhook"):
                raw = {
                    "deviceId": "device_abc123",
                    "actionId": "a" * (1 + more),
                    "completedAt": "2026-06-01T09:15:00.000Z",
                    "parameters": {**commands, "links": {"self": nested}},
                }
            documents.append(dump(raw))
    script = f"""{_BEGIN}
def way(raw):{_WAYS[way]}
for line in sys.stdin.buffer.read().splitlines():
    try:
        way(line)
    except MalformedError:
        pass
"""
    ended = subprocess.run(
        [sys.executable, "-c", script],
        input=b"\n".join(documents),
        env={**os.environ, "PYTHONMALLOC": "debug"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr.decode()[-2000:]


@examples(30)
@given(anything)
def test_the_strategies_say_json(document: Any) -> None:
    """What is generated is what a real reply could be."""
    assert no_end_in(received(document))
