"""Trouble of every kind, which begins at random and is taken back."""

import asyncio
from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from aiohttp import ClientError, ClientSession
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.const import CONF_API_KEY

from custom_components.amps_ai.common.const import CONF_FRESHNESS, CONF_WEBHOOK
from custom_components.amps_ai.readings.levels import LEVELS
from develop.bare_core import HOST
from sandbox import REMOVE, Device
from sandbox.kinds import KINDS
from sandbox.values import Json

from .figures import OWN
from .house import LIVELY, STEADY, House

type Lift = Callable[[], Awaitable[None]]

# Requests that a fault can meet, the whole API first.
_PATHS: Final = (
    "*",
    "*",
    "/battery",
    "/ev-charger",
    "/hvac",
    "/battery/*",
    "/ev-charger/*",
    "/hvac/*",
    "/actions*",
)
_BODIES: Final[tuple[Any, ...]] = (
    None,
    [],
    {},
    "odd",
    {"success": True},
    {"success": True, "data": None},
    {"success": True, "data": {"items": "none"}},
    {"success": False},
)
_FAILURES: Final = ("TIMEOUT", "NETWORK_ERROR", "UNKNOWN_ERROR", "RATE_LIMITED")


@dataclass(kw_only=True)
class Troublemaker:
    """Somebody who breaks things, and mends them."""

    house: House
    random: Random
    counts: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    # What devices were like when they were connected.
    commands: dict[str, Json | None] = field(default_factory=dict)
    settings: dict[str, Json] = field(default_factory=dict)
    # The devices that tell other than usual just now.
    changed: set[str] = field(default_factory=set)
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    away: asyncio.Lock = field(default_factory=asyncio.Lock)
    # Which device took whose place.
    successors: dict[str, str] = field(default_factory=dict)
    # The device that was chosen; None where all are met.
    met: str | None = None

    async def trouble(self, kind: str, seconds: float) -> None:
        """Make one kind of trouble, for so long."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        lift = await TROUBLES[kind](self)
        try:
            await asyncio.sleep(seconds)
        finally:
            await lift()

    def _device(self, *, steerable: bool = False) -> Device:
        devices = self.house.devices
        if steerable:
            devices = [device for device in devices if device.kind.pushable]
        device = self.random.choice(devices)
        self.met = device.id
        return device

    # Faults of requests

    async def _fault(self, **order: Any) -> Lift:
        fault = self.house.sandbox.faults.add(**order)

        async def _lift() -> None:
            self.house.sandbox.faults.remove(fault)

        return _lift

    def _path(self) -> str:
        return self.random.choice(_PATHS)

    def _times(self) -> int | None:
        return self.random.choice((None, None, 1, 3, 12))

    async def too_many(self) -> Lift:
        """Answer 429, with or without saying when to come again."""
        return await self._fault(
            path=self._path(),
            times=self._times(),
            code="RATE_LIMIT_EXCEEDED",
            retry_after=self.random.choice((None, 1, 30, 200)),
        )

    async def limit(self) -> Lift:
        """Limit the requests of both keys, in any of the styles."""
        style = self.random.choice(("429", "401", "before"))
        self.house.sandbox.rate_limit(self.random.choice((2, 6, 15)), style)

        async def _lift() -> None:
            self.house.sandbox.rate_limit(None)

        return _lift

    async def unauthorized(self) -> Lift:
        """Answer a burst with a bare 401."""
        return await self._fault(path="*", code="UNAUTHORIZED")

    async def key_refused(self) -> Lift:
        """Call the key of an account invalid, or expired."""
        account = self.house.sandbox.account(self.random.choice((STEADY, LIVELY)))
        if self.random.random() < 0.5:
            account.expired = True
        else:
            code = self.random.choice(("INVALID_API_KEY", "LIVE_ACCESS_DISABLED"))
            return await self._fault(path=self._path(), code=code)

        async def _lift() -> None:
            account.expired = False

        return _lift

    async def no_permission(self) -> Lift:
        """Take the permission to write."""
        account = self.house.sandbox.account(self.random.choice((STEADY, LIVELY)))
        account.permissions = frozenset({"read"})

        async def _lift() -> None:
            account.permissions = None

        return _lift

    async def server_error(self) -> Lift:
        """Answer with trouble of the server's own."""
        return await self._fault(
            path=self._path(),
            times=self._times(),
            code=self.random.choice(
                ("INTERNAL_ERROR", "SERVICE_UNAVAILABLE", "NETWORK_ERROR", "TIMEOUT")
            ),
        )

    async def slow(self) -> Lift:
        """Answer late, or too late."""
        delay = self.random.choice((4, 12, 25, 29.9, 45))
        return await self._fault(path=self._path(), times=self._times(), delay=delay)

    async def overtaken(self) -> Lift:
        """Hold answers that are made already, until others have overtaken them."""
        fault = self.house.sandbox.faults.add(
            method="GET",
            path=self._path(),
            times=self.random.choice((1, 3)),
            kind="hold_answer",
        )
        wait = self.random.choice((2, 8, 20))

        async def _let_go() -> None:
            for number in (1, 2, 3):
                await fault.reached(number)
                await asyncio.sleep(wait)
                fault.release()

        task = asyncio.create_task(_let_go(), name=OWN)

        async def _lift() -> None:
            task.cancel()
            self.house.sandbox.faults.remove(fault)

        return _lift

    async def dropped(self) -> Lift:
        """Hang up."""
        return await self._fault(path=self._path(), times=self._times(), kind="drop")

    async def spoiled(self) -> Lift:
        """Cut the answers, or put something else in their place."""
        order: dict[str, Any] = {
            "kind": self.random.choice(("cut", "cut_transfer", "html", "empty", "json"))
        }
        if order["kind"] in ("html", "empty"):
            order["status"] = self.random.choice((200, 302, 404, 502))
        elif order["kind"] == "json":
            order["body"] = self.random.choice(_BODIES)
        return await self._fault(path=self._path(), times=self._times(), **order)

    async def lies(self) -> Lift:
        """Lie about the pages of lists."""
        kind = self.random.choice(("lie_has_more", "shift_total", "shift_items"))
        return await self._fault(path=f"/{self._kind()}", kind=kind)

    async def endless(self) -> Lift:
        """Let the pages of a list never end, with the same ids or with others."""
        # Of short pages: a hundred long ones fill the process, which is the sandbox's
        # as well, with what no figure of memory could be seen beside.
        return await self._fault(
            path=f"/{self._kind()}",
            kind="endless",
            amount=self.random.choice((0, 1)),
            per_page=2,
        )

    async def answer_lost(self) -> Lift:
        """Lose the answers to pushes, settings and cancels that were done."""
        order = self.random.choice(
            (
                {"kind": "drop", "done": True},
                {"kind": "hang", "done": True},
                {"kind": "html", "status": 502, "done": True},
                {"kind": "redirect", "location": "/elsewhere", "done": True},
                {"kind": "empty", "status": 204, "done": True},
                {"kind": "without", "keys": ["id"]},
            )
        )
        return await self._fault(
            method="POST", times=self.random.choice((1, 3)), **order
        )

    async def clock_off(self) -> Lift:
        """Let the API's clock be ahead or behind, for one answer or for all."""
        seconds = self.random.choice((-86400, -7200, -90, 90, 7200, 86400))
        return await self._fault(
            path=self._path(), times=self._times(), kind="clock", seconds=seconds
        )

    async def pulled_ahead(self) -> Lift:
        """Let captures be of the future."""
        return await self._fault(
            path=self._path(),
            times=self._times(),
            kind="pulled",
            seconds=self.random.choice((90, 3600, 36000, 86400)),
        )

    async def partial(self) -> Lift:
        """Leave out what may be left out, or nearly all, or tell what was last known."""
        order = self.random.choice(
            (
                {"kind": "only", "keys": ["id", "state"]},
                {"kind": "without", "keys": ["commands", "settings", "lastAction"]},
                {"kind": "without", "keys": ["metadata", "vendor", "sync"]},
                {"kind": "without", "keys": ["state.currentPower", "state.chargeRate"]},
                {"kind": "fallback"},
            )
        )
        path = f"/{self._kind()}/*"
        return await self._fault(method="GET", path=path, times=self._times(), **order)

    async def odd_words(self) -> Lift:
        """Let words be odd, and without end."""
        word = self.random.choice(("?", "x" * 100_000, "one\n- two\x07"))
        body = {"state": {"status": word}, "metadata": {"source": word}}
        return await self._fault(
            method="GET", path=self._path(), kind="merge", body=body
        )

    async def two_lists(self) -> Lift:
        """Tell the devices of all types in the list of one that has none of them."""
        home = self.house.sandbox.account(LIVELY).home
        items = [{"id": device.id, "state": {}} for device in home.devices]
        return await self._fault(
            path=f"/{self._kind()}",
            times=self.random.choice((1, 3)),
            kind="json",
            body={"items": items, "pagination": {"hasMore": False}},
        )

    def _kind(self) -> str:
        return self.random.choice(KINDS).path

    async def server_away(self) -> Lift:
        """Take the whole server away."""
        sandbox = self.house.sandbox
        port = int(sandbox.url.rpartition(":")[2])
        await self.away.acquire()
        await sandbox.stop()

        async def _lift() -> None:
            try:
                await sandbox.start(HOST, port)
            finally:
                self.away.release()

        return _lift

    # Devices

    async def _attribute(self, device: Device, name: str, value: Any) -> Lift:
        usual = {"action_seconds": None, "credentials_refused": None}
        setattr(device, name, value)

        async def _lift() -> None:
            setattr(device, name, usual.get(name, False))

        return _lift

    async def offline(self) -> Lift:
        """Take a device offline."""
        return await self._attribute(self._device(), "offline", value=True)

    async def manufacturer(self) -> Lift:
        """Give a manufacturer passing trouble."""
        code = self.random.choice(_FAILURES)
        return await self._attribute(self._device(), "transient_fault", code)

    async def credentials(self) -> Lift:
        """Have a manufacturer refuse what is stored."""
        code = self.random.choice(
            ("INVALID_CREDENTIALS", "INVALID_API_KEY", "MFA_REQUIRED", "ACCOUNT_LOCKED")
        )
        return await self._attribute(self._device(), "credentials_refused", code)

    async def gone(self) -> Lift:
        """Disconnect a device, and connect it again later."""
        return await self._attribute(self._device(), "gone", value=True)

    async def unlisted(self) -> Lift:
        """Leave a device out of the lists, though a read finds it."""
        return await self._attribute(self._device(), "unlisted", value=True)

    async def own_schedule(self) -> Lift:
        """Start a manufacturer's own schedule."""
        device = self._device(steerable=True)
        return await self._attribute(device, "native_scheduler", value=True)

    async def takes_its_time(self) -> Lift:
        """Let a device's actions take long."""
        device = self._device(steerable=True)
        seconds = self.random.choice((0, 0.5, 8, 25, 100, 200))
        return await self._attribute(device, "action_seconds", seconds)

    async def fails(self) -> Lift:
        """Let the next actions of a device fail."""
        device = self._device(steerable=True)
        for _ in range(self.random.randint(1, 3)):
            device.next_action("failed", code=self.random.choice(_FAILURES))

        async def _lift() -> None:
            device.next_outcomes.clear()

        return _lift

    async def changes(self) -> Lift:
        """Let a device tell fewer commands, settings or fields."""
        device = self._device()
        self.changed.add(device.id)
        self.commands.setdefault(device.id, deepcopy(device.commands))
        self.settings.setdefault(device.id, deepcopy(device.settings))
        if device.commands and self.random.random() < 0.6:
            kept = self.random.sample(
                sorted(device.commands), k=max(1, len(device.commands) - 2)
            )
            device.commands = {name: device.commands[name] for name in kept}
        if device.settings and self.random.random() < 0.5:
            device.settings.pop(self.random.choice(sorted(device.settings)))
        if device.captured and self.random.random() < 0.6:
            field_name = self.random.choice(sorted(device.captured))
            device.state_override[field_name] = self.random.choice((REMOVE, None, "?"))
        device.drop_cache()

        async def _lift() -> None:
            self.restore(device)

        return _lift

    def restore(self, device: Device) -> None:
        """Let a device be as it was when it was connected."""
        self.changed.discard(device.id)
        device.state_override.clear()
        if device.id in self.commands:
            device.commands = deepcopy(self.commands[device.id])
            # What was written meanwhile, stays.
            device.settings = deepcopy(self.settings[device.id]) | device.settings
        device.drop_cache()

    async def replaced(self) -> Lift:
        """Put a new device, with an id of its own, in the place of another."""
        device = self._device()
        # One that is in trouble would be mended when it is not there any more.
        name = LIVELY if device.home.environment == "live" else STEADY
        home = self.house.sandbox.account(name).home
        home.remove_device(device.id, device.kind)
        new = home.add_device(
            device.kind,
            vendor=device.vendor,
            model=device.model,
            generation=device.generation,
        )
        self.successors[device.id] = new.id

        async def _lift() -> None:
            """Leave it: it is there for good."""

        return _lift

    async def malformed(self) -> Lift:
        """Put something into a list that is no device."""
        home = self.house.sandbox.account(STEADY).home
        kind = self.random.choice(KINDS)
        home.add_malformed(
            kind, self.random.choice(("text", 17, None, {"vendor": "x"}))
        )
        entry = home.entries(kind)[-1]

        async def _lift() -> None:
            home.entries(kind).remove(entry)

        return _lift

    # Home Assistant's side; the steady account is spared

    async def log_in_again(self) -> None:
        """Type the key again where Home Assistant asks for it and waits.

        While an entry is loaded, that question goes when the key is good again.
        """
        flows = self.house.hass.config_entries.flow
        for name, entry in self.house.entries.items():
            if entry.state is not ConfigEntryState.SETUP_ERROR:
                continue
            for flow in entry.async_get_active_flows(self.house.hass, {SOURCE_REAUTH}):
                key = self.house.sandbox.account(name).key
                await flows.async_configure(flow["flow_id"], {CONF_API_KEY: key})

    async def reloaded(self) -> Lift:
        """Reload the lively entry."""
        async with self.busy:
            entry = self.house.entries[LIVELY]
            await self.house.hass.config_entries.async_reload(entry.entry_id)

        async def _lift() -> None:
            """Leave it."""

        return _lift

    async def disabled(self) -> Lift:
        """Disable the lively entry, in the middle of whatever is under way."""
        await self._disable(ConfigEntryDisabler.USER)

        async def _lift() -> None:
            await self._disable(None)

        return _lift

    async def _disable(self, by: ConfigEntryDisabler | None) -> None:
        entry = self.house.entries[LIVELY]
        async with self.busy:
            await self.house.hass.config_entries.async_set_disabled_by(
                entry.entry_id, by
            )

    async def options(self) -> Lift:
        """Change the freshness of the lively entry, which reloads it."""
        level = self.random.choice(list(LEVELS))
        return await self._options(**{CONF_FRESHNESS: level})

    async def no_webhooks(self) -> Lift:
        """Switch the webhooks off for a while."""
        return await self._options(**{CONF_WEBHOOK: False})

    async def _options(self, **changes: Any) -> Lift:
        entry = self.house.entries[LIVELY]
        before = {CONF_FRESHNESS: "standard", CONF_WEBHOOK: True}
        async with self.busy:
            if entry.state is ConfigEntryState.LOADED:
                await self.house.change_options(entry, **changes)

        async def _lift() -> None:
            async with self.busy:
                await self.house.change_options(
                    entry, **{name: before[name] for name in changes}
                )

        return _lift

    async def no_polling(self) -> Lift:
        """Switch Home Assistant's polling off, which reloads the entry."""
        await self._polling(disabled=True)

        async def _lift() -> None:
            await self._polling(disabled=False)

        return _lift

    async def _polling(self, *, disabled: bool) -> None:
        entries = self.house.hass.config_entries
        entry = self.house.entries[LIVELY]
        async with self.busy:
            entries.async_update_entry(entry, pref_disable_polling=disabled)
            await entries.async_reload(entry.entry_id)

    # Webhooks

    async def webhooks_lost(self) -> Lift:
        """Lose some or all of what is to be told."""
        endpoint = self.house.endpoint
        assert endpoint is not None
        endpoint.events = frozenset(
            self.random.choice(((), ("push.failed",), ("device.disconnected",)))
        )

        async def _lift() -> None:
            endpoint.events = None

        return _lift

    async def webhooks_twice(self) -> Lift:
        """Deliver everything more than once, in another order, of the future."""
        endpoint = self.house.endpoint
        assert endpoint is not None
        endpoint.duplicates = self.random.choice((0, 1, 3))
        endpoint.copies = self.random.choice((0, 0, 5))
        endpoint.ahead = self.random.choice((0, 0, 3600, 31_536_000))
        endpoint.reorder = self.random.choice((0, 2, 4))

        async def _lift() -> None:
            endpoint.duplicates = endpoint.copies = endpoint.reorder = 0
            endpoint.ahead = 0
            self.house.sandbox.webhooks.release(endpoint)

        return _lift

    async def webhooks_forged(self) -> Lift:
        """Deliver what is not signed, or not for this house."""
        endpoint = self.house.endpoint
        assert endpoint is not None
        async with ClientSession() as session:
            for body in (b"", b"{}", b"x" * 100_000):
                try:
                    async with session.post(endpoint.url, data=body) as response:
                        status = response.status
                except ClientError:
                    continue
                loaded = self.house.entries[LIVELY].state is ConfigEntryState.LOADED
                switched_on = self.house.entries[LIVELY].options.get(CONF_WEBHOOK)
                if loaded and switched_on and status < 400:
                    self.broken.append(f"A forged webhook was answered {status}")

        async def _lift() -> None:
            """Leave it."""

        return _lift


TROUBLES: Final[dict[str, Callable[[Troublemaker], Awaitable[Lift]]]] = {
    "429": Troublemaker.too_many,
    "a rate limit": Troublemaker.limit,
    "a burst of 401": Troublemaker.unauthorized,
    "the key refused": Troublemaker.key_refused,
    "no permission to write": Troublemaker.no_permission,
    "5xx": Troublemaker.server_error,
    "slow or too late": Troublemaker.slow,
    "answers overtaken": Troublemaker.overtaken,
    "dropped": Troublemaker.dropped,
    "cut, HTML, empty, odd": Troublemaker.spoiled,
    "lies about pages": Troublemaker.lies,
    "pages without end": Troublemaker.endless,
    "answers lost": Troublemaker.answer_lost,
    "the API's clock off": Troublemaker.clock_off,
    "captures of the future": Troublemaker.pulled_ahead,
    "partial answers": Troublemaker.partial,
    "odd words": Troublemaker.odd_words,
    "ids in two lists": Troublemaker.two_lists,
    "the server away": Troublemaker.server_away,
    "a device offline": Troublemaker.offline,
    "a manufacturer's trouble": Troublemaker.manufacturer,
    "credentials refused": Troublemaker.credentials,
    "a device gone and back": Troublemaker.gone,
    "a device unlisted": Troublemaker.unlisted,
    "a manufacturer's schedule": Troublemaker.own_schedule,
    "slow actions": Troublemaker.takes_its_time,
    "failing actions": Troublemaker.fails,
    "other capabilities": Troublemaker.changes,
    "a device replaced": Troublemaker.replaced,
    "no device in a list": Troublemaker.malformed,
    "a reload": Troublemaker.reloaded,
    "the entry disabled": Troublemaker.disabled,
    "other options": Troublemaker.options,
    "webhooks off": Troublemaker.no_webhooks,
    "polling off": Troublemaker.no_polling,
    "webhooks lost": Troublemaker.webhooks_lost,
    "webhooks doubled": Troublemaker.webhooks_twice,
    "webhooks forged": Troublemaker.webhooks_forged,
}
# What must not be too frequent, or would leave nothing to be tapped.
RARE: Final = frozenset(
    {
        "the server away",
        "the key refused",
        "a device replaced",
        "polling off",
        "the entry disabled",
    }
)
# What keeps nobody from planning; some of it lasts for hours.
HARMLESS: Final = frozenset(
    {
        "webhooks off",
        "webhooks lost",
        "webhooks doubled",
        "webhooks forged",
        "polling off",
        "other options",
        "captures of the future",
    }
)
# What may last for hours, as it does.
LASTING: Final = frozenset(
    {
        "a device offline",
        "a device gone and back",
        "a device unlisted",
        "credentials refused",
        "a manufacturer's schedule",
        "other capabilities",
        "a manufacturer's trouble",
        "webhooks off",
        "polling off",
        "other options",
    }
)
