"""Deliveries: what a webhook told goes to the part that it concerns."""

from collections.abc import Coroutine
from typing import Any

from homeassistant.core import callback

from ..api import Action
from ..api.webhook import DeviceConnected, PushEnded, WebhookEvent
from ..readings import takes_scheduling
from ..webhooks import WebhookReceiver
from .data import AmpsRuntimeData


@callback
def async_begin_deliveries(runtime: AmpsRuntimeData) -> None:
    """Work on what was delivered, and on what comes."""
    if (receiver := runtime.webhooks) is not None:
        receiver.async_begin(lambda event: _take(runtime, receiver, event))


@callback
def _take(
    runtime: AmpsRuntimeData, receiver: WebhookReceiver, event: WebhookEvent
) -> None:
    """Take an event; one about a device of others is none of our business."""
    if isinstance(event, PushEnded):
        _take_end(runtime, receiver, event.action)
        return
    device = runtime.coordinators.device(event.device_id)
    if device is not None:
        runtime.links.async_told(device, event)
    elif isinstance(event, DeviceConnected):
        # A new one, if the list then has it.
        for asked in runtime.coordinators.values():
            if event.device_type in (None, asked.device_type):
                _in_background(runtime, asked.async_request_refresh())


@callback
def _take_end(
    runtime: AmpsRuntimeData, receiver: WebhookReceiver, action: Action
) -> None:
    """Take the end of an action."""
    device = runtime.coordinators.device(action.device_id or "")
    if device is None:
        return
    receiver.silence.async_told(action.id)
    _in_background(runtime, runtime.pushes.follower.async_take_end(device, action))
    if takes_scheduling(device):
        runtime.schedule.async_changed(device)


@callback
def _in_background(runtime: AmpsRuntimeData, work: Coroutine[Any, Any, None]) -> None:
    account = runtime.account
    account.entry.async_create_background_task(
        account.hass, work, name="Amps AI webhook"
    )
