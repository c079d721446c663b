"""A local Amps API, for the demo, the tests and the benchmark."""

from .account import Account
from .clock import Clock
from .cloud import LIVE_KEY, SANDBOX_KEY, TEST_KEY
from .devices import REMOVE, Action, Device
from .faults import Fault
from .homes import Event, Home
from .journal import RequestRecord
from .server import PortTakenError, Sandbox
from .webhooks import Endpoint, Webhooks

__all__ = [
    "LIVE_KEY",
    "REMOVE",
    "SANDBOX_KEY",
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
