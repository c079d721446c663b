"""Control of webhooks: addresses, and what was sent to them."""

from typing import Any, Final

from sandbox.values import Json
from sandbox.webhooks import Webhooks

COUNTS: Final = frozenset({"duplicates", "reorder", "copies"})
TIMES: Final = frozenset({"ahead", "signed_ahead"})


def dispatch(
    webhooks: Webhooks, method: str, rest: list[str], body: Any
) -> tuple[Json, int]:
    """Answer a control request: addresses, and what was sent to them."""
    match method, rest:
        case "GET", []:
            return {"items": [entry.as_json() for entry in webhooks.endpoints]}, 200
        case "POST", []:
            added = webhooks.add(**body)
            # As in a dashboard, the secret is shown once.
            return added.as_json() | {"secret": added.secrets[0]}, 201
        case "DELETE", []:
            for entry in tuple(webhooks.endpoints):
                webhooks.remove(entry)
            return {}, 200
        case "GET", ["attempts"]:
            return {"items": [entry.as_json() for entry in webhooks.attempts]}, 200
        case "PATCH", [number]:
            endpoint = webhooks.endpoint(int(number))
            if unknown := set(body) - {"secret", *COUNTS, *TIMES}:
                raise ValueError(f"Unknown: {', '.join(sorted(unknown))}")
            if "secret" in body:
                endpoint.rotate(body["secret"])
            for name in COUNTS & body.keys():
                setattr(endpoint, name, int(body[name]))
            for name in TIMES & body.keys():
                setattr(endpoint, name, float(body[name]))
            return endpoint.as_json(), 200
        case "DELETE", [number]:
            webhooks.remove(webhooks.endpoint(int(number)))
            return {}, 200
        case "POST", [number, "send"]:
            return webhooks.order(webhooks.endpoint(int(number)), **body), 202
    raise KeyError(f"route {method} webhooks/{'/'.join(rest)}")
