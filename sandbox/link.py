"""The page where an end user connects the devices of a manufacturer."""

from html import escape
from typing import Final
from urllib.parse import unquote, urlencode

from aiohttp import web

from .catalogue import CATALOGUE
from .cloud import Cloud
from .devices import Device
from .doors import came_from_elsewhere
from .homes import USERS
from .kinds import BY_TYPE, KINDS

# No script runs here, and nothing is fetched from anywhere.
POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center;
  background: light-dark(#f2f5f3, #101613); color: light-dark(#16211b, #e6eeea); }
main { box-sizing: border-box; width: min(28rem, 100% - 2rem); margin: 2rem 0;
  padding: 2rem; border-radius: 1.25rem; background: light-dark(#fff, #1a231e);
  box-shadow: 0 1rem 3rem rgb(0 0 0 / 12%); }
h1 { margin: 0 0 .25rem; font-size: 1.4rem; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
.tag { display: inline-block; margin-left: .5rem; padding: 0 .6rem;
  border-radius: 1rem; background: #ffd766; color: #4a3500; font-size: .8rem;
  font-weight: 600; vertical-align: middle; }
.done { padding: .75rem 1rem; border-radius: .75rem; background:
  light-dark(#dff5e6, #1c3b28); }
.small { opacity: .7; font-size: .85rem; }
button { display: block; width: 100%; margin: .6rem 0; padding: .8rem 1rem;
  border: 1px solid light-dark(#cfdad3, #33433a); border-radius: .8rem;
  background: none; color: inherit; font: inherit; text-align: left;
  cursor: pointer; }
button:hover, button:focus-visible { border-color: #1d9a5b;
  background: light-dark(#f0faf4, #203029); }
button.chosen { border: 2px solid #1d9a5b; font-weight: 600; }
"""


class LinkPage:
    """The page under `/link/{appId}`."""

    def __init__(self, cloud: Cloud) -> None:
        """Connect devices to the accounts of a cloud."""
        self.cloud = cloud

    async def handle(self, request: web.Request) -> web.Response:
        """Show the page, or connect a device and show it again."""
        app_id = request.path.removeprefix("/link/").strip("/")
        if not app_id or "/" in app_id:
            return _page("Not found", "<h1>There is no such app</h1>", 404)
        wanted = request.query.get("deviceType")
        if wanted is not None and wanted not in BY_TYPE:
            return _page("Unknown", "<h1>This device type is not known</h1>", 400)
        most = request.query.get("maxDevices", "100")
        if not (most.isascii() and most.isdigit() and 1 <= int(most[:9]) <= 100):
            return _page("Unknown", "<h1>maxDevices must be 1 to 100</h1>", 400)
        match request.method:
            case "POST":
                return await self._connect(request)
            case "GET":
                return self._show(request, app_id, wanted)
        return web.Response(status=405, headers={"Allow": "GET, POST"})

    async def _connect(self, request: web.Request) -> web.Response:
        """Connect one more device of the chosen type."""
        if came_from_elsewhere(request):
            return _page("Refused", "<h1>This came from another page</h1>", 403)
        form = await request.post()
        lost = self._lost(request)
        if lost is not None and "again" in form:
            lost.gone = False
            lost.credentials_refused = None
            query = dict(request.query) | {"connected": lost.id}
            raise web.HTTPSeeOther(f"{request.path}?{urlencode(query)}")
        chosen = form.get("type")
        kind = BY_TYPE.get(chosen) if isinstance(chosen, str) else None
        if kind is None:
            return _page("Unknown", "<h1>This device type is not known</h1>", 400)
        sandbox = request.query.get("sandbox") == "true"
        home = self.cloud.account("test" if sandbox else "live").home
        models = CATALOGUE[kind.type]
        count = sum(device.kind is kind for device in home.devices)
        device = home.add_device(
            kind,
            model=models[count % len(models)],
            user=request.query.get("externalUserRef") or USERS[0],
        )
        query = dict(request.query) | {"connected": device.id}
        raise web.HTTPSeeOther(f"{request.path}?{urlencode(query)}")

    def _show(
        self, request: web.Request, app_id: str, wanted: str | None
    ) -> web.Response:
        """Show what can be connected."""
        query = {k: v for k, v in request.query.items() if k != "connected"}
        user = query.get("externalUserRef")
        tag = (
            '<span class="tag">Sandbox</span>' if query.get("sandbox") == "true" else ""
        )
        parts = [f"<h1>Connect your devices{tag}</h1>"]
        who = f" for {escape(user)}" if user else ""
        parts.append(f'<p class="small">App {escape(unquote(app_id))}{who}</p>')
        if (told := self._connected(request)) is not None:
            parts.append(f'<p class="done" role="status">{told}</p>')
        if wanted is not None:
            title = escape(BY_TYPE[wanted].title)
            parts.append(f"<p>Chosen device type: <b>{title}</b></p>")
        action = escape(f"{request.path}?{urlencode(query)}")
        parts.append(f'<form method="post" action="{action}">')
        if (lost := self._lost(request)) is not None:
            name = escape(f"{lost.vendor} {lost.model or ''}".strip())
            parts.append(
                f'<button name="again" class="chosen">Connect again: {name}</button>'
            )
        parts.extend(
            f'<button name="type" value="{kind.type}"'
            f"{' class="chosen"' if kind.type == wanted else ''}>"
            f"Connect: {escape(kind.title)}</button>"
            for kind in sorted(KINDS, key=lambda kind: kind.type != wanted)
        )
        parts.append("</form>")
        return _page("Connect your devices", "".join(parts))

    def _lost(self, request: web.Request) -> Device | None:
        """Return the device that is to be linked again, while it is lost."""
        device_id = request.query.get("reconnect")
        for home in self.cloud.homes:
            device = home.find(device_id) if device_id else None
            if device is not None and (device.gone or device.credentials_refused):
                return device
        return None

    def _connected(self, request: web.Request) -> str | None:
        """Say which device was connected just now."""
        device_id = request.query.get("connected")
        for home in self.cloud.homes:
            device = home.find(device_id) if device_id else None
            if device is not None:
                name = escape(f"{device.vendor} {device.model or ''}".strip())
                return f"Connected: <b>{name}</b>. You can close this page."
        return None


def _page(title: str, body: str, status: int = 200) -> web.Response:
    """Return a page."""
    return web.Response(
        status=status,
        text=(
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
            f"<body><main>{body}</main></body></html>"
        ),
        content_type="text/html",
        headers={"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"},
    )
