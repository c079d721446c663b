"""Several: what an action does for each of the devices that a call names."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from homeassistant.core import ServiceCall, ServiceResponse, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr

from ..api import DeviceType
from ..common.errors import several_failed
from ..common.names import given_name
from ..common.words import told
from .fields import ATTR_DEVICE_ID
from .permission import async_check
from .whose import Named, device_of

# What is done for one device, and what the response says of it.
type Answer = dict[str, Any]
type Do = Callable[[Named], Awaitable[Answer]]


async def async_for_each(
    call: ServiceCall, do: Do, *types: DeviceType
) -> ServiceResponse:
    """Do something for each device that a call names, for all at once.

    One that fails stops no other. What failed is told when all were tried: by
    the response where one is asked for, else by one error. A caller who may not
    steer one of them is refused before anything is done.
    """
    found: dict[str, Named | HomeAssistantError] = {}
    for device_id in call.data[ATTR_DEVICE_ID]:
        try:
            found[device_id] = device_of(call, device_id, types)
        except HomeAssistantError as err:
            found[device_id] = err
    for named in found.values():
        if isinstance(named, Named):
            await async_check(call, named.entry, [named.device])
    answers = await asyncio.gather(*(_async_do(do, named) for named in found.values()))
    if len(answers) == 1:
        if isinstance(answer := answers[0], HomeAssistantError):
            raise answer
        return answer
    by_device = dict(zip(found, answers, strict=True))
    failed = [
        (_name(call, device_id) or device_id, answer)
        for device_id, answer in by_device.items()
        if isinstance(answer, HomeAssistantError)
    ]
    if failed and not call.return_response:
        raise several_failed(failed, len(by_device))
    return {
        "devices": [
            {
                "device_id": device_id,
                "name": _name(call, device_id),
                **_said(call, answer),
            }
            for device_id, answer in by_device.items()
        ]
    }


async def _async_do(
    do: Do, named: Named | HomeAssistantError
) -> Answer | HomeAssistantError:
    if isinstance(named, HomeAssistantError):
        return named
    try:
        return await do(named)
    except HomeAssistantError as err:
        return err


def _said(call: ServiceCall, answer: Answer | HomeAssistantError) -> Answer:
    """Return what the response says, an error in the language of the house."""
    if isinstance(answer, HomeAssistantError):
        return {"error": told(call.hass, answer)}
    return answer


@callback
def _name(call: ServiceCall, device_id: str) -> str | None:
    """Return what the person calls a device, also one that is not there now."""
    return given_name(dr.async_get(call.hass).async_get(device_id))
