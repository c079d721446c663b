"""What a language model may know of the devices, and may send to them.

Reading goes along with Assist, as far as the person exposed entities to it.
Sending is an LLM API of its own: no conversation agent has it until a person
chooses it in the settings of that agent.
"""

from homeassistant.components.llm import LLMTools
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import llm

from .assist import (
    PLANS_PROMPT,
    SUMMARY_PROMPT,
    EnergySummaryTool,
    PlansTool,
    may_know_any,
    may_know_plans,
)


@callback
def async_get_tools(
    hass: HomeAssistant, llm_context: llm.LLMContext, api_id: str
) -> LLMTools | None:
    """Return the summary, where Assist may know of any device, and its plans."""
    if api_id != llm.LLM_API_ASSIST:
        return None
    if not may_know_any(hass, llm_context.assistant):
        return None
    tools: list[llm.Tool] = [EnergySummaryTool()]
    prompt = SUMMARY_PROMPT
    if may_know_plans(hass, llm_context.assistant):
        tools.append(PlansTool())
        prompt = f"{prompt} {PLANS_PROMPT}"
    return LLMTools(tools=tools, prompt=prompt)
