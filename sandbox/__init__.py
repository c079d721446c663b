"""A local Amps API, for the demo, the tests and the benchmark."""

from .account import Account
from .actions import Action
from .clock import Clock
from .devices import REMOVE, Device
from .faults import Fault
from .homes import Event, Home
from .journal import RequestRecord
from .server import LIVE_KEY, TEST_KEY, PortTakenError, Sandbox
from .webhooks import Endpoint, Webhooks

__all__ = [
    "LIVE_KEY",
    "REMOVE",
    "TEST_KEY",
    "Account",
    "Action",
    "Clock",
    "Device",
    "Endpoint",
    "Event",
    "Fault",
    "Home",
    "PortTakenError",
    "RequestRecord",
    "Sandbox",
    "Webhooks",
]
