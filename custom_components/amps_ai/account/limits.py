"""What an account may ask now: overload, and keys that are refused.

The account holds back as one. Too many requests are answered like a bad key
at times, so a bare refusal counts as overload until it is proven otherwise.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from homeassistant.util.hass_dict import HassKey

from ..api import AmpsError, AmpsInvalidKeyError, AmpsOverloadedError, AmpsServerError
from ..api.clock import Countdown, mark, passed
from ..common.const import DOMAIN

# The first wait after an overload, which doubles up to the longest.
_FIRST_WAIT: Final = timedelta(seconds=60)
_LONGEST_WAIT: Final = timedelta(minutes=15)
# With a refused key, the lists are asked for as seldom as this.
REFUSED_WAIT: Final = timedelta(minutes=10)
# Those who held back ask one after the other, so many seconds apart. A poll is
# planned from the last full second, and up to half a second later: with more
# than these, nobody comes before their turn.
_TURN: Final = 2
# A bare refusal is the key's fault after so many rounds over so long a time,
# and a last request that nothing else went along with.
_ROUNDS: Final = 5
_ROUNDS_LAST: Final = timedelta(minutes=10)


@dataclass(slots=True, eq=False, repr=False)
class Limits:
    """Keep what stands between an account and its next request."""

    # The last time that too much was asked; marks of the clock.
    overloaded_at: float | None = None
    _pause: Countdown | None = None
    # Trouble of the service that it holds back for, if that is the reason.
    _trouble: int | None = None
    _since: float | None = None
    _wait: timedelta = field(default=_FIRST_WAIT)
    # Bare refusals: how many rounds of them, since when, and who asks alone.
    _rounds: int = 0
    _doubted_since: float | None = None
    _prober: str | None = None
    # Who was told that the key is no good.
    _refused: set[str] = field(default_factory=set)
    # When each of those who poll was answered or refused last.
    _turns: dict[str, float] = field(default_factory=dict)

    @property
    def remaining(self) -> float:
        """Return the seconds until anything may be asked, 0 for now."""
        return self._pause.left if self._pause else 0

    @property
    def is_open(self) -> bool:
        """Tell whether those may ask who do not poll.

        After a refusal they wait until one who polls was answered: they would
        else be refused first, again and again, and nobody find out why. A
        refused key is sent as seldom as can be.
        """
        return self._since is None and not self.remaining and not self.key_refused

    @property
    def key_refused(self) -> bool:
        """Tell whether the key is known to be no good."""
        return bool(self._refused)

    def as_dict(self) -> dict[str, Any]:
        """Return the state, for diagnostics."""
        return {
            "holds_back_for": round(self.remaining),
            "next_wait": self._wait.total_seconds(),
            "bare_refusals": self._rounds,
            "doubted_for": self._doubted_since and round(passed(self._doubted_since)),
            "key_refused_by": sorted(self._refused),
        }

    def wait(self, asker: str) -> float:
        """Return the seconds that one who polls has to wait, 0 for none.

        When only one more answer is missing to prove a key bad, one asks
        alone, so that it cannot be a burst.
        """
        if remaining := self.remaining:
            return remaining
        if self._is_doubtful and not self._refused:
            self._prober = self._prober or asker
            if self._prober != asker:
                return _FIRST_WAIT.total_seconds()
        return 0

    @property
    def _is_doubtful(self) -> bool:
        return (
            self._rounds >= _ROUNDS
            and self._doubted_since is not None
            and passed(self._doubted_since) >= _ROUNDS_LAST.total_seconds()
        )

    def answered(self, asker: str, asked_at: float) -> bool:
        """Take note of an answer; tell whether a refused key is good again.

        An answer to a request that went out before a refusal came says
        nothing against the refusal.
        """
        self._turns[asker] = mark()
        if self._since is None or asked_at > self._since:
            self._pause = self._since = None
            self._wait = _FIRST_WAIT
            self._rounds = 0
            self._doubted_since = self._prober = None
        was_refused = bool(self._refused)
        self._refused.discard(asker)
        return was_refused and not self._refused

    def refused(self, err: AmpsError, asker: str | None = None) -> None:
        """Take note of an error that concerns the account as a whole.

        Only those who poll can tell that a key is no good, as only they can
        tell that it is good again.
        """
        if asker is not None:
            self._turns[asker] = mark()
        if isinstance(err, AmpsInvalidKeyError):
            if asker is not None:
                self._refused.add(asker)
        elif isinstance(err, AmpsOverloadedError) or (
            isinstance(err, AmpsServerError) and err.retry_after
        ):
            self._overloaded(err, asker)

    def _overloaded(self, err: AmpsError, asker: str | None) -> None:
        now = mark()
        new_round = not self.remaining
        if err.retry_after is not None:
            if err.retry_after > self.remaining:
                self._pause = Countdown(err.retry_after)
        elif new_round:
            self._pause = Countdown(self._wait.total_seconds())
            self._wait = min(self._wait * 2, _LONGEST_WAIT)
        self._since = self.overloaded_at = now
        is_overload = isinstance(err, AmpsOverloadedError)
        self._trouble = None if is_overload else err.status
        if err.status != HTTPStatus.UNAUTHORIZED or err.code not in {
            None,
            "UNAUTHORIZED",
        }:
            return
        if asker is not None and self._prober == asker and self._is_doubtful:
            self._refused.add(asker)
        elif new_round:
            self._rounds += 1
            self._doubted_since = self._doubted_since or now

    def held(self, wait: float, asker: str) -> float:
        """Return after how many seconds to ask again.

        The next poll is planned from the last full second: without one more, it
        would come before its time, again and again. Who had a turn longest ago
        is first: else one that is refused for good could be the first each
        time, and the data of all others would grow old.
        """
        last = self._turns.get(asker, 0)
        before = sum(turn < last for turn in self._turns.values())
        return wait + 1 + before * _TURN

    def held_back(self) -> AmpsError:
        """Return what is told instead of asking, while the account holds back."""
        if self._trouble is not None:
            return AmpsServerError("the service has trouble", status=self._trouble)
        return AmpsOverloadedError("the account asked too much")


# By entry: the key, and what a set-up that came to nothing was told of it.
LIMITS: Final[HassKey[dict[str, tuple[str, Limits]]]] = HassKey(f"{DOMAIN}_limits")
