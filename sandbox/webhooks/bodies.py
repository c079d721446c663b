"""The bodies of webhooks: flat, and silent about their kind."""

from sandbox.devices import Action, Device
from sandbox.kinds import EV_CHARGER, HVAC
from sandbox.values import Json, iso


def device_body(device: Device, at: float) -> Json:
    """Return how a connection that came or went is told."""
    return {
        "deviceId": device.id,
        "deviceType": device.kind.type,
        "timestamp": iso(at),
    }


def schedule_body(device: Device, at: float) -> Json:
    """Return something that the scheduler tells; nobody knows its body yet."""
    return {"scheduleId": f"sched_{device.id}", **device_body(device, at)}


def push_body(action: Action, at: float, *, older: bool) -> Json:
    """Return how the end of an action is told."""
    if older or action.push.older is not None:
        return _older_push(action, at)
    return _push(action, at)


def _push(action: Action, at: float) -> Json:
    """Return how the end of an action is told."""
    push = action.push
    body: Json = {
        "actionId": action.id,
        "deviceId": action.device_id,
        "deviceType": action.kind.type,
        "command": push.command,
        "parameters": push.parameters or None,
        "result": action.result,
    }
    if action.state == "completed":
        return body | {"completedAt": iso(at)}
    return body | {
        "errorCode": action.error_code,
        "errorMessage": action.error_message,
        "failedAt": iso(at),
    }


def _older_push(action: Action, at: float) -> Json:
    """Return how the end of an action was told before."""
    push, kind = action.push, action.kind
    parameters: Json = dict(push.parameters or {})
    name = push.older
    if name is None and kind is EV_CHARGER:
        name = {"charge": "start_charging", "idle": "stop_charging"}.get(push.command)
    if name is None and kind is HVAC and push.command == "follow_schedule":
        name = push.command
    if name is None:
        name = "set_permanent_hold" if kind is HVAC else "set_operation_mode"
        parameters = {"mode": push.command} | parameters
    body: Json = {
        "actionId": action.id,
        "deviceId": action.device_id,
        "actionType": f"{kind.path}:{name}",
        "parameters": parameters,
    }
    if action.state == "completed":
        return body | {"result": action.result, "completedAt": iso(at)}
    error = {"code": action.error_code, "message": action.error_message}
    return body | {"error": error, "failedAt": iso(at)}
