"""The cloud behind the API: accounts with their homes, faults, and a log."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Final, Unpack

from .account import Account, environment_of
from .clock import Clock
from .devices import Device, Habits
from .faults import Faults
from .homes import Event, Home, furnish
from .journal import Journal
from .kinds import Kind

TEST_KEY: Final = "sk_test_demo"
LIVE_KEY: Final = "sk_live_demo"
# The older form of the first one; it opens the same account.
SANDBOX_KEY: Final = "sk_sandbox_demo"


class Options(Habits, total=False):
    """What a cloud may be furnished with."""

    seed: int
    clock: Clock | None
    devices: int
    live_control: bool
    generation: str | None
    app_id: str


class Cloud:
    """Accounts with their homes, the faults on order, and a log of requests."""

    def __init__(
        self,
        home: str = "home",
        *,
        seed: int = 1,
        clock: Clock | None = None,
        devices: int = 250,
        live_control: bool = False,
        generation: str | None = None,
        app_id: str = "app_demo",
        **habits: Unpack[Habits],
    ) -> None:
        """Open the two usual accounts."""
        self.clock = clock or Clock.real()
        self.seed = seed
        self.app_id = app_id
        self.requests = Journal()
        self.faults = Faults()
        self.accounts: dict[str, Account] = {}
        self.events: deque[Event] = deque(maxlen=1000)
        # Who hears of events: parts of the sandbox, and whoever uses it.
        self.listeners: list[Callable[[Event], None]] = []
        self.on_event: Callable[[Event], None] | None = None
        self._url: str | None = None
        self._devices = devices
        self._habits = habits
        self._stop_listening = self.clock.on_move(self.settle)
        self.add_account(
            TEST_KEY,
            home=home,
            name="test",
            generation=generation,
            live_control=live_control,
        )
        self.add_account(
            LIVE_KEY,
            home=home,
            name="live",
            prefix="live_",
            generation=generation,
            live_control=live_control,
        )

    @property
    def url(self) -> str:
        """The base address, once somebody serves it."""
        if self._url is None:
            raise RuntimeError("The sandbox is not running")
        return self._url

    @property
    def home(self) -> Home:
        """The home of the sandbox account."""
        return self.accounts[TEST_KEY].home

    @property
    def live_home(self) -> Home:
        """The home of the live account."""
        return self.accounts[LIVE_KEY].home

    @property
    def homes(self) -> list[Home]:
        """All homes, each once."""
        return list({id(a.home): a.home for a in self.accounts.values()}.values())

    @property
    def action_seconds(self) -> float:
        """How long an action takes, where its device says nothing else."""
        return self.home.action_seconds

    @action_seconds.setter
    def action_seconds(self, seconds: float) -> None:
        """Let actions of all homes take longer or shorter."""
        self._habits["action_seconds"] = seconds
        for home in self.homes:
            home.action_seconds = seconds

    @property
    def lenient(self) -> frozenset[str]:
        """What the homes let pass though the documentation says otherwise."""
        return self.home.lenient

    @lenient.setter
    def lenient(self, lenient: Iterable[str]) -> None:
        """Be lenient in some ways: `queue`, `overlap`."""
        self._habits["lenient"] = lenient = frozenset(lenient)
        for home in self.homes:
            home.lenient = lenient

    @property
    def live_calls(self) -> Counter[str]:
        """How often the manufacturer was called, by device."""
        return sum((home.live_calls for home in self.homes), Counter())

    def add_account(
        self,
        key: str,
        *,
        home: str | Home | None = None,
        name: str | None = None,
        environment: str | None = None,
        generation: str | None = None,
        prefix: str = "",
        users: dict[str, str] | None = None,
        expired: bool = False,
        permissions: set[str] | None = None,
        live_enabled: bool = True,
        live_control: bool = False,
    ) -> Account:
        """Open an account; its key is good in the `amps_…` form too.

        `home` is the name of a home to furnish, a home that is there, or nothing
        for that of the sandbox account. `prefix` keeps device ids apart.
        """
        environment = environment or environment_of(key)
        if home is None:
            home = self.home
        if isinstance(home, str):
            home = Home(
                self.clock,
                name=home,
                seed=self.seed,
                generation=generation or "now",
                prefix=prefix,
                environment=environment,
                **self._habits,
            )
            furnish(home, self._devices)
            home.on_event = self._tell
        account = Account(
            key=key,
            name=name or key,
            home=home,
            environment=environment,
            generation=generation or home.generation,
            users=users or {},
            expired=expired,
            permissions=None if permissions is None else frozenset(permissions),
            live_enabled=live_enabled,
            live_control=live_control,
            app_id=self.app_id,
        )
        self.accounts[key] = account
        return account

    def account(self, name: str) -> Account:
        """Return an account by its key or its name."""
        for key, account in self.accounts.items():
            if name in (key, account.name, f"amps_{key}"):
                return account
        raise KeyError(name)

    def device(self, device_id: str, kind: Kind | str | None = None) -> Device:
        """Return a device of any home."""
        for home in self.homes:
            if (device := home.find(device_id, kind)) is not None:
                return device
        raise KeyError(device_id)

    def rate_limit(
        self, per_minute: int | None, style: str = "429", account: str | None = None
    ) -> None:
        """Limit the requests of each key, or lift the limit with none.

        The style is `429`, `401` (a bare `UNAUTHORIZED`) or `before`
        (`RATE_LIMIT_EXCEEDED` with 401).
        """
        for candidate in self.accounts.values():
            if account in (None, candidate.key, candidate.name):
                candidate.limit(self.clock, per_minute, style)

    def settle(self) -> None:
        """Let everything happen that is due by now."""
        for home in self.homes:
            home.settle()

    @property
    def next_due(self) -> float | None:
        """When the next thing happens by itself, as seconds since 1970."""
        due = [home.agenda.next_due for home in self.homes]
        return min((at for at in due if at is not None), default=None)

    def _tell(self, event: Event) -> None:
        """Pass an event on."""
        self.events.append(event)
        for listener in self.listeners:
            listener(event)
        if self.on_event is not None:
            self.on_event(event)
