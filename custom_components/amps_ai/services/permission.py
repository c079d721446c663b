"""Permission: who may steer or see a device by an action."""

from collections.abc import Iterable
from typing import Final

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.const import Platform
from homeassistant.core import ServiceCall
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import entity_registry as er

from ..api import Device
from ..runtime import AmpsConfigEntry

# Whoever may steer all of these of a device may steer it.
_CONTROLS: Final = frozenset(
    {Platform.CLIMATE, Platform.NUMBER, Platform.SELECT, Platform.SWITCH}
)


async def async_check(
    call: ServiceCall,
    entry: AmpsConfigEntry,
    devices: Iterable[Device],
    policy: str = POLICY_CONTROL,
) -> None:
    """Refuse a caller who may not do with these devices what the action does.

    As core does it for entities: an administrator may do everything, and so may
    what no user has called. Raises Unauthorized or UnknownUser.
    """
    if call.context.user_id is None:
        return
    user = await call.hass.auth.async_get_user(call.context.user_id)
    if user is None:
        raise UnknownUser(context=call.context)
    if user.is_admin:
        return
    registry = er.async_get(call.hass)
    account = entry.runtime_data.account
    for device in devices:
        if (registered := account.async_registered(device.id)) is None:
            continue
        entities = er.async_entries_for_device(registry, registered.id)
        controls = [entity for entity in entities if entity.domain in _CONTROLS]
        for entity in controls or entities:
            if not user.permissions.check_entity(entity.entity_id, policy):
                raise Unauthorized(
                    context=call.context,
                    entity_id=entity.entity_id,
                    permission=policy,
                )
