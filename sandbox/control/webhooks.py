"""Control of webhooks: addresses, and what was sent to them."""

from typing import Any

from sandbox.values import Json
from sandbox.webhooks import KINDS, Endpoint, Webhooks


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
            if unknown := set(body) - {"secret", "duplicates", "reorder"}:
                raise ValueError(f"Unknown: {', '.join(sorted(unknown))}")
            if "secret" in body:
                endpoint.rotate(body["secret"])
            endpoint.duplicates = int(body.get("duplicates", endpoint.duplicates))
            endpoint.reorder = int(body.get("reorder", endpoint.reorder))
            return endpoint.as_json(), 200
        case "DELETE", [number]:
            webhooks.remove(webhooks.endpoint(int(number)))
            return {}, 200
        case "POST", [number, "send"]:
            return _send(webhooks, webhooks.endpoint(int(number)), **body), 202
    raise KeyError(f"route {method} webhooks/{'/'.join(rest)}")


def _send(webhooks: Webhooks, endpoint: Endpoint, *, kind: str, device: str) -> Json:
    """Tell of a device's connection by order, whether it is so or not."""
    if kind not in KINDS[2:]:
        raise ValueError(f"{kind} cannot be sent by order")
    found = webhooks.cloud.device(device)
    at = webhooks.cloud.clock.time()
    body = webhooks.body(kind, found, None, at, older=False)
    webhooks.send(endpoint, kind, body)
    return body
