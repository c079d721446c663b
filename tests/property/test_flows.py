"""Whatever is typed: a form with an error, an end, or an entry."""

from collections.abc import Callable
from contextlib import suppress
import logging
from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigFlowContext,
    ConfigFlowResult,
)
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amps_ai.common.const import (
    CONF_APP_ID,
    CONF_FRESHNESS,
    CONF_USER_ID,
    CONF_WEBHOOK,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
)
from sandbox import TEST_KEY, Sandbox

from .helpers import SECRET, Checks
from .strategies import QUIET, anything, examples, texts

pytestmark = QUIET

# Nothing else in a log looks like this.
MARK = "zq7"

_typed = texts | st.text(max_size=40)
keys = (
    st.just(TEST_KEY)
    | _typed
    | st.builds("{}_{}_{}".format, st.just("sk_test"), st.just(MARK * 4), _typed)
)
# The id of a user is as secret as a key.
users = _typed.map(lambda text: f"{MARK * 4}{text}")
secrets = (
    st.just(SECRET) | _typed | st.builds("whsec_{}{}".format, st.just(MARK * 4), _typed)
)


@pytest.fixture(autouse=True)
def _reached(
    hass: HomeAssistant,
    sandbox: Sandbox,
    reach: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Let the flows find the sandbox, and log all that they do."""
    reach(sandbox.url)
    caplog.set_level(logging.DEBUG, "custom_components.amps_ai")


def _is_one(result: ConfigFlowResult, *types: FlowResultType) -> None:
    assert result["type"] in types
    for placeholder in (result.get("description_placeholders") or {}).values():
        assert isinstance(placeholder, str)


def _nothing_secret(caplog: pytest.LogCaptureFixture) -> None:
    formatter = logging.Formatter("%(name)s %(message)s")
    for record in caplog.records:
        assert MARK * 4 not in formatter.format(record)


@examples(80, slow=True)
@given(
    key=keys,
    app=_typed | st.just("app_demo"),
    user=st.none() | users,
    other=_typed,
)
async def test_set_up(
    hass: HomeAssistant,
    checks: Checks,
    caplog: pytest.LogCaptureFixture,
    key: str,
    app: str,
    user: str | None,
    other: str,
) -> None:
    data = {CONF_API_KEY: key, CONF_APP_ID: app}
    if user is not None:
        data[CONF_USER_ID] = user
    try:
        await _set_up(hass, data, other)
    finally:
        await _clear(hass)
    _nothing_secret(caplog)
    checks.all()


async def _set_up(hass: HomeAssistant, data: dict[str, str], other: str) -> None:
    """Go through the flow as far as it goes, and then type another key."""
    flows = hass.config_entries.flow
    result = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flows.async_configure(result["flow_id"], data)
    _is_one(
        result, FlowResultType.FORM, FlowResultType.MENU, FlowResultType.CREATE_ENTRY
    )
    if result["type"] is FlowResultType.MENU:
        result = await flows.async_configure(
            result["flow_id"], {"next_step_id": "look_again"}
        )
        _is_one(result, FlowResultType.MENU)
        result = await flows.async_configure(
            result["flow_id"], {"next_step_id": "go_on"}
        )
        _is_one(result, FlowResultType.CREATE_ENTRY)
    if result["type"] is FlowResultType.FORM:
        assert result["errors"]
        return
    await hass.async_block_till_done(wait_background_tasks=True)
    # Another account is typed where this one is, and taken only if it fits.
    context = ConfigFlowContext(
        source=SOURCE_RECONFIGURE, entry_id=result["result"].entry_id
    )
    result = await flows.async_init(DOMAIN, context=context)
    changed = {**data, CONF_API_KEY: f"{data[CONF_API_KEY]}{other}"}
    result = await flows.async_configure(result["flow_id"], changed)
    _is_one(result, FlowResultType.FORM, FlowResultType.ABORT)
    await hass.async_block_till_done(wait_background_tasks=True)


async def _clear(hass: HomeAssistant) -> None:
    """Leave nothing to the next example, also where this one failed."""
    for entry in hass.config_entries.async_entries(DOMAIN):
        await hass.config_entries.async_remove(entry.entry_id)
    for flow in hass.config_entries.flow.async_progress():
        hass.config_entries.flow.async_abort(flow["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)


@examples(30, slow=True)
@given(st.dictionaries(st.sampled_from((CONF_API_KEY, CONF_APP_ID)) | texts, anything))
async def test_not_what_the_form_has(
    hass: HomeAssistant, checks: Checks, data: dict[str, Any]
) -> None:
    """What cannot come out of the form, the form refuses."""
    flows = hass.config_entries.flow
    result = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    with suppress(InvalidData):
        result = await flows.async_configure(result["flow_id"], data)
        _is_one(result, FlowResultType.FORM)
    flows.async_abort(result["flow_id"])
    checks.log()


@examples(40, slow=True)
@given(
    secret=st.none() | secrets,
    webhook=st.booleans(),
    freshness=st.sampled_from(("relaxed", "standard", "fast", "live")) | texts,
    odd=st.none() | anything,
)
async def test_options(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    checks: Checks,
    caplog: pytest.LogCaptureFixture,
    secret: str | None,
    webhook: bool,
    freshness: str,
    odd: Any,
) -> None:
    flows = hass.config_entries.options
    result = await flows.async_init(loaded.entry_id)
    _is_one(result, FlowResultType.FORM)
    data: dict[str, Any] = {CONF_FRESHNESS: freshness, CONF_WEBHOOK: webhook}
    if secret is not None:
        data[CONF_WEBHOOK_SECRET] = secret
    if odd is not None:
        data[CONF_WEBHOOK] = odd
    with suppress(InvalidData):
        result = await flows.async_configure(result["flow_id"], data)
        _is_one(result, FlowResultType.FORM, FlowResultType.CREATE_ENTRY)
    for flow in flows.async_progress():
        flows.async_abort(flow["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    _nothing_secret(caplog)
    checks.all()
