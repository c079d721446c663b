"""The control routes, for those outside the process."""

from typing import Final

from aiohttp import web
import orjson

from sandbox.cloud import Cloud
from sandbox.devices import Habits
from sandbox.doors import came_from_elsewhere, json_answer
from sandbox.faults import Fault
from sandbox.values import Json, iso
from sandbox.webhooks import Webhooks

from . import devices, webhooks

HABITS: Final = frozenset(Habits.__annotations__)


class Control:
    """The routes under `/_sandbox`."""

    def __init__(self, cloud: Cloud, sender: Webhooks) -> None:
        """Control a cloud and its webhooks."""
        self.cloud = cloud
        self.sender = sender
        # What was ordered here; one that is used up may still hold a request.
        self._orders: dict[str, Fault] = {}

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
                fault = cloud.faults.add(**body)
                self._orders[str(fault.id)] = fault
                return json_answer(fault.as_json(), 201)
            case "POST", ["faults", number, "release"]:
                self._fault(number).release(body.pop("most", None))
                return json_answer({})
            case "DELETE", ["faults"]:
                cloud.faults.clear()
                return json_answer({})
            case "DELETE", ["faults", number]:
                cloud.faults.remove(self._fault(number))
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
            case "GET", ["house"]:
                name = request.query.get("account")
                home = cloud.home if name is None else cloud.account(name).home
                flows = home.house.as_json()
                return json_answer({"now": iso(cloud.clock.time())} | flows)
            case "PATCH", ["home"]:
                return json_answer(self._habits(body))
            case method, ["webhooks", *rest]:
                return json_answer(*webhooks.dispatch(self.sender, method, rest, body))
            case method, ["devices", *rest]:
                account = request.query.get("account")
                return json_answer(
                    *devices.dispatch(cloud, method, rest, account, body)
                )
        raise KeyError(f"route {request.method} {request.path}")

    def _fault(self, number: str) -> Fault:
        """Return a fault, which may be used up and still hold a request."""
        for fault in self.cloud.faults.all():
            if str(fault.id) == number:
                return fault
        return self._orders[number]

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

    def _habits(self, body: Json) -> Json:
        """Change how the clouds behind all homes behave."""
        if unknown := set(body) - HABITS:
            raise ValueError(f"Unknown: {', '.join(sorted(unknown))}")
        for home in self.cloud.homes:
            for name, value in body.items():
                setattr(home, name, value)
        home = self.cloud.home
        return {name: getattr(home, name) for name in HABITS - {"lenient"}} | {
            "lenient": sorted(home.lenient)
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
