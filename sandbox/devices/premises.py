"""What all devices of a home share."""

from collections import Counter
from collections.abc import Iterable
from typing import Final, TypedDict

from sandbox.agenda import Agenda
from sandbox.clock import Clock

# What a home may let pass that the documentation does not:
# `queue`: `queue_after` waits for an action that has no end, until it is over;
# `overlap`: a device may have many actions that have not ended, as long as their
# times do not touch.
LENIENCIES: Final = frozenset({"queue", "overlap"})


class Habits(TypedDict, total=False):
    """How the cloud behind a home behaves, where it is not as usual."""

    time_zone: str
    action_seconds: float
    push_shows_at_once: bool
    settings_in_list: bool
    last_action_lag: float
    lenient: Iterable[str]
    guests: bool


class Premises:
    """Where devices are: their clock, their agenda, and the habits of their cloud."""

    def __init__(
        self,
        clock: Clock,
        *,
        environment: str = "sandbox",
        time_zone: str = "Europe/Berlin",
        action_seconds: float = 4.0,
        push_shows_at_once: bool = True,
        settings_in_list: bool = False,
        last_action_lag: float = 0.0,
        lenient: Iterable[str] = (),
        guests: bool = True,
    ) -> None:
        """Begin with nothing to come."""
        self.clock = clock
        self.environment = environment
        self.time_zone = time_zone
        self.action_seconds = action_seconds
        self.push_shows_at_once = push_shows_at_once
        self.settings_in_list = settings_in_list
        self.last_action_lag = last_action_lag
        self.lenient = lenient
        # Whether a car that no cloud knows comes to the chargers by day.
        self.guests = guests
        self.agenda = Agenda()
        self.live_calls: Counter[str] = Counter()

    @property
    def lenient(self) -> frozenset[str]:
        """What is let pass though the documentation says otherwise."""
        return self._lenient

    @lenient.setter
    def lenient(self, lenient: Iterable[str]) -> None:
        """Be lenient in some ways, and as strict as documented in all others."""
        if unknown := set(lenient) - LENIENCIES:
            raise ValueError(f"There is no leniency {', '.join(sorted(unknown))}")
        self._lenient = frozenset(lenient)

    @property
    def at_once(self) -> bool:
        """Whether a push works and is captured at once, as the real sandbox does."""
        return self.environment == "sandbox" and self.push_shows_at_once

    def settle(self) -> None:
        """Let everything happen that is due by now."""
        self.agenda.settle(self.clock.time())
