"""A device of the sandbox: what the cloud knows of it, and how to tamper with it."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final

from sandbox.errors import ApiError
from sandbox.kinds import Kind, is_older
from sandbox.physics import Physics
from sandbox.values import Json, iso, maybe_iso

from .actions import Action, Outcome
from .premises import Premises

TTL: Final = 15 * 60.0
EXPEDITED_TTL: Final = 60.0
STRATEGIES: Final = ("cancel_and_replace", "queue_after")


class _Removed:
    """Marks a key that an override takes away."""


REMOVE: Final = _Removed()


def merge(target: Json, override: Json) -> Json:
    """Return a body with some keys replaced or taken away."""
    merged = target | override
    return {key: value for key, value in merged.items() if value is not REMOVE}


class Device:
    """One device, as the cloud knows it, with its physics behind."""

    def __init__(
        self,
        home: Premises,
        kind: Kind,
        device_id: str,
        *,
        vendor: str,
        model: str | None,
        user: str,
        physics: Physics,
        commands: Json | None = None,
        settings: Json | None = None,
        read_only: frozenset[str] = frozenset(),
        strategies: list[str] | None = None,
        generation: str = "now",
    ) -> None:
        """Connect a device; its state is captured at once."""
        self.home = home
        self.kind = kind
        self.id = device_id
        self.vendor = vendor
        self.model = model
        self.user = user
        self.physics = physics
        self.commands = commands
        self.settings: Json = settings or {}
        self.read_only = read_only
        self.strategies = strategies
        self.generation = generation
        self.time_zone: str | None = None
        # Who wants to hear of connections and of the ends of actions.
        self.on_event: Callable[[str, Device, Action | None, float], None] | None = None

        self.actions: list[Action] = []
        self.standing_action: Action | None = None
        self.action_seconds: float | None = None
        self.next_outcomes: list[Outcome] = []
        self._native_scheduler: bool | str = False

        # What is merged over the body and its state, whatever was captured.
        self.state_override: Json = {}
        self.body_override: Json = {}
        # A documented body, given as it is.
        self.static_list: Json | None = None
        self.static_read: Json | None = None

        # In no list any more, though a read still finds it.
        self.unlisted = False
        self.offline_status = 400
        self._gone = False
        self._offline = False
        self._transient_fault: str | None = None
        self._credentials_refused: str | None = None

        self.captured: Json | None = None
        self.captured_settings: Json = {}
        self.captured_at: float | None = None
        self.sync_available = True
        self._cache_valid = True
        for name, setting in self.settings.items():
            physics.setting(name, setting["value"])
        self.capture_at(home.clock.time())

    # What a test or a demo turns on and off. The platform notices at once: the
    # next single read asks the manufacturer, however young the cache is.

    @property
    def gone(self) -> bool:
        """Whether the device is no longer connected to the account."""
        return self._gone

    @gone.setter
    def gone(self, gone: bool) -> None:
        """Disconnect or reconnect the device."""
        if gone != self._gone:
            self._gone = gone
            self._tell_connection(connected=not gone)

    @property
    def offline(self) -> bool:
        """Whether the manufacturer calls the device permanently offline."""
        return self._offline

    @offline.setter
    def offline(self, offline: bool) -> None:
        """Take the device offline or back."""
        self._offline = offline
        self.drop_cache()

    @property
    def transient_fault(self) -> str | None:
        """The transient trouble of the manufacturer, such as `TIMEOUT`."""
        return self._transient_fault

    @transient_fault.setter
    def transient_fault(self, fault: bool | str | None) -> None:
        """Bring trouble (true is `SERVICE_UNAVAILABLE`) or end it."""
        self._transient_fault = _word(fault, "SERVICE_UNAVAILABLE")
        self.drop_cache()

    @property
    def credentials_refused(self) -> str | None:
        """The code with which the manufacturer refuses the stored credentials."""
        return self._credentials_refused

    @credentials_refused.setter
    def credentials_refused(self, refused: bool | str | None) -> None:
        """Refuse (true is `INVALID_CREDENTIALS`) or accept the credentials."""
        before = self._credentials_refused
        self._credentials_refused = _word(refused, "INVALID_CREDENTIALS")
        self.drop_cache()
        if (before is None) != (self._credentials_refused is None):
            self._tell_connection(connected=self._credentials_refused is None)

    @property
    def native_scheduler(self) -> bool | str:
        """Whether the manufacturer's own scheduler is in the way, and with what.

        True is in the way of every push, as an older guide has it. A reason
        (`owner_schedule`, `third_party_schedule`, `earlier_action`) is in the way
        of windows only, and is told.
        """
        return self._native_scheduler

    @native_scheduler.setter
    def native_scheduler(self, active: bool | str) -> None:
        """Start or clear the manufacturer's scheduler."""
        self._native_scheduler = active
        if "scheduler_enabled" in self.settings:
            self.settings["scheduler_enabled"]["value"] = bool(active)

    def next_action(
        self,
        state: str = "completed",
        *,
        code: str | None = None,
        message: str | None = None,
        seconds: float | None = None,
    ) -> None:
        """Decide how the next action ends, and after how many seconds."""
        self.next_outcomes.append(
            Outcome(state=state, code=code, message=message, seconds=seconds)
        )

    def take_next_outcome(self) -> Outcome | None:
        """Take the outcome that was decided on."""
        return self.next_outcomes.pop(0) if self.next_outcomes else None

    # What the cloud knows.

    def capture(self) -> None:
        """Pull the device's state now, as a live call does."""
        self.home.settle()
        self.capture_at(self.home.clock.time())

    def capture_at(self, at: float) -> None:
        """Note the state of the device at a moment."""
        self.physics.advance(at)
        self.captured = self.physics.state()
        if is_older(self.generation):
            # The older shape has the cap nowhere in its reads.
            self.captured.pop("powerRateLimit", None)
        self.captured_settings = deepcopy(self.settings)
        self.captured_at = at
        self.sync_available = True
        self._cache_valid = True

    def show_at_once(self, at: float) -> None:
        """Capture what a push has changed, where its home does so."""
        if self.home.at_once and not (
            self._transient_fault or self._offline or self._credentials_refused
        ):
            self.capture_at(at)

    def drop_cache(self) -> None:
        """Have the next single read ask the manufacturer."""
        self._cache_valid = False

    def forget(self) -> None:
        """Lose what was captured, so that no tier has data."""
        self.captured = None
        self.captured_at = None
        self._cache_valid = False

    @property
    def taken_strategies(self) -> list[str]:
        """The conflict strategies that the device takes."""
        return list(STRATEGIES) if self.strategies is None else self.strategies

    def write_setting(self, name: str, value: Any) -> None:
        """Write a setting through to the device."""
        if name in self.settings:
            self.settings[name]["value"] = value
        self.physics.setting(name, value)

    def refuse_if_unreachable(self) -> None:
        """Raise what stands between the platform and the device."""
        if self._gone:
            raise ApiError("DEVICE_NOT_FOUND", "Device not found.")
        if self._credentials_refused is not None:
            raise ApiError(
                self._credentials_refused,
                "The manufacturer refused the stored credentials of this device.",
            )
        if self._offline:
            raise ApiError(
                "DEVICE_OFFLINE",
                "The device is currently offline at the manufacturer.",
                {},
                status=self.offline_status,
            )

    def tell(self, kind: str, action: Action | None, at: float) -> None:
        """Tell of an event."""
        if self.on_event is not None:
            self.on_event(kind, self, action, at)

    def _tell_connection(self, *, connected: bool) -> None:
        """Tell that the connection to the manufacturer came or went."""
        kind = "device.reconnected" if connected else "device.disconnected"
        self.tell(kind, None, self.home.clock.time())

    def list_body(self, now: float, *, environment: str) -> Any:
        """Return the device as a list shows it: as last captured."""
        source = "cache" if self.sync_available else "fallback"
        return self._body(
            now,
            source="projection" if environment == "sandbox" else source,
            cache_type=None,
            settings=self.home.settings_in_list,
            static=self.static_list,
        )

    def read_body(self, now: float, *, environment: str, expedite: bool) -> Any:
        """Return the device as a single read does: cache, live or last known."""
        if self._gone:
            raise ApiError("DEVICE_NOT_FOUND", "Device not found.")
        source = "cache"
        ttl = EXPEDITED_TTL if expedite else TTL
        fresh = (
            self._cache_valid
            and self.captured_at is not None
            and 0 <= now - self.captured_at < ttl
        )
        if not fresh:
            source = self._pull()
        return self._body(
            now,
            source="projection" if environment == "sandbox" else source,
            cache_type="expedited" if expedite else "normal",
            settings=True,
            static=self.static_read,
        )

    def _pull(self) -> str:
        """Call the manufacturer; return which tier answers."""
        self.home.live_calls[self.id] += 1
        self.refuse_if_unreachable()
        if self.static_read is not None:
            return "live"
        if self._transient_fault is not None:
            self.sync_available = False
            if self.captured is None:
                raise ApiError("DEVICE_NOT_FOUND", "No data for this device.")
            return "fallback"
        self.capture()
        return "live"

    def _body(
        self,
        now: float,
        *,
        source: str,
        cache_type: str | None,
        settings: bool,
        static: Json | None,
    ) -> Any:
        """Return the body of the device, with what overrides it."""
        if static is not None:
            body = dict(static)
            if self.actions:
                body["lastAction"] = self._last_action(now)
        else:
            body = self._known(now, source, cache_type, settings=settings)
        state = body.get("state")
        if self.state_override and isinstance(state, dict):
            body["state"] = merge(state, self.state_override)
        return merge(body, self.body_override) if self.body_override else body

    def _known(
        self, now: float, source: str, cache_type: str | None, *, settings: bool
    ) -> Json:
        """Return what was captured, in the shape of the device's generation."""
        metadata: Json = {"source": source}
        if self.model is not None:
            metadata = {"model": self.model} | metadata
        if cache_type is not None:
            metadata["cacheType"] = cache_type
        body: Json = {
            "id": self.id,
            "vendor": self.vendor,
            "sync": {
                "available": self.sync_available,
                "lastPulledAt": maybe_iso(self.captured_at),
            },
            "metadata": metadata,
        }
        if self.captured is not None:
            body["state"] = dict(self.captured)
        if self.generation == "oldest":
            metadata["cacheType"] = (
                "expedite" if cache_type == "expedited" else "normal"
            )
            body["features"] = self._features()
        if is_older(self.generation) or not self.kind.pushable:
            return body
        if self.commands is not None:
            body["commands"] = self.commands
        if settings and self.captured_settings:
            body["settings"] = self.captured_settings
        if self.strategies is not None:
            body["conflictStrategies"] = self.strategies
        body["lastAction"] = self._last_action(now)
        body["currentSchedule"] = None
        return body

    def _features(self) -> Json:
        """Return what the device can tell and take, as the oldest reads have it."""
        push = []
        for name, capability in (self.commands or {}).items():
            limits: Json = {}
            for bounds in capability["parameters"].values():
                limits = {key: bounds[key] for key in ("min", "max") if key in bounds}
                break
            push.append({"key": name, **limits})
        return {"pull": [{"key": key} for key in self.captured or {}], "push": push}

    def _last_action(self, now: float) -> Json | None:
        """Return the last action, as far as it got around."""
        known_at = now - self.home.last_action_lag
        for action in reversed(self.actions):
            if (summary := action.summary(known_at)) is not None:
                return summary
        return None

    def control_body(self) -> Json:
        """Return what the control routes tell of the device."""
        return {
            "id": self.id,
            "deviceType": self.kind.type,
            "vendor": self.vendor,
            "model": self.model,
            "user": self.user,
            "generation": self.generation,
            "state": self.captured,
            "settings": self.settings,
            "capturedAt": maybe_iso(self.captured_at),
            "stateOverride": {
                key: None if value is REMOVE else value
                for key, value in self.state_override.items()
            },
            "gone": self.gone,
            "unlisted": self.unlisted,
            "offline": self.offline,
            "transientFault": self.transient_fault,
            "credentialsRefused": self.credentials_refused,
            "nativeScheduler": self.native_scheduler,
            "liveCalls": self.home.live_calls[self.id],
            "actions": [action.id for action in self.actions],
            "now": iso(self.home.clock.time()),
        }


def _word(value: bool | str | None, usual: str) -> str | None:
    """Return a code: the usual one for true, none for false."""
    if isinstance(value, str):
        return value
    return usual if value else None
