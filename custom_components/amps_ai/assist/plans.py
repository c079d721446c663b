"""Plans: what an assistant may know of them, and skip where a person lets it."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, llm
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from ..common.const import DOMAIN
from ..common.names import plain_text
from ..plans import Plan, Plans
from ..runtime import AmpsConfigEntry
from .exposed import Exposed, async_exposed, exposed_of, failed

PLANS: Final = f"{DOMAIN}__plans"
SKIP_PLAN: Final = f"{DOMAIN}__skip_plan"

PLANS_PROMPT: Final = (
    f"Use {PLANS} for questions about what batteries, EV chargers and thermostats of"
    " Amps AI do by plan: when, how often, and when next."
)
# More than this makes no answer that a model could use.
_MOST: Final = 50


def plans_of(items: Iterable[Exposed]) -> Iterator[tuple[Exposed, Plans, Plan]]:
    """Go through the plans of devices."""
    for item in items:
        plans: Plans = item.coordinator.config_entry.runtime_data.plans
        for plan in plans:
            if plan.device_id == item.device.id:
                yield item, plans, plan


@callback
def may_know_plans(hass: HomeAssistant, assistant: str | None) -> bool:
    """Tell whether an assistant may know of a device that has a plan."""
    entries: list[AmpsConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        runtime = entry.runtime_data
        for device_id in {plan.device_id for plan in runtime.plans}:
            if (coordinator := runtime.find(device_id)) is not None:
                device = coordinator.data[device_id]
                if exposed_of(coordinator, device, assistant) is not None:
                    return True
    return False


class PlansTool(llm.Tool):
    """Tell of the plans of the exposed devices."""

    name = PLANS
    title = "Plans"
    description = (
        "Tells the plans of Amps AI: commands that come again on some weekdays, from a"
        " time and maybe until a time, in local time; whether each is on, how it fares,"
        " and when it comes next. `skipped` are days on which it is left out."
    )
    integration = DOMAIN
    annotations = llm.ToolAnnotations(
        read_only=True, destructive=False, idempotent=True, open_world=False
    )
    parameters = vol.Schema(
        {
            vol.Optional(
                "device", description="Only plans of the device of this name."
            ): cv.string
        }
    )

    @override
    async def async_call(
        self,
        hass: HomeAssistant,
        tool_input: llm.ToolInput,
        llm_context: llm.LLMContext,
    ) -> llm.ToolResult:
        """Tell of the plans that fit the question."""
        wanted = self.parameters(tool_input.tool_args).get("device", "").casefold()
        told: list[Any] = [
            _told(item, plans, plan)
            for item, plans, plan in plans_of(await async_exposed(hass, llm_context))
            if wanted in item.name.casefold()
        ]
        if not told:
            return failed("No exposed device of Amps AI that fits this has a plan.")
        result: JsonObjectType = {"plans": told[:_MOST]}
        return llm.ToolResult(data=result)


class SkipPlanTool(llm.Tool):
    """Leave out one time of a plan by the action `amps_ai.skip_plan`."""

    name = SKIP_PLAN
    title = "Skip plan"
    description = (
        "Leaves out one time of a plan of Amps AI: the next one, or the one that begins"
        " on `date`. The plan goes on after it."
    )
    integration = DOMAIN
    annotations = llm.ToolAnnotations(
        read_only=False, destructive=True, idempotent=False, open_world=True
    )

    def __init__(self, names: Iterable[str]) -> None:
        """Name the plans that there are."""
        self.parameters = vol.Schema(
            {
                vol.Required("plan"): vol.In(sorted(set(names))),
                vol.Optional(
                    "device", description="The device, where two plans share a name."
                ): cv.string,
                vol.Optional(
                    "date", description="The day that it begins on, YYYY-MM-DD."
                ): cv.string,
            }
        )

    @override
    async def async_call(
        self,
        hass: HomeAssistant,
        tool_input: llm.ToolInput,
        llm_context: llm.LLMContext,
    ) -> llm.ToolResult:
        """Skip it, if its device may be steered still."""
        wanted = self.parameters(tool_input.tool_args)
        name, device = wanted["plan"], wanted.get("device", "").casefold()
        found = [
            (item, plan)
            for item, _, plan in plans_of(await async_exposed(hass, llm_context))
            if item.is_steerable
            and plain_text(plan.name) == name
            and device in item.name.casefold()
        ]
        if not found:
            return failed(f"No device that may be steered has a plan called {name}.")
        if len(found) > 1:
            return failed(f"More than one plan is called {name}. Name the device.")
        item, plan = found[0]
        try:
            response = await hass.services.async_call(
                DOMAIN,
                "skip_plan",
                {
                    "plan": plan.id,
                    "device_id": item.registered.id,
                    **{key: wanted[key] for key in ("date",) if key in wanted},
                },
                blocking=True,
                context=llm_context.context,
                return_response=True,
            )
        except (HomeAssistantError, vol.Invalid) as err:
            return failed(str(err))
        answer: Any = response or {}
        result: JsonObjectType = {
            "plan": name,
            "device": item.name,
            "skipped": answer["skipped"],
            "next": answer["plan"]["next"],
        }
        return llm.ToolResult(data=result)


def _told(item: Exposed, plans: Plans, plan: Plan) -> JsonObjectType:
    """Tell of a plan."""
    record = plans.record(plan)
    parameters: JsonObjectType = {
        plain_text(
            name
        ): f"{value['value']:g} {plain_text(value['unit'] or '')}".strip()
        for name, value in record["parameters"].items()
    }
    told: JsonObjectType = {
        "plan": plain_text(plan.name),
        "device": item.name,
        "command": plain_text(plan.command),
        "parameters": parameters,
        "on": plans.is_on(plan),
        "status": plans.status(plan),
    }
    for key, field in (
        ("weekdays", "weekdays"),
        ("from", "start"),
        ("until", "end"),
        ("next", "next"),
        ("skipped", "skipped"),
    ):
        told[key] = record[field]
    return told
