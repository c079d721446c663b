"""The shape of a device: what decides which entities it has."""

from collections.abc import Mapping

from ..api import Device


def shape(device: Device) -> tuple[object, ...]:
    """Return what decides which entities a device has."""
    return (
        device.state.raw.keys(),
        device.commands,
        _keys(device.settings),
        device.sync.raw.keys(),
        device.last_action is not None,
        device.detailed,
        device.unread,
        device.left_out,
        device.is_whole,
        device.model,
        device.vendor,
    )


def _keys(values: Mapping[str, object] | None) -> object:
    return None if values is None else values.keys()
