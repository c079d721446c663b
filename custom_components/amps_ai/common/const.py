"""Names and numbers that the whole integration shares."""

from datetime import timedelta
import logging
import os
from typing import Final

from ..api import API_URL, LINK_URL

DOMAIN: Final = "amps_ai"
# The form of an entry's data: it grows where old data must be rewritten.
ENTRY_VERSION: Final = 1
LOGGER: Final = logging.getLogger(__package__.rpartition(".")[0])

# Leads to the dashboard of Amps AI, with the keys, the app and the webhooks.
DOCS_URL: Final = "https://docs.amps.ai"

CONF_APP_ID: Final = "app_id"
CONF_USER_ID: Final = "user_id"

CONF_FRESHNESS: Final = "freshness"
# Whether a failure that comes after its call is told by a notification.
CONF_NOTIFY_FAILURES: Final = "notify_failures"
# Options; but the secret and the address in the cloud are in the data.
CONF_WEBHOOK: Final = "webhook"
CONF_WEBHOOK_SECRET: Final = "webhook_secret"
CONF_CLOUDHOOK_URL: Final = "cloudhook_url"

# The word that a device reported, where it is not a known one.
ATTR_REPORTED_STATUS: Final = "reported_status"

# Every end of an action, for automations and the logbook.
EVENT_ACTION: Final = f"{DOMAIN}_action"
# An occurrence of a plan is over and was not carried out: such an event, too.
STATE_MISSED: Final = "missed"
# A device's link to its manufacturer was lost, or is there again.
EVENT_LINK: Final = f"{DOMAIN}_link"

SCAN_INTERVAL: Final = timedelta(seconds=60)
SCAN_INTERVAL_EMPTY: Final = timedelta(minutes=10)
# How long a type keeps its last data while its list cannot be had.
GRACE: Final = timedelta(minutes=5)

# An account with more devices than this is hardly one home.
MANY_DEVICES: Final = 100


def api_url() -> str:
    """Return the address of the API, or of the sandbox that stands in."""
    return os.environ.get("AMPS_AI_API_URL") or API_URL


def link_base_url() -> str:
    """Return the address of the Link UI, or of the one that stands in."""
    return os.environ.get("AMPS_AI_LINK_URL") or LINK_URL
