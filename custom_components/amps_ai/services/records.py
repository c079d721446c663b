"""Actions that ask for commands that were sent, or cancel one."""

from datetime import UTC, datetime

from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.core import ServiceCall, ServiceResponse

from ..api import Action, AmpsDeviceNotFoundError, Device
from ..common.const import CONF_USER_ID
from ..common.errors import refused
from .fields import ATTR_ACTION_ID, ATTR_LIMIT, ATTR_STATE
from .permission import async_check
from .whose import Whose, whose_of


async def _async_own_action(
    call: ServiceCall, policy: str
) -> tuple[Whose, Device, Action]:
    """Return an action and its device, if it is one of this entry's."""
    whose = whose_of(call)
    action_id = call.data[ATTR_ACTION_ID]
    account = whose.entry.runtime_data.account
    with account.speaking(whose.name):
        try:
            action = await account.async_run(account.client.async_get_action(action_id))
        except AmpsDeviceNotFoundError as err:
            raise refused("action_unknown", whose.name, action=action_id) from err
    for device in whose.devices:
        if device.id == action.device_id:
            await async_check(call, whose.entry, [device], policy)
            return whose, device, action
    raise refused("action_unknown", whose.name, action=action_id)


async def async_get_action(call: ServiceCall) -> ServiceResponse:
    """Return what became of an action."""
    _, _, action = await _async_own_action(call, POLICY_READ)
    return {"action": action.as_record()}


async def async_cancel_action(call: ServiceCall) -> ServiceResponse:
    """Cancel an action that has not begun yet."""
    whose, device, action = await _async_own_action(call, POLICY_CONTROL)
    cancelled = await whose.entry.runtime_data.async_cancel(device, action.id)
    return {"action": cancelled.as_record()}


async def async_list_actions(call: ServiceCall) -> ServiceResponse:
    """Return actions, newest first."""
    whose = whose_of(call)
    await async_check(call, whose.entry, whose.devices, POLICY_READ)
    account = whose.entry.runtime_data.account
    limit = call.data[ATTR_LIMIT]
    state = call.data.get(ATTR_STATE)
    # An entry for one user may know the actions of that user's devices only.
    narrowed = whose.device is not None or CONF_USER_ID in whose.entry.data
    asked = [device.id for device in whose.devices] if narrowed else [None]
    actions: list[Action] = []
    with account.speaking(whose.name):
        for device_id in asked:
            actions += await account.async_run(
                account.client.async_list_actions(
                    device_id=device_id, state=state, limit=limit
                )
            )
    long_ago = datetime.min.replace(tzinfo=UTC)
    actions.sort(key=lambda action: action.created_at or long_ago, reverse=True)
    return {"actions": [action.as_record() for action in actions[:limit]]}
