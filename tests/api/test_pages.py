"""A page that need not be read again says what it would say if it were."""

from typing import Any

from hypothesis import given, strategies as st
import orjson
import pytest

from custom_components.amps_ai.api import AmpsClient, Device, DeviceType
from custom_components.amps_ai.api.pages import PageMemory
from sandbox import Sandbox
from tests.property.strategies import QUIET, anything, examples, texts

from .helpers import Json, listed, page

pytestmark = QUIET

BEFORE = "2026-06-01T11:00:00.000Z"
AFTER = "2026-06-01T11:15:00.000Z"
LEVEL = listed("battery-list")["state"]
META = {"environment": "sandbox", "timestamp": "2026-06-01T11:00:01Z"}


def _device(number: int, time: object = BEFORE, **parts: Any) -> Json:
    sync = {"available": True, "lastPulledAt": time}
    return listed("battery-list") | {"id": f"dev_{number}", "sync": sync} | parts


def _body(*items: Any, **meta: Any) -> bytes:
    return orjson.dumps(page(list(items), total=len(items)) | {"meta": META | meta})


def _remembered(*items: Any) -> PageMemory:
    memory = PageMemory()
    content = _body(*items)
    memory.keep(content, orjson.loads(content)["data"])
    return memory


def _items(recalled: tuple[Any, Json] | None) -> list[Any]:
    assert recalled is not None
    items = recalled[0]["items"]
    assert isinstance(items, list)
    return items


def test_same_answer() -> None:
    """What is told again is handed out again, with the `meta` of this time."""
    memory = _remembered(_device(1), _device(2))
    data = memory.data
    recalled = memory.recall(_body(_device(1), _device(2), timestamp="later"))
    assert recalled is not None
    assert recalled[0] is data
    assert recalled[1] == META | {"timestamp": "later"}


def test_only_the_times_moved() -> None:
    """All but the times is handed out again, poll after poll."""
    memory = _remembered(_device(1), _device(2), _device(3, None))
    for time in (AFTER, "2026-06-01T11:30:00.000Z", BEFORE):
        before = memory.data["items"]
        body = _body(_device(1, time), _device(2), _device(3, None))
        recalled = memory.recall(body)
        assert recalled == (orjson.loads(body)["data"], META)
        for old, new in zip(before, _items(recalled), strict=True):
            assert all(new[name] is old[name] for name in old if name != "sync")
        # The former answer is as it was: devices are compared with it.
        assert before[0]["sync"]["lastPulledAt"] != time


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([_device(1, AFTER), _device(3)], id="another device"),
        pytest.param([_device(2, AFTER), _device(1)], id="another order"),
        pytest.param([_device(1, AFTER)], id="one is gone"),
        pytest.param([_device(1, AFTER), _device(2, None)], id="a time is gone"),
        pytest.param([_device(1, "2026"), _device(2)], id="a shorter time"),
        pytest.param([_device(1, BEFORE[:-2] + '"'), _device(2)], id="a quote"),
        pytest.param([_device(1, BEFORE[:-2] + "\\"), _device(2)], id="an escape"),
        pytest.param([_device(1, BEFORE[:-2] + "é"), _device(2)], id="a letter"),
        pytest.param([_device(1, vendor="fesla"), _device(2)], id="a vendor"),
        pytest.param(
            [_device(1, AFTER, state=LEVEL | {"level": 68}), _device(2)], id="a level"
        ),
    ],
)
def test_more_than_the_times(items: list[Json]) -> None:
    """What cannot be told from the last answer, is not; nor is it mixed up."""
    memory = _remembered(_device(1), _device(2))
    assert memory.recall(_body(*items)) is None
    assert memory.recall(_body(_device(1), _device(2))) is not None


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(_device(2, state={"lastPulledAt": BEFORE}), id="in the state"),
        pytest.param(_device(2, lastPulledAt=AFTER), id="in the device"),
        pytest.param([{"lastPulledAt": BEFORE}], id="in no device"),
    ],
)
def test_times_of_something_else(other: Any) -> None:
    """Where it is not sure whose a time is, everything is read."""
    memory = _remembered(_device(1), other)
    assert memory.recall(_body(_device(1, AFTER), other)) is None
    assert memory.recall(_body(_device(1), other)) is not None


def test_text_that_looks_like_a_time() -> None:
    """A name can be what it likes."""
    name = {"model": f'","lastPulledAt":"{BEFORE}","x":"\\'}
    memory = _remembered(_device(1, metadata=name))
    items = _items(memory.recall(_body(_device(1, AFTER, metadata=name))))
    assert items == [_device(1, AFTER, metadata=name)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(orjson.dumps(page([_device(1)])), id="no meta"),
        pytest.param(_body(_device(1))[:-1] + b',"more":1}', id="more after it"),
        pytest.param(b'{"meta":{},"data":{"items":[]}}', id="meta first"),
        pytest.param(b"[]", id="no object"),
    ],
)
def test_answer_that_tells_too_little(content: bytes) -> None:
    """An answer of another form is read each time."""
    memory = _remembered(_device(1))
    memory.keep(content, {"items": []})
    assert memory.recall(content) is None


@examples(150)
@given(
    st.lists(st.dictionaries(texts, anything, max_size=2), max_size=3),
    st.lists(st.sampled_from([BEFORE, AFTER, None, 1]), min_size=6, max_size=6),
    st.lists(st.dictionaries(texts, anything, max_size=2), max_size=2),
)
def test_as_if_it_were_read(
    parts: list[Json], times: list[object], other: list[Json]
) -> None:
    """Whatever pages say, one after the other: what is recalled is what they say."""
    bodies = [
        _body(
            *(
                {**part, "sync": {"available": True, "lastPulledAt": time}}
                for part, time in zip(told, times[turn:], strict=False)
            )
        )
        for turn, told in enumerate([parts, parts, [*parts, *other], parts])
    ]
    memory = PageMemory()
    for content in bodies:
        reply = orjson.loads(content)
        if (recalled := memory.recall(content)) is None:
            memory.keep(content, reply["data"])
        else:
            assert recalled == (reply["data"], reply["meta"])


async def test_devices_that_were_captured_again(
    client: AmpsClient, sandbox: Sandbox
) -> None:
    """They have other times, and are what they were in all else."""
    for device_type in DeviceType:
        for device in sandbox.home.devices:
            device.state_override = dict(device.captured or {})
        known = (await client.async_list_devices(device_type)).devices
        sandbox.clock.advance(900)
        for device in sandbox.home.devices:
            device.capture()
        again = (await client.async_list_devices(device_type, known)).devices
        assert again
        for device_id, found in again.items():
            before = known[device_id]
            # It was not read again.
            assert found.raw["vendor"] is before.raw["vendor"]
            assert found.state is before.state
            assert found.changes(before) == frozenset()
            assert found.sync.last_pulled_at is not None
            assert found.sync.last_pulled_at != before.sync.last_pulled_at
            assert found == Device.from_raw(device_type, found.raw)
