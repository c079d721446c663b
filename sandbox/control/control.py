"""The control routes, for those outside the process."""

from aiohttp import web
import orjson

from sandbox.cloud import Cloud
from sandbox.doors import came_from_elsewhere, json_answer
from sandbox.values import Json, iso
from sandbox.webhooks import Webhooks

from . import devices, webhooks


class Control:
    """The routes under `/_sandbox`."""

    def __init__(self, cloud: Cloud, sender: Webhooks) -> None:
        """Control a cloud and its webhooks."""
        self.cloud = cloud
        self.sender = sender

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a control request; what is wrong is said in plain words."""
        if came_from_elsewhere(request):
            return json_answer({"error": "This came from another page"}, 403)
        try:
            raw = await request.read()
            body = orjson.loads(raw) if raw else {}
            if not isinstance(body, dict):
                return json_answer({"error": "The body must be an object"}, 400)
            self.cloud.settle()
            return self._dispatch(request, body)
        except KeyError as err:
            return json_answer({"error": f"There is no {err.args[0]}"}, 404)
        except (AttributeError, TypeError, ValueError) as err:
            return json_answer({"error": str(err)}, 400)

    def _dispatch(self, request: web.Request, body: Json) -> web.Response:
        """Find the route of a control request."""
        cloud = self.cloud
        parts = [part for part in request.path.split("/") if part][1:]
        match request.method, parts:
            case "GET", []:
                return json_answer(self._overview())
            case "GET", ["requests"]:
                items = [record.as_json() for record in cloud.requests]
                return json_answer({"items": items, "total": cloud.requests.total})
            case "DELETE", ["requests"]:
                cloud.requests.clear()
                return json_answer({})
            case "GET", ["faults"]:
                return json_answer({"items": [f.as_json() for f in cloud.faults.all()]})
            case "POST", ["faults"]:
                return json_answer(cloud.faults.add(**body).as_json(), 201)
            case "DELETE", ["faults"]:
                cloud.faults.clear()
                return json_answer({})
            case "DELETE", ["faults", number]:
                for fault in cloud.faults.all():
                    if str(fault.id) == number:
                        cloud.faults.remove(fault)
                return json_answer({})
            case "POST", ["rate-limit"]:
                cloud.rate_limit(body.pop("per_minute", None), **body)
                return json_answer({})
            case (("GET" | "POST"), ["clock"]):
                return json_answer(self._clock(body))
            case "GET", ["events"]:
                return json_answer(
                    {
                        "items": [
                            {
                                "kind": event.kind,
                                "at": iso(event.at),
                                "deviceId": event.device.id,
                                "actionId": event.action.id if event.action else None,
                            }
                            for event in cloud.events
                        ]
                    }
                )
            case method, ["webhooks", *rest]:
                return json_answer(*webhooks.dispatch(self.sender, method, rest, body))
            case method, ["devices", *rest]:
                account = request.query.get("account")
                return json_answer(
                    *devices.dispatch(cloud, method, rest, account, body)
                )
        raise KeyError(f"route {request.method} {request.path}")

    def _overview(self) -> Json:
        """Return what the sandbox is."""
        cloud = self.cloud
        return {
            "url": cloud.url,
            "appId": cloud.app_id,
            "now": iso(cloud.clock.time()),
            "accounts": [
                {
                    "key": account.key,
                    "name": account.name,
                    "environment": account.environment,
                    "generation": account.generation,
                    "home": account.home.name,
                    "devices": len(account.home.devices),
                }
                for account in cloud.accounts.values()
            ],
            "requests": cloud.requests.total,
            "liveCalls": cloud.live_calls.total(),
        }

    def _clock(self, body: Json) -> Json:
        """Set, advance, hold or run the clock."""
        clock = self.cloud.clock
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
