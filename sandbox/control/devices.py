"""Control of devices: look at them, change them, connect and disconnect them."""

from sandbox.cloud import Cloud
from sandbox.devices import REMOVE, Device
from sandbox.homes import Home
from sandbox.values import Json

# What may be set on a device as it is.
PLAIN = (
    "gone",
    "unlisted",
    "offline",
    "transient_fault",
    "credentials_refused",
    "native_scheduler",
    "action_seconds",
    "generation",
    "user",
)


def dispatch(
    cloud: Cloud, method: str, rest: list[str], account: str | None, body: Json
) -> tuple[Json, int]:
    """Answer a control request about the devices of an account."""
    home = cloud.home if account is None else cloud.account(account).home
    match method, rest:
        case "GET", []:
            return {"items": [d.control_body() for d in home.devices]}, 200
        case "POST", []:
            kind = body.pop("type", None) or body.pop("deviceType", "")
            if "id" in body:
                body["device_id"] = body.pop("id")
            return home.add_device(kind, **body).control_body(), 201
        case "GET", [device_id]:
            return _found(cloud, home, device_id)[1].control_body(), 200
        case "PATCH", [device_id]:
            _, device = _found(cloud, home, device_id)
            _change(device, body)
            return device.control_body(), 200
        case "DELETE", [device_id]:
            home, device = _found(cloud, home, device_id)
            home.remove_device(device_id, device.kind)
            return {}, 200
    raise KeyError(f"route {method} devices/{'/'.join(rest)}")


def _found(cloud: Cloud, home: Home, device_id: str) -> tuple[Home, Device]:
    """Return a device of the home, or of any other, and whose it is."""
    for candidate in (home, *cloud.homes):
        if (device := candidate.find(device_id)) is not None:
            return candidate, device
    raise KeyError(device_id)


def _change(device: Device, body: Json) -> None:
    """Change a device: what is given, in the order it makes sense in."""
    known = {*PLAIN, "state", "remove", "body", "physics", "settings"}
    if unknown := set(body) - known - {"next_action", "capture", "drop_cache"}:
        raise ValueError(f"Unknown: {', '.join(sorted(unknown))}")
    for name in PLAIN:
        if name in body:
            setattr(device, name, body[name])
    _change_physics(device, body.get("physics", {}))
    for name, value in body.get("settings", {}).items():
        device.write_setting(name, value)
    if "next_action" in body:
        device.next_action(**body["next_action"])
    if body.get("state") is None and "state" in body:
        device.state_override = {}
    device.state_override |= body.get("state") or {}
    device.state_override |= dict.fromkeys(body.get("remove", []), REMOVE)
    if "body" in body:
        device.body_override = body["body"] or {}
    if body.get("drop_cache"):
        device.drop_cache()
    if body.get("capture"):
        device.capture()


def _change_physics(device: Device, figures: Json) -> None:
    """Set figures of the physics, such as the level of a battery."""
    physics = device.physics
    physics.advance(device.home.clock.time())
    for name, value in figures.items():
        if name.startswith("_") or not isinstance(
            getattr(physics, name, None), int | float | str
        ):
            raise ValueError(f"The physics has no figure {name!r}")
        setattr(physics, name, value)
