"""The set-up of an account and its mending, from the first form to the entry."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
import logging
import socket
from typing import Any

from aiohttp import ClientTimeout
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amps_ai.api import AmpsClient, DeviceType
from custom_components.amps_ai.common.const import CONF_APP_ID, CONF_USER_ID, DOMAIN
from sandbox import LIVE_KEY, TEST_KEY, Sandbox

APP_ID = "app_demo"
USER = "user_abc123"
OTHER_USER = "anna@example.org"
OTHER_KEY = "sk_test_other"

ACCOUNT = {CONF_API_KEY: TEST_KEY, CONF_APP_ID: APP_ID}
PATHS = [device_type.path for device_type in DeviceType]

type Order = Callable[[Sandbox, pytest.MonkeyPatch], None]


@pytest.fixture(autouse=True)
def nothing_secret_logged(caplog: pytest.LogCaptureFixture) -> Generator[None]:
    """Fail where a key or a user id stands in the log, however verbose it is."""
    caplog.set_level(logging.DEBUG)
    yield
    formatter = logging.Formatter("%(name)s %(message)s")
    records = caplog.get_records("call")
    assert any(record.name.startswith("custom_components") for record in records)
    for record in records:
        line = formatter.format(record)
        for secret in ("sk_test", "sk_live", USER, OTHER_USER, "anna%40example.org"):
            assert secret not in line


# How a flow is begun, and what its steps are given.


async def _begin(hass: HomeAssistant) -> ConfigFlowResult:
    """Open the first form."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "user"
    assert not result["errors"]
    assert result["description_placeholders"] == {"docs_url": "https://docs.amps.ai"}
    return result


async def _answer(
    hass: HomeAssistant, result: ConfigFlowResult, **answer: str
) -> ConfigFlowResult:
    """Answer the step at hand, and wait for what comes of it."""
    result = await hass.config_entries.flow.async_configure(result["flow_id"], answer)
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


async def _fill(hass: HomeAssistant, **typed: str) -> ConfigFlowResult:
    """Open the first form and fill it in; what is not given is as usual."""
    return await _answer(hass, await _begin(hass), **{**ACCOUNT, **typed})


async def _created(hass: HomeAssistant, **typed: str) -> Any:
    """Return the entry that the first form leads to at once."""
    result = await _fill(hass, **typed)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    return result["result"]


def _is_form(result: ConfigFlowResult, step_id: str, **errors: str) -> bool:
    return (
        result["type"] is FlowResultType.FORM
        and result["step_id"] == step_id
        and result["errors"] == errors
    )


def _is_abort(result: ConfigFlowResult, reason: str) -> bool:
    return result["type"] is FlowResultType.ABORT and result["reason"] == reason


def _suggested(result: ConfigFlowResult) -> dict[str, Any]:
    """Return what the fields of a form are filled with beforehand."""
    schema = result["data_schema"]
    assert schema is not None
    return {
        str(marker): marker.description["suggested_value"]
        for marker in schema.schema
        if marker.description and "suggested_value" in marker.description
    }


# What can go wrong, and how a form says so.


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Trouble on order, and the error that a form shows."""

    order: Order
    error: str
    field: str = "base"


def _fault(**fault: Any) -> Order:
    """Return an order of the same fault for every request."""

    def _order(sandbox: Sandbox, _: pytest.MonkeyPatch) -> None:
        sandbox.faults.add(**fault)

    return _order


def _refused(code: str, status: int) -> Order:
    return _fault(code=code, status=status)


def _unreachable(_: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the API be where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("AMPS_AI_API_URL", f"http://127.0.0.1:{port}")


def _silent(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer later than a client waits that has little patience."""
    defaults = AmpsClient.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "timeout", ClientTimeout(total=0.1))
    sandbox.faults.add(delay=20)


def _broken(_: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client fail as nothing outside of it can make it fail."""

    async def _fail(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake in the code")

    monkeypatch.setattr(AmpsClient, "async_count_devices", _fail)
    monkeypatch.setattr(AmpsClient, "async_list_devices", _fail)


TROUBLES = {
    "unknown key": Trouble(
        order=_refused("INVALID_API_KEY", 401),
        error="invalid_auth",
        field=CONF_API_KEY,
    ),
    "expired key": Trouble(
        order=_refused("EXPIRED_TOKEN", 401), error="invalid_auth", field=CONF_API_KEY
    ),
    "unreachable": Trouble(order=_unreachable, error="cannot_connect"),
    "hung up": Trouble(order=_fault(kind="drop"), error="cannot_connect"),
    "web page": Trouble(order=_fault(kind="html", status=200), error="cannot_connect"),
    "proxy's page": Trouble(
        order=_fault(kind="html", status=502), error="cannot_connect"
    ),
    "empty": Trouble(order=_fault(kind="empty"), error="cannot_connect"),
    "other JSON": Trouble(
        order=_fault(kind="json", body=["hello"]), error="cannot_connect"
    ),
    "no such route": Trouble(
        order=_fault(kind="html", status=404), error="cannot_connect"
    ),
    "redirect": Trouble(order=_fault(kind="empty", status=302), error="cannot_connect"),
    "cut": Trouble(order=_fault(kind="cut"), error="cannot_connect"),
    "cut short": Trouble(order=_fault(kind="cut_transfer"), error="cannot_connect"),
    "silent": Trouble(order=_silent, error="cannot_connect"),
    "internal": Trouble(order=_refused("INTERNAL_ERROR", 500), error="cannot_connect"),
    "no service": Trouble(
        order=_fault(kind="empty", status=503), error="cannot_connect"
    ),
    "no permission": Trouble(
        order=_refused("INSUFFICIENT_PERMISSIONS", 403),
        error="insufficient_permissions",
        field=CONF_API_KEY,
    ),
    "bare 403": Trouble(
        order=_fault(kind="empty", status=403),
        error="insufficient_permissions",
        field=CONF_API_KEY,
    ),
    "not live": Trouble(
        order=_refused("LIVE_ACCESS_DISABLED", 403),
        error="live_access_disabled",
        field=CONF_API_KEY,
    ),
    "429": Trouble(
        order=_fault(code="RATE_LIMIT_EXCEEDED", status=429, retry_after=30),
        error="rate_limited",
    ),
    "401 of a burst": Trouble(
        order=_refused("UNAUTHORIZED", 401), error="rate_limited"
    ),
    "older 401 of a burst": Trouble(
        order=_refused("RATE_LIMIT_EXCEEDED", 401), error="rate_limited"
    ),
    "refused": Trouble(order=_refused("VALIDATION_ERROR", 400), error="unknown"),
    "mistake": Trouble(order=_broken, error="unknown"),
}


@pytest.fixture(params=TROUBLES)
def trouble(request: pytest.FixtureRequest) -> Trouble:
    """Return all troubles, one by one."""
    name: str = request.param
    return TROUBLES[name]


def _over(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all trouble be over."""
    monkeypatch.undo()
    monkeypatch.setenv("AMPS_AI_API_URL", sandbox.url)
    monkeypatch.setenv("AMPS_AI_LINK_URL", f"{sandbox.url}/link")
    sandbox.faults.clear()


# The first form.


@dataclass(frozen=True, kw_only=True)
class Success:
    """What is typed, and the entry that comes of it."""

    typed: dict[str, str]
    unique_id: str
    title: str
    data: dict[str, str] = field(default_factory=dict)


SUCCESSES = {
    "sandbox": Success(
        typed=ACCOUNT, unique_id=f"sandbox:{APP_ID}:*", title="Amps AI (sandbox)"
    ),
    "live": Success(
        typed={**ACCOUNT, CONF_API_KEY: LIVE_KEY},
        unique_id=f"live:{APP_ID}:*",
        title="Amps AI",
    ),
    "longer prefix, sandbox": Success(
        typed={**ACCOUNT, CONF_API_KEY: f"amps_{TEST_KEY}"},
        unique_id=f"sandbox:{APP_ID}:*",
        title="Amps AI (sandbox)",
    ),
    "longer prefix, live": Success(
        typed={**ACCOUNT, CONF_API_KEY: f"amps_{LIVE_KEY}"},
        unique_id=f"live:{APP_ID}:*",
        title="Amps AI",
    ),
    "one user": Success(
        typed={**ACCOUNT, CONF_USER_ID: USER},
        unique_id=f"sandbox:{APP_ID}:{USER}",
        title="Amps AI (sandbox)",
    ),
    "one live user, by e-mail": Success(
        typed={
            CONF_API_KEY: LIVE_KEY,
            CONF_APP_ID: "app_2",
            CONF_USER_ID: OTHER_USER,
        },
        unique_id=f"live:app_2:{OTHER_USER}",
        title="Amps AI",
    ),
    "space": Success(
        typed={
            CONF_API_KEY: f" {TEST_KEY}\n",
            CONF_APP_ID: f"\t{APP_ID} ",
            CONF_USER_ID: f" {USER}  ",
        },
        unique_id=f"sandbox:{APP_ID}:{USER}",
        title="Amps AI (sandbox)",
        data={**ACCOUNT, CONF_USER_ID: USER},
    ),
    "only space for a user": Success(
        typed={**ACCOUNT, CONF_USER_ID: "  "},
        unique_id=f"sandbox:{APP_ID}:*",
        title="Amps AI (sandbox)",
        data=ACCOUNT,
    ),
}


@pytest.mark.parametrize("home", ["two"])
@pytest.mark.parametrize("success", SUCCESSES.values(), ids=SUCCESSES)
async def test_success(hass: HomeAssistant, success: Success) -> None:
    result = await _answer(hass, await _begin(hass), **success.typed)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == success.title
    assert result["data"] == (success.data or success.typed)
    entry = result["result"]
    assert entry.unique_id == success.unique_id
    assert entry.options == {}
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize(
    ("key", "environment", "generation", "unique_id", "title"),
    [
        ("sk_test_x", "live", "now", f"live:{APP_ID}:*", "Amps AI"),
        ("sk_live_x", "sandbox", "now", f"sandbox:{APP_ID}:*", "Amps AI (sandbox)"),
        # A bare reply does not tell: the key has to.
        ("sk_live_x", "sandbox", "before", f"live:{APP_ID}:*", "Amps AI"),
        ("amps_sk_live_x", "sandbox", "before", f"live:{APP_ID}:*", "Amps AI"),
        (
            "sk_test_x",
            "live",
            "before",
            f"sandbox:{APP_ID}:*",
            "Amps AI (sandbox)",
        ),
        (
            "amps_sk_test_x",
            "live",
            "before",
            f"sandbox:{APP_ID}:*",
            "Amps AI (sandbox)",
        ),
    ],
)
async def test_environment(
    hass: HomeAssistant,
    sandbox: Sandbox,
    key: str,
    environment: str,
    generation: str,
    unique_id: str,
    title: str,
) -> None:
    """The API's word on the environment counts; without it, the key's prefix."""
    sandbox.add_account(
        key.removeprefix("amps_"), environment=environment, generation=generation
    )
    entry = await _created(hass, **{CONF_API_KEY: key})
    assert (entry.unique_id, entry.title) == (unique_id, title)


async def test_only_counts_what_is_there(hass: HomeAssistant, sandbox: Sandbox) -> None:
    """Without another entry there is no need to read whole lists."""
    result = await _begin(hass)
    sandbox.faults.add(path="/*/*", code="INTERNAL_ERROR")
    await _answer(hass, result, **ACCOUNT, **{CONF_USER_ID: USER})
    first = sandbox.requests.lists()[:5]
    assert sorted(request.path for request in first) == sorted(
        f"/{path}" for path in PATHS
    )
    for request in first:
        assert request.query == {"offset": "0", "limit": "1", "userId": USER}


@pytest.mark.parametrize("missing", [CONF_API_KEY, CONF_APP_ID])
async def test_only_space(hass: HomeAssistant, sandbox: Sandbox, missing: str) -> None:
    """A needed field of nothing but space is told at the field, and not sent."""
    result = await _fill(hass, **{missing: "   "})
    assert _is_form(result, "user", **{missing: "required"})
    assert not sandbox.requests.total
    result = await _answer(hass, result, **ACCOUNT)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_both_only_space(hass: HomeAssistant) -> None:
    result = await _fill(hass, **{CONF_API_KEY: " ", CONF_APP_ID: "\t"})
    assert _is_form(
        result, "user", **{CONF_API_KEY: "required", CONF_APP_ID: "required"}
    )
    result = await _answer(hass, result, **ACCOUNT)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("missing", [CONF_API_KEY, CONF_APP_ID])
async def test_needed_fields(hass: HomeAssistant, missing: str) -> None:
    result = await _begin(hass)
    typed = {name: value for name, value in ACCOUNT.items() if name != missing}
    with pytest.raises(InvalidData):
        await _answer(hass, result, **typed)
    await _answer(hass, result, **ACCOUNT)


async def test_trouble(
    hass: HomeAssistant,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Trouble,
) -> None:
    """Every trouble is told in words, and the flow goes on after it."""
    result = await _begin(hass)
    trouble.order(sandbox, monkeypatch)
    result = await _answer(hass, result, **ACCOUNT, **{CONF_USER_ID: USER})
    assert _is_form(result, "user", **{trouble.field: trouble.error})
    # Nobody has to type all of it again.
    assert _suggested(result) == {**ACCOUNT, CONF_USER_ID: USER}
    assert not hass.config_entries.async_entries(DOMAIN)

    _over(sandbox, monkeypatch)
    result = await _answer(hass, result, **ACCOUNT, **{CONF_USER_ID: USER})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].state is ConfigEntryState.LOADED


async def test_wrong_key(hass: HomeAssistant) -> None:
    """A key that nobody has, and then the right one."""
    result = await _fill(hass, **{CONF_API_KEY: "sk_test_mistyped"})
    assert _is_form(result, "user", **{CONF_API_KEY: "invalid_auth"})
    result = await _answer(hass, result, **ACCOUNT)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == ACCOUNT


async def test_echo(hass: HomeAssistant, sandbox: Sandbox) -> None:
    """What the API echoes of a request is no more public than the request."""
    result = await _begin(hass)
    fault = sandbox.faults.add(
        code="VALIDATION_ERROR",
        status=400,
        message=f"{TEST_KEY} may not ask for userId={OTHER_USER}",
        details={"userId": OTHER_USER, TEST_KEY: ["anna%40example.org"]},
    )
    typed = {**ACCOUNT, CONF_USER_ID: OTHER_USER}
    result = await _answer(hass, result, **typed)
    assert _is_form(result, "user", base="unknown")
    sandbox.faults.remove(fault)
    sandbox.home.add_device("battery", user=OTHER_USER)
    result = await _answer(hass, result, **typed)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    "odd", ["sk_test_\ndemo", "sk_test_dem\u00f6", "sk_test_\u2028"]
)
async def test_a_key_that_no_header_takes(hass: HomeAssistant, odd: str) -> None:
    """What a slip of the clipboard brings is no mystery, and stays out of the log."""
    result = await _fill(hass, **{CONF_API_KEY: odd})
    assert _is_form(result, "user", **{CONF_API_KEY: "invalid_auth"})
    result = await _answer(hass, result, **ACCOUNT)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("account", "error"),
    [
        ({"expired": True}, "invalid_auth"),
        ({"live_enabled": False}, "live_access_disabled"),
        ({"permissions": set()}, "insufficient_permissions"),
    ],
)
async def test_account_that_may_not(
    hass: HomeAssistant, sandbox: Sandbox, account: dict[str, Any], error: str
) -> None:
    """The same from an account that really is so, until it is put right."""
    key = "sk_live_limited"
    sandbox.add_account(key, **account)
    result = await _fill(hass, **{CONF_API_KEY: key})
    assert _is_form(result, "user", **{CONF_API_KEY: error})
    sandbox.add_account(key)
    result = await _answer(hass, result, **{**ACCOUNT, CONF_API_KEY: key})
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("style", ["429", "401", "before"])
async def test_rate_limit(hass: HomeAssistant, sandbox: Sandbox, style: str) -> None:
    sandbox.rate_limit(1, style)
    result = await _fill(hass)
    # One of five requests got through: enough to go on with.
    assert result["type"] is FlowResultType.CREATE_ENTRY

    result = await _fill(hass, **{CONF_APP_ID: "app_2"})
    assert _is_form(result, "user", base="rate_limited")
    sandbox.rate_limit(None)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "fault",
    [
        {"code": "INTERNAL_ERROR"},
        {"code": "INSUFFICIENT_PERMISSIONS"},
        {"code": "RATE_LIMIT_EXCEEDED"},
        {"kind": "html", "status": 200},
        {"kind": "drop"},
    ],
    ids=["500", "403", "429", "web page", "hung up"],
)
async def test_one_type_fails(
    hass: HomeAssistant, sandbox: Sandbox, path: str, fault: dict[str, Any]
) -> None:
    """A type that fails does so on its own."""
    sandbox.faults.add(path=f"/{path}", **fault)
    entry = await _created(hass)
    assert entry.unique_id == f"sandbox:{APP_ID}:*"


@pytest.mark.parametrize("path", PATHS)
async def test_key_refused_by_one_type(
    hass: HomeAssistant, sandbox: Sandbox, path: str
) -> None:
    """A refused key is refused, whatever the other types say."""
    sandbox.faults.add(path=f"/{path}", code="INVALID_API_KEY", times=1)
    result = await _fill(hass)
    assert _is_form(result, "user", **{CONF_API_KEY: "invalid_auth"})
    result = await _answer(hass, result, **ACCOUNT)
    assert result["type"] is FlowResultType.CREATE_ENTRY


# No devices yet.


@pytest.fixture
def empty_account(sandbox: Sandbox) -> Sandbox:
    """Take away all devices of the sandbox account."""
    for device in sandbox.home.devices:
        sandbox.home.remove_device(device.id)
    return sandbox


def _is_no_devices(result: ConfigFlowResult, link_url: str) -> bool:
    return (
        result["type"] is FlowResultType.MENU
        and result["step_id"] == "no_devices"
        and result["menu_options"] == ["look_again", "change", "go_on"]
        and result["description_placeholders"] == {"link_url": link_url}
    )


@pytest.mark.parametrize("home", ["empty"])
@pytest.mark.parametrize(
    ("key", "app_id", "address"),
    [
        (TEST_KEY, "app_demo", "link/app_demo?sandbox=true"),
        (LIVE_KEY, "app_demo", "link/app_demo"),
        (
            TEST_KEY,
            " “https://auth.amps.ai/app_demo?sandbox=true” ",
            "link/app_demo?sandbox=true",
        ),
    ],
)
async def test_no_devices(
    hass: HomeAssistant, sandbox: Sandbox, key: str, app_id: str, address: str
) -> None:
    """The Link UI's address is shown; devices can come later."""
    result = await _fill(hass, **{CONF_API_KEY: key, CONF_APP_ID: app_id})
    assert _is_no_devices(result, f"{sandbox.url}/{address}")
    result = await _answer(hass, result, next_step_id="go_on")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {CONF_API_KEY: key, CONF_APP_ID: "app_demo"}
    assert result["result"].state is ConfigEntryState.LOADED


async def test_no_devices_of_this_user(hass: HomeAssistant, sandbox: Sandbox) -> None:
    result = await _fill(hass, **{CONF_USER_ID: "user_nobody"})
    assert _is_no_devices(result, f"{sandbox.url}/link/{APP_ID}?sandbox=true")
    result = await _answer(hass, result, next_step_id="go_on")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == f"sandbox:{APP_ID}:user_nobody"


@pytest.mark.parametrize("home", ["empty"])
async def test_look_again(hass: HomeAssistant, sandbox: Sandbox) -> None:
    """Nothing yet, nothing yet, and then there is a device."""
    result = await _fill(hass)
    link_url = f"{sandbox.url}/link/{APP_ID}?sandbox=true"
    for _ in range(2):
        assert _is_no_devices(result, link_url)
        result = await _answer(hass, result, next_step_id="look_again")
    sandbox.home.add_device("battery")
    result = await _answer(hass, result, next_step_id="look_again")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == ACCOUNT


@pytest.mark.parametrize("home", ["empty"])
async def test_trouble_while_looking_again(
    hass: HomeAssistant,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Trouble,
) -> None:
    """Back to the first form, which knows what was typed."""
    result = await _fill(hass)
    trouble.order(sandbox, monkeypatch)
    result = await _answer(hass, result, next_step_id="look_again")
    assert _is_form(result, "user", **{trouble.field: trouble.error})
    assert _suggested(result) == ACCOUNT

    _over(sandbox, monkeypatch)
    sandbox.home.add_device("vehicle")
    result = await _answer(hass, result, **ACCOUNT)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_back_to_a_mistyped_user(hass: HomeAssistant) -> None:
    """A wrong user ID looks like no devices; the form has all that was typed."""
    result = await _fill(hass, **{CONF_USER_ID: "user_mistyped"})
    result = await _answer(hass, result, next_step_id="change")
    assert _is_form(result, "user")
    assert _suggested(result) == {**ACCOUNT, CONF_USER_ID: "user_mistyped"}
    result = await _answer(hass, result, **ACCOUNT, **{CONF_USER_ID: USER})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == f"sandbox:{APP_ID}:{USER}"


async def test_back_from_a_mistyped_user_of_a_large_account(
    hass: HomeAssistant, sandbox: Sandbox
) -> None:
    _furnish(sandbox, 101)
    result = await _fill(hass)
    result = await _answer(hass, result, **{CONF_USER_ID: "user_mistyped"})
    result = await _answer(hass, result, next_step_id="change")
    assert _suggested(result) == {**ACCOUNT, CONF_USER_ID: "user_mistyped"}


@pytest.mark.parametrize("home", ["empty"])
@pytest.mark.parametrize("left", [0, 1], ids=["the older", "the newer"])
async def test_left_at_the_menu(hass: HomeAssistant, left: int) -> None:
    """A flow that a reload of the page left behind is in nobody's way.

    Nor is the other one, where both are open still; no flow is left over.
    """
    flows = [await _fill(hass), await _fill(hass)]
    assert all(result["type"] is FlowResultType.MENU for result in flows)
    flows.pop(left)
    result = await _answer(hass, flows[0], next_step_id="look_again")
    result = await _answer(hass, result, next_step_id="go_on")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not hass.config_entries.flow.async_progress()


@pytest.mark.parametrize("home", ["empty"])
async def test_overlap_that_came_meanwhile(
    hass: HomeAssistant, sandbox: Sandbox
) -> None:
    """While one flow rests at the menu, another one sets the account up."""
    first = await _fill(hass)
    sandbox.home.add_device("battery")
    await _created(hass, **{CONF_APP_ID: "app_2"})
    first = await _answer(hass, first, next_step_id="look_again")
    assert _is_abort(first, "overlapping_entry")


@pytest.mark.parametrize("home", ["empty"])
async def test_go_on_after_another_flow(hass: HomeAssistant, sandbox: Sandbox) -> None:
    """To go on without devices is no way around the other entry either."""
    first = await _fill(hass)
    sandbox.home.add_device("battery")
    await _created(hass, **{CONF_APP_ID: "app_2"})
    first = await _answer(hass, first, next_step_id="go_on")
    assert _is_abort(first, "overlapping_entry")


# A large account.


async def _not_now(*_: object) -> bool:
    return False


def _furnish(sandbox: Sandbox, count: int) -> None:
    """Give the sandbox account so many batteries in all, mostly of others."""
    while len(sandbox.home.devices) < count:
        sandbox.home.add_device("battery", user="user_other")


def _is_large(result: ConfigFlowResult, count: int, **errors: str) -> bool:
    return _is_form(result, "large_account", **errors) and result[
        "description_placeholders"
    ] == {"count": str(count)}


async def test_not_large_yet(hass: HomeAssistant, sandbox: Sandbox) -> None:
    _furnish(sandbox, 100)
    assert (await _created(hass)).data == ACCOUNT


async def test_large_account_confirmed(hass: HomeAssistant, sandbox: Sandbox) -> None:
    """The empty form means all of them."""
    _furnish(sandbox, 101)
    result = await _fill(hass)
    assert _is_large(result, 101)
    assert _suggested(result) == {}
    result = await _answer(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == ACCOUNT
    assert result["result"].unique_id == f"sandbox:{APP_ID}:*"


async def test_large_account_of_one_user(hass: HomeAssistant, sandbox: Sandbox) -> None:
    """Who names a user is not asked."""
    _furnish(sandbox, 120)
    entry = await _created(hass, **{CONF_USER_ID: "user_other"})
    assert entry.unique_id == f"sandbox:{APP_ID}:user_other"


async def test_large_account_confirmed_after_another_flow(
    hass: HomeAssistant, sandbox: Sandbox
) -> None:
    """While one flow rests at the question, another one sets the account up."""
    _furnish(sandbox, 101)
    first = await _fill(hass)
    await _created(hass, **{CONF_APP_ID: "app_2", CONF_USER_ID: USER})
    first = await _answer(hass, first)
    assert _is_abort(first, "overlapping_entry")


async def test_large_account_narrowed(hass: HomeAssistant, sandbox: Sandbox) -> None:
    """Naming a user adds only what is theirs."""
    _furnish(sandbox, 101)
    result = await _fill(hass)
    result = await _answer(hass, result, **{CONF_USER_ID: f" {USER} "})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {**ACCOUNT, CONF_USER_ID: USER}
    assert result["result"].unique_id == f"sandbox:{APP_ID}:{USER}"
    registry = dr.async_get(hass)
    devices = dr.async_entries_for_config_entry(registry, result["result"].entry_id)
    # One of each type, and the account.
    assert len(devices) == 6


async def test_large_account_without_such_a_user(
    hass: HomeAssistant, sandbox: Sandbox
) -> None:
    _furnish(sandbox, 101)
    result = await _fill(hass)
    result = await _answer(hass, result, **{CONF_USER_ID: "user_nobody"})
    assert _is_no_devices(result, f"{sandbox.url}/link/{APP_ID}?sandbox=true")


async def test_trouble_while_narrowing(
    hass: HomeAssistant,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Trouble,
) -> None:
    """The error is shown, the user id is not forgotten, nor already in use."""
    _furnish(sandbox, 101)
    result = await _fill(hass)
    trouble.order(sandbox, monkeypatch)
    result = await _answer(hass, result, **{CONF_USER_ID: USER})
    # The form has no field for the key, so an error of the key stands above it.
    assert _is_large(result, 101, base=trouble.error)
    assert _suggested(result) == {CONF_USER_ID: USER}

    _over(sandbox, monkeypatch)
    # What is made of so many devices is no matter of the flow; others look at it.
    monkeypatch.setattr("custom_components.amps_ai.async_setup_entry", _not_now)
    result = await _answer(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == ACCOUNT
    assert result["result"].unique_id == f"sandbox:{APP_ID}:*"


# Titles, and other entries.


async def test_titles_are_told_apart(hass: HomeAssistant, sandbox: Sandbox) -> None:
    """A number behind the title, the first one that is free."""
    titles = []
    for number, key in enumerate(("sk_test_1", "sk_live_1", "sk_test_2", "sk_live_2")):
        sandbox.add_account(key, home="home", prefix=f"{number}_")
        titles.append((await _created(hass, **_own_app(key))).title)
    assert titles == [
        "Amps AI (sandbox)",
        "Amps AI",
        "Amps AI (sandbox) 2",
        "Amps AI 2",
    ]
    first = hass.config_entries.async_entries(DOMAIN)[0]
    await hass.config_entries.async_remove(first.entry_id)
    for key in ("sk_test_5", "sk_test_6"):
        sandbox.add_account(key, home="home", prefix=f"{key[-1]}_")
        titles.append((await _created(hass, **_own_app(key))).title)
    assert titles[-2:] == ["Amps AI (sandbox)", "Amps AI (sandbox) 3"]


def _own_app(key: str) -> dict[str, str]:
    """Return what is typed for an account with an app of its own."""
    return {CONF_API_KEY: key, CONF_APP_ID: f"app_{key[-1]}"}


@dataclass(frozen=True, kw_only=True)
class Second:
    """An entry that is there, another one that is asked for, and the outcome.

    `alike` is a second key of the very same account; it lists the same devices.
    """

    first: dict[str, str] = field(default_factory=dict)
    second: dict[str, str] = field(default_factory=dict)
    reason: str | None


ALIKE = {CONF_API_KEY: OTHER_KEY}
SECONDS = {
    "the same": Second(reason="already_configured"),
    "the same user": Second(
        first={CONF_USER_ID: USER},
        second={CONF_USER_ID: USER},
        reason="already_configured",
    ),
    "other key of the account": Second(second=ALIKE, reason="already_configured"),
    "longer form of the key": Second(
        second={CONF_API_KEY: f"amps_{TEST_KEY}", CONF_APP_ID: "app_2"},
        reason="overlapping_entry",
    ),
    "other app id": Second(second={CONF_APP_ID: "app_2"}, reason="overlapping_entry"),
    "other app id, same user": Second(
        first={CONF_USER_ID: USER},
        second={CONF_USER_ID: USER, CONF_APP_ID: "app_2"},
        reason="overlapping_entry",
    ),
    "other key and app id": Second(
        second={**ALIKE, CONF_APP_ID: "app_2"}, reason="overlapping_entry"
    ),
    "one user beside all": Second(
        second={CONF_USER_ID: USER}, reason="overlapping_entry"
    ),
    "all beside one user": Second(
        first={CONF_USER_ID: USER}, reason="overlapping_entry"
    ),
    "one user beside all, other key": Second(
        second={**ALIKE, CONF_USER_ID: OTHER_USER}, reason="overlapping_entry"
    ),
    "all beside one user, other key": Second(
        first={CONF_USER_ID: OTHER_USER}, second=ALIKE, reason="overlapping_entry"
    ),
    "one user without devices beside all": Second(
        second={CONF_USER_ID: "user_nobody"}, reason="overlapping_entry"
    ),
    "two users of one key": Second(
        first={CONF_USER_ID: USER}, second={CONF_USER_ID: OTHER_USER}, reason=None
    ),
    "two users, other key": Second(
        first={CONF_USER_ID: USER},
        second={**ALIKE, CONF_USER_ID: OTHER_USER},
        reason=None,
    ),
    "other environment": Second(second={CONF_API_KEY: LIVE_KEY}, reason=None),
}


@pytest.mark.parametrize("home", ["two"])
@pytest.mark.parametrize("case", SECONDS.values(), ids=SECONDS)
async def test_second_entry(
    hass: HomeAssistant, sandbox: Sandbox, case: Second
) -> None:
    """No device may come to two entries."""
    sandbox.add_account(OTHER_KEY)
    await _created(hass, **case.first)
    result = await _fill(hass, **case.second)
    if case.reason is None:
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert result["result"].state is ConfigEntryState.LOADED
    else:
        assert _is_abort(result, case.reason)
        assert len(hass.config_entries.async_entries(DOMAIN)) == 1


async def test_second_account(hass: HomeAssistant, sandbox: Sandbox) -> None:
    """Another account of the same app and environment is welcome.

    Only its devices tell it apart, so it needs an app id of its own.
    """
    sandbox.add_account(OTHER_KEY, home="home", prefix="other_")
    await _created(hass)
    result = await _fill(hass, **ALIKE)
    assert _is_abort(result, "already_configured")
    entry = await _created(hass, **ALIKE, **{CONF_APP_ID: "app_2"})
    assert entry.title == "Amps AI (sandbox) 2"


async def test_options(hass: HomeAssistant) -> None:
    """An entry has options; what they are is tested with them."""
    entry = await _created(hass)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "init"


# Mending: a new key, or other data.


@pytest.fixture(params=["reauth_confirm", "reconfigure"])
def step(request: pytest.FixtureRequest) -> str:
    """Return both steps that mend an entry."""
    name: str = request.param
    return name


async def _mend(hass: HomeAssistant, entry: ConfigEntry, step: str) -> ConfigFlowResult:
    """Begin to mend an entry."""
    source = step.removesuffix("_confirm")
    result = await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": source, "entry_id": entry.entry_id},
        data=entry.data if source == SOURCE_REAUTH else None,
    )
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == step
    assert not result["errors"]
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["title"] == entry.title
    return result


def _with_key(step: str, key: str) -> dict[str, str]:
    """Return the answer that names a key, with what else the step asks for."""
    return {CONF_API_KEY: key} | (
        {} if step == "reauth_confirm" else {CONF_APP_ID: APP_ID}
    )


def _is_refused(result: ConfigFlowResult, step: str, reason: str) -> bool:
    """Tell whether a key was refused: at the field where nothing else is asked for."""
    if step == "reauth_confirm":
        return _is_form(result, step, **{CONF_API_KEY: reason})
    return _is_abort(result, reason)


def _successful(step: str) -> str:
    return f"{step.removesuffix('_confirm')}_successful"


async def test_new_key(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, step: str
) -> None:
    """A new key of the same account keeps everything as it is."""
    sandbox.add_account(OTHER_KEY)
    before = set(hass.states.async_entity_ids())
    title, unique_id = loaded.title, loaded.unique_id
    result = await _mend(hass, loaded, step)
    # A key is never shown again.
    assert CONF_API_KEY not in _suggested(result)
    sandbox.accounts[TEST_KEY].expired = True
    result = await _answer(hass, result, **_with_key(step, f" {OTHER_KEY} "))
    assert _is_abort(result, _successful(step))
    assert loaded.data == {CONF_API_KEY: OTHER_KEY, CONF_APP_ID: APP_ID}
    assert (loaded.title, loaded.unique_id) == (title, unique_id)
    assert loaded.state is ConfigEntryState.LOADED
    assert set(hass.states.async_entity_ids()) == before
    assert not hass.config_entries.flow.async_progress()


async def test_reauth_keeps_the_user(hass: HomeAssistant, sandbox: Sandbox) -> None:
    sandbox.add_account(OTHER_KEY)
    entry = await _created(hass, **{CONF_USER_ID: USER})
    flow = await _mend(hass, entry, "reauth_confirm")
    result = await _answer(hass, flow, **{CONF_API_KEY: OTHER_KEY})
    assert _is_abort(result, "reauth_successful")
    assert entry.data == {
        CONF_API_KEY: OTHER_KEY,
        CONF_APP_ID: APP_ID,
        CONF_USER_ID: USER,
    }
    assert entry.unique_id == f"sandbox:{APP_ID}:{USER}"


async def test_reauth_of_an_entry_that_failed(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    """The key was refused before anything was known of the account."""
    sandbox.accounts[TEST_KEY].expired = True
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_confirm"
    sandbox.add_account(OTHER_KEY)
    result = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {CONF_API_KEY: OTHER_KEY}
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert _is_abort(result, "reauth_successful")
    assert entry.state is ConfigEntryState.LOADED


async def test_trouble_while_mending(
    hass: HomeAssistant,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    loaded: MockConfigEntry,
    step: str,
    trouble: Trouble,
) -> None:
    """The entry stays as it is until the new data proved good."""
    sandbox.add_account(OTHER_KEY)
    before = dict(loaded.data)
    result = await _mend(hass, loaded, step)
    trouble.order(sandbox, monkeypatch)
    result = await _answer(hass, result, **_with_key(step, OTHER_KEY))
    assert _is_form(result, step, **{trouble.field: trouble.error})
    assert CONF_API_KEY not in _suggested(result)
    assert loaded.data == before
    assert loaded.state is ConfigEntryState.LOADED

    _over(sandbox, monkeypatch)
    result = await _answer(hass, result, **_with_key(step, OTHER_KEY))
    assert _is_abort(result, _successful(step))
    assert loaded.data == {**before, CONF_API_KEY: OTHER_KEY}


async def test_only_space_while_mending(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, step: str
) -> None:
    result = await _mend(hass, loaded, step)
    result = await _answer(hass, result, **_with_key(step, "  "))
    assert _is_form(result, step, **{CONF_API_KEY: "required"})
    result = await _answer(hass, result, **_with_key(step, TEST_KEY))
    assert _is_abort(result, _successful(step))


@dataclass(frozen=True, kw_only=True)
class Stranger:
    """An account that is not the entry's."""

    key: str
    account: dict[str, Any] = field(default_factory=dict)


STRANGERS = {
    "live account": Stranger(key=LIVE_KEY),
    # These devices are the very same, in name.
    "other environment": Stranger(key="sk_live_twin"),
    "other environment by its own word": Stranger(
        key="sk_test_twin", account={"environment": "live"}
    ),
    "other environment by its key": Stranger(
        key="sk_live_bare", account={"environment": "sandbox", "generation": "before"}
    ),
    "none of the devices": Stranger(
        key=OTHER_KEY, account={"home": "home", "prefix": "other_"}
    ),
    "no device": Stranger(key=OTHER_KEY, account={"home": "empty"}),
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
async def test_wrong_account(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    step: str,
    stranger: Stranger,
) -> None:
    """A key of another account would give all devices other names."""
    if stranger.key != LIVE_KEY:
        sandbox.add_account(stranger.key, **stranger.account)
    before = dict(loaded.data)
    flow = await _mend(hass, loaded, step)
    result = await _answer(hass, flow, **_with_key(step, stranger.key))
    assert _is_refused(result, step, "wrong_account")
    assert loaded.data == before
    assert loaded.state is ConfigEntryState.LOADED


async def test_the_right_key_after_a_wrong_one(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry
) -> None:
    """The request for a new key stays open until it has one."""
    sandbox.add_account(OTHER_KEY)
    flow = await _mend(hass, loaded, "reauth_confirm")
    result = await _answer(hass, flow, **{CONF_API_KEY: LIVE_KEY})
    assert _is_form(result, "reauth_confirm", **{CONF_API_KEY: "wrong_account"})
    assert CONF_API_KEY not in _suggested(result)
    result = await _answer(hass, result, **{CONF_API_KEY: OTHER_KEY})
    assert _is_abort(result, "reauth_successful")
    assert loaded.data[CONF_API_KEY] == OTHER_KEY


async def test_account_with_some_of_the_devices(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, step: str
) -> None:
    """One of the devices is proof enough; the rest may have come or gone."""
    sandbox.add_account(OTHER_KEY)
    sandbox.home.add_device("battery")
    for device in sandbox.home.devices[2:]:
        device.unlisted = True
    flow = await _mend(hass, loaded, step)
    result = await _answer(hass, flow, **_with_key(step, OTHER_KEY))
    assert _is_abort(result, _successful(step))


@pytest.mark.parametrize("home", ["empty"])
async def test_entry_without_devices(
    hass: HomeAssistant, sandbox: Sandbox, loaded: MockConfigEntry, step: str
) -> None:
    """Where there was no device yet, none can be missed."""
    sandbox.add_account(OTHER_KEY, home="home")
    flow = await _mend(hass, loaded, step)
    result = await _answer(hass, flow, **_with_key(step, OTHER_KEY))
    assert _is_abort(result, _successful(step))
    assert loaded.data[CONF_API_KEY] == OTHER_KEY


@pytest.mark.parametrize("home", ["empty"])
async def test_entry_without_devices_in_the_other_environment(
    hass: HomeAssistant, loaded: MockConfigEntry, step: str
) -> None:
    flow = await _mend(hass, loaded, step)
    result = await _answer(hass, flow, **_with_key(step, LIVE_KEY))
    assert _is_refused(result, step, "wrong_account")


@pytest.mark.parametrize("home", ["two"])
@pytest.mark.parametrize(
    ("data", "unique_id"),
    [
        (
            {CONF_API_KEY: TEST_KEY, CONF_APP_ID: "app_2", CONF_USER_ID: USER},
            f"sandbox:app_2:{USER}",
        ),
        (
            {CONF_API_KEY: OTHER_KEY, CONF_APP_ID: APP_ID, CONF_USER_ID: USER},
            f"sandbox:{APP_ID}:{USER}",
        ),
        (ACCOUNT, f"sandbox:{APP_ID}:*"),
        (
            {CONF_API_KEY: OTHER_KEY, CONF_APP_ID: "app_2"},
            "sandbox:app_2:*",
        ),
    ],
    ids=["app id", "key", "user", "all of it"],
)
async def test_reconfigure(
    hass: HomeAssistant, sandbox: Sandbox, data: dict[str, str], unique_id: str
) -> None:
    """Everything can be changed, as long as devices stay the same."""
    sandbox.add_account(OTHER_KEY)
    entry = await _created(hass, **{CONF_USER_ID: USER})
    flow = await _mend(hass, entry, "reconfigure")
    assert _suggested(flow) == {CONF_APP_ID: APP_ID, CONF_USER_ID: USER}
    result = await _answer(hass, flow, **data)
    assert _is_abort(result, "reconfigure_successful")
    assert entry.data == data
    assert entry.unique_id == unique_id
    assert entry.title == "Amps AI (sandbox)"
    assert entry.state is ConfigEntryState.LOADED
    (service,) = (
        device
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
        if device.entry_type is dr.DeviceEntryType.SERVICE
    )
    address = f"{sandbox.url}/link/{data[CONF_APP_ID]}?sandbox=true"
    assert service.configuration_url == address


@pytest.mark.parametrize("home", ["two"])
async def test_reconfigure_to_another_user(hass: HomeAssistant) -> None:
    """Another user has none of the devices: that is another entry."""
    entry = await _created(hass, **{CONF_USER_ID: USER})
    flow = await _mend(hass, entry, "reconfigure")
    result = await _answer(hass, flow, **ACCOUNT, **{CONF_USER_ID: OTHER_USER})
    assert _is_abort(result, "wrong_account")


@pytest.mark.parametrize("home", ["two"])
@pytest.mark.parametrize(
    ("users", "change", "reason"),
    [
        # The other entry is exactly this.
        (("user_nobody", USER), {CONF_USER_ID: USER}, "already_configured"),
        # The other entry is for the same user of the same key.
        (
            ("user_nobody", USER),
            {CONF_USER_ID: USER, CONF_APP_ID: "app_2"},
            "overlapping_entry",
        ),
        # All devices, where the other entry has some of them.
        ((USER, OTHER_USER), {}, "overlapping_entry"),
        (
            (USER, OTHER_USER),
            {CONF_API_KEY: OTHER_KEY, CONF_APP_ID: "app_2"},
            "overlapping_entry",
        ),
    ],
)
async def test_reconfigure_into_another_entry(
    hass: HomeAssistant,
    sandbox: Sandbox,
    users: tuple[str, str],
    change: dict[str, str],
    reason: str,
) -> None:
    sandbox.add_account(OTHER_KEY)
    entry, _ = [await _add(hass, user) for user in users]
    before = dict(entry.data)
    flow = await _mend(hass, entry, "reconfigure")
    result = await _answer(hass, flow, **{**ACCOUNT, **change})
    assert _is_abort(result, reason)
    assert entry.data == before


async def _add(hass: HomeAssistant, user: str) -> Any:
    """Return an entry for one user, who may have no device yet."""
    result = await _fill(hass, **{CONF_USER_ID: user})
    if result["type"] is FlowResultType.MENU:
        result = await _answer(hass, result, next_step_id="go_on")
    return result["result"]


async def test_key_of_another_entry(
    hass: HomeAssistant, sandbox: Sandbox, step: str
) -> None:
    """A key that has come to lead to the devices of both entries."""
    first = await _created(hass)
    sandbox.add_account(OTHER_KEY, home="home", prefix="other_")
    await _created(hass, **ALIKE, **{CONF_APP_ID: "app_2"})
    sandbox.add_account(OTHER_KEY)
    flow = await _mend(hass, first, step)
    result = await _answer(hass, flow, **_with_key(step, OTHER_KEY))
    assert _is_refused(result, step, "overlapping_entry")
    assert first.data == ACCOUNT


@pytest.mark.parametrize("path", PATHS)
async def test_one_type_fails_while_mending(
    hass: HomeAssistant,
    sandbox: Sandbox,
    loaded: MockConfigEntry,
    step: str,
    path: str,
) -> None:
    """The other types are proof enough."""
    sandbox.add_account(OTHER_KEY)
    flow = await _mend(hass, loaded, step)
    sandbox.faults.add(path=f"/{path}", code="INTERNAL_ERROR")
    result = await _answer(hass, flow, **_with_key(step, OTHER_KEY))
    assert _is_abort(result, _successful(step))
