"""How soon a type's list is asked for again, and for how long it may fail.

Every minute is worth it only while lists bring what nobody here caused: single
reads tell the rest by themselves.
"""

from datetime import timedelta
from typing import Final

from homeassistant.core import callback

from ..api import DeviceType
from ..api.clock import Countdown
from ..common.const import GRACE, SCAN_INTERVAL, SCAN_INTERVAL_EMPTY

SLOWEST: Final = timedelta(minutes=5)
# Who else reads the devices does so every 15 minutes, as the API's cache lasts
# so long: then lists go on every minute; after failures, too.
BUSY: Final = timedelta(minutes=20)
# So long they do after a start, or what was done here.
HASTE: Final = timedelta(minutes=5)

_TYPES: Final = tuple(DeviceType)


class Pace:
    """Tell how long to wait between the lists of one type.

    The types are spread over the minute. They become slow one after the other,
    so that they are spread over the slowest interval too: then one of them soon
    notices when nothing can be reached any more.
    """

    def __init__(self, device_type: DeviceType) -> None:
        """Begin quick."""
        place = _TYPES.index(device_type) / len(_TYPES)
        self._ahead = SCAN_INTERVAL * place
        self._apart = SLOWEST * place
        # What waits for the next list: to come at this type's place in the minute.
        self._shift = self._ahead
        self._busy = Countdown(0)
        self.interval = SCAN_INTERVAL
        self.async_hurry()

    @callback
    def async_hurry(self, calm: timedelta = HASTE) -> bool:
        """Be quick until it was calm for so long.

        Tells whether the next list would be far away.
        """
        seconds = (calm + self._apart).total_seconds()
        if seconds > self._busy.left:
            self._busy = Countdown(seconds)
        if not SCAN_INTERVAL < self.interval <= SLOWEST:
            return False
        self.interval = SCAN_INTERVAL
        self._shift = self._ahead
        return True

    @callback
    def async_listed(self, is_worth_it: bool) -> timedelta:
        """Return how long to wait after a list, which may be worth little."""
        if not is_worth_it:
            self.interval = SCAN_INTERVAL_EMPTY
            return self.interval
        if self._busy or self.interval > SLOWEST:
            self.interval = SCAN_INTERVAL
        else:
            self.interval = min(2 * self.interval, SLOWEST)
        shift, self._shift = self._shift, timedelta()
        return self.interval - shift


class Grace:
    """Tell for how long what is known may be shown while no list comes.

    That is a few minutes from the last list, and at least as long as it takes
    to try again some times.
    """

    def __init__(self) -> None:
        """Begin with nothing that could be shown."""
        self._answered: Countdown | None = None
        self._failing: Countdown | None = None

    @property
    def left(self) -> float:
        """Return the seconds that are left."""
        if self._answered is None:
            return 0
        return max(self._answered.left, self._failing.left if self._failing else 0)

    def has_answered_since(self, at: float) -> bool:
        """Tell whether a list came after a moment that was marked."""
        return self._answered is not None and self._answered.began >= at

    @callback
    def async_answered(self) -> None:
        """Take note of a list."""
        self._answered = Countdown(GRACE.total_seconds())
        self._failing = None

    @callback
    def async_failed(self) -> None:
        """Take note that a list was due, and did not come."""
        if self._failing is None:
            self._failing = Countdown((GRACE - SCAN_INTERVAL).total_seconds())
