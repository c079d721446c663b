"""The customer accounts, and the keys that open them."""

from dataclasses import dataclass, field
from math import ceil

from .clock import Clock
from .devices import Device
from .errors import ApiError
from .homes import Home, Malformed

LIVE_PREFIXES = ("sk_live_", "amps_sk_live_")


def environment_of(key: str) -> str:
    """Return the environment that a key's prefix decides."""
    return "live" if key.startswith(LIVE_PREFIXES) else "sandbox"


@dataclass(kw_only=True)
class Bucket:
    """A token bucket, filled by the sandbox's clock."""

    per_minute: int
    style: str
    tokens: float
    filled_at: float

    def take(self, now: float) -> None:
        """Take a token, or refuse in the chosen style."""
        gained = max(0.0, now - self.filled_at) * self.per_minute / 60
        self.tokens = min(float(self.per_minute), self.tokens + gained)
        self.filled_at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return
        if self.style == "401":
            raise ApiError("UNAUTHORIZED", "Unauthorized.")
        wait = ceil((1 - self.tokens) * 60 / self.per_minute)
        raise ApiError(
            "RATE_LIMIT_EXCEEDED",
            "Too many requests.",
            {"retryAfter": wait},
            status=401 if self.style == "before" else 429,
            headers={"Retry-After": str(wait)} if self.style == "429" else {},
        )


@dataclass(eq=False, kw_only=True)
class Account:
    """A customer account: one home, and what its key may do."""

    key: str
    name: str
    home: Home
    environment: str
    generation: str = "now"
    # Whose device is whose, where it is not what the device itself says.
    users: dict[str, str] = field(default_factory=dict)
    expired: bool = False
    # None is everything; otherwise some of `read` and `write`.
    permissions: frozenset[str] | None = None
    live_enabled: bool = True
    # Whether live pushes reach EV chargers and HVAC too.
    live_control: bool = False
    app_id: str = "app_demo"
    bucket: Bucket | None = None

    def user_of(self, entry: Device | Malformed) -> str:
        """Return the end user a device belongs to."""
        if isinstance(entry, Device):
            return self.users.get(entry.id, entry.user)
        return entry.user

    def refuse_if_closed(self) -> None:
        """Raise what keeps the key from being used at all."""
        if self.expired:
            raise ApiError("EXPIRED_TOKEN", "The API key has expired.")
        if self.environment == "live" and not self.live_enabled:
            raise ApiError(
                "LIVE_ACCESS_DISABLED", "This account is not enabled for live access."
            )

    def need(self, permission: str) -> None:
        """Raise when the key lacks a permission."""
        if self.permissions is not None and permission not in self.permissions:
            raise ApiError(
                "INSUFFICIENT_PERMISSIONS",
                f"The API key lacks the permission `{permission}`.",
                {"requiredPermission": permission},
            )

    def limit(self, clock: Clock, per_minute: int | None, style: str) -> None:
        """Limit the requests of this key, or lift the limit."""
        if style not in ("429", "401", "before"):
            raise ValueError(f"There is no style {style!r}")
        if per_minute is not None and per_minute < 1:
            raise ValueError("A minute has one request at least; a fault refuses all")
        self.bucket = None
        if per_minute is not None:
            self.bucket = Bucket(
                per_minute=per_minute,
                style=style,
                tokens=float(per_minute),
                filled_at=clock.time(),
            )
