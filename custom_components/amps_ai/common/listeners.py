"""Listeners: who wants to hear of something."""

from collections.abc import Callable
from functools import partial
from typing import Any

from homeassistant.core import CALLBACK_TYPE, callback


@callback
def _async_remove(callbacks: dict[int, Any], number: int) -> None:
    """Tell somebody nothing more."""
    del callbacks[number]


class Listeners[**P]:
    """Those who want to hear of one kind of thing, in the order they came."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._callbacks: dict[int, Callable[P, None]] = {}
        self._next_id = 0

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._callbacks)

    @callback
    def async_add(self, listener: Callable[P, None]) -> CALLBACK_TYPE:
        """Let somebody hear of it; returns how to end that."""
        number = self._next_id = self._next_id + 1
        self._callbacks[number] = listener
        # Smaller than a closure, and there are many.
        return partial(_async_remove, self._callbacks, number)

    @callback
    def async_call(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell everybody."""
        for listener in tuple(self._callbacks.values()):
            listener(*args, **kwargs)
