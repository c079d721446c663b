"""The control routes, for those outside the process."""

from typing import TYPE_CHECKING, Any

from aiohttp import web
import orjson

from .devices import REMOVE, Device
from .homes import Home
from .values import Json, iso
from .webhooks import control as control_webhooks

if TYPE_CHECKING:
    from .server import Sandbox

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


class Control:
    """The routes under `/_sandbox`."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Control a sandbox."""
        self.sandbox = sandbox

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a control request; what is wrong is said in plain words."""
        if came_from_elsewhere(request):
            return _answer({"error": "This came from another page"}, 403)
        try:
            raw = await request.read()
            body = orjson.loads(raw) if raw else {}
            if not isinstance(body, dict):
                return _answer({"error": "The body must be an object"}, 400)
            self.sandbox.settle()
            return self._dispatch(request, body)
        except KeyError as err:
            return _answer({"error": f"There is no {err.args[0]}"}, 404)
        except (AttributeError, TypeError, ValueError) as err:
            return _answer({"error": str(err)}, 400)

    def _dispatch(self, request: web.Request, body: Json) -> web.Response:
        """Find the route of a control request."""
        sandbox = self.sandbox
        parts = [part for part in request.path.split("/") if part][1:]
        match request.method, parts:
            case "GET", []:
                return _answer(self._overview())
            case "GET", ["requests"]:
                items = [record.as_json() for record in sandbox.requests]
                return _answer({"items": items, "total": sandbox.requests.total})
            case "DELETE", ["requests"]:
                sandbox.requests.clear()
                return _answer({})
            case "GET", ["faults"]:
                return _answer({"items": [f.as_json() for f in sandbox.faults.all()]})
            case "POST", ["faults"]:
                return _answer(sandbox.faults.add(**body).as_json(), 201)
            case "DELETE", ["faults"]:
                sandbox.faults.clear()
                return _answer({})
            case "DELETE", ["faults", number]:
                for fault in sandbox.faults.all():
                    if str(fault.id) == number:
                        sandbox.faults.remove(fault)
                return _answer({})
            case "POST", ["rate-limit"]:
                sandbox.rate_limit(body.pop("per_minute", None), **body)
                return _answer({})
            case (("GET" | "POST"), ["clock"]):
                return _answer(self._clock(body))
            case "GET", ["events"]:
                return _answer(
                    {
                        "items": [
                            {
                                "kind": event.kind,
                                "at": iso(event.at),
                                "deviceId": event.device.id,
                                "actionId": event.action.id if event.action else None,
                            }
                            for event in sandbox.events
                        ]
                    }
                )
            case method, ["webhooks", *rest]:
                return _answer(*control_webhooks(sandbox.webhooks, method, rest, body))
            case method, ["devices", *rest]:
                return self._devices(method, rest, self._home(request), body)
        raise KeyError(f"route {request.method} {request.path}")

    def _overview(self) -> Json:
        """Return what the sandbox is."""
        sandbox = self.sandbox
        return {
            "url": sandbox.url,
            "appId": sandbox.app_id,
            "now": iso(sandbox.clock.time()),
            "accounts": [
                {
                    "key": account.key,
                    "name": account.name,
                    "environment": account.environment,
                    "generation": account.generation,
                    "home": account.home.name,
                    "devices": len(account.home.devices),
                }
                for account in sandbox.accounts.values()
            ],
            "requests": sandbox.requests.total,
            "liveCalls": sandbox.live_calls.total(),
        }

    def _clock(self, body: Json) -> Json:
        """Set, advance, hold or run the clock."""
        clock = self.sandbox.clock
        if unknown := set(body) - {"set", "advance", "speed", "mode"}:
            raise ValueError(f"Unknown: {', '.join(sorted(unknown))}")
        mode = body.get("mode")
        if mode not in (None, "manual", "real"):
            raise ValueError("The mode is manual or real")
        if "speed" in body:
            clock.speed = body["speed"]
        if mode == "manual":
            clock.hold()
        if "set" in body:
            clock.set(body["set"])
        if "advance" in body:
            clock.advance(body["advance"])
        if mode == "real":
            clock.run()
        return {
            "now": iso(clock.time()),
            "mode": "real" if clock.running else "manual",
            "speed": clock.speed,
        }

    def _home(self, request: web.Request) -> Home:
        """Return the home of the account that is meant."""
        name = request.query.get("account")
        return self.sandbox.home if name is None else self.sandbox.account(name).home

    def _devices(
        self, method: str, rest: list[str], home: Home, body: Json
    ) -> web.Response:
        """Show, change, connect or disconnect devices."""
        match method, rest:
            case "GET", []:
                return _answer({"items": [d.control_body() for d in home.devices]})
            case "POST", []:
                kind = body.pop("type", None) or body.pop("deviceType", "")
                if "id" in body:
                    body["device_id"] = body.pop("id")
                return _answer(home.add_device(kind, **body).control_body(), 201)
            case "GET", [device_id]:
                return _answer(self._device(home, device_id).control_body())
            case "PATCH", [device_id]:
                device = self._device(home, device_id)
                _change(device, body)
                return _answer(device.control_body())
            case "DELETE", [device_id]:
                device = self._device(home, device_id)
                device.home.remove_device(device_id, device.kind)
                return _answer({})
        raise KeyError(f"route {method} devices/{'/'.join(rest)}")

    def _device(self, home: Home, device_id: str) -> Device:
        """Return a device of the home, or of any other."""
        return home.find(device_id) or self.sandbox.device(device_id)


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


def came_from_elsewhere(request: web.Request) -> bool:
    """Whether a page of somebody else's sent a request."""
    origin = request.headers.get("Origin")
    return origin is not None and origin != f"{request.scheme}://{request.host}"


def _answer(body: Any, status: int = 200) -> web.Response:
    """Return an answer of JSON."""
    return web.Response(
        status=status, body=orjson.dumps(body), content_type="application/json"
    )
