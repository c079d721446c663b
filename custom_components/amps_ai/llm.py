"""What a language model may know of the devices, and may send to them.

Reading goes along with Assist, as far as the person exposed entities to it.
Sending is an LLM API of its own: no conversation agent has it until a person
chooses it in the settings of that agent.
"""

from homeassistant.components.llm import LLMTools
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import llm

from .assist import PLANS_PROMPT, SUMMARY_PROMPT, EnergySummaryTool, PlansTool, plans_of
from .assist.exposed import exposed


@callback
def async_get_tools(
    hass: HomeAssistant, llm_context: llm.LLMContext, api_id: str
) -> LLMTools | None:
    """Return the summary, where Assist may know of any device, and its plans."""
    if api_id != llm.LLM_API_ASSIST:
        return None
    if next(exposed(hass, llm_context), None) is None:
        return None
    tools: list[llm.Tool] = [EnergySummaryTool()]
    prompt = SUMMARY_PROMPT
    if next(plans_of(exposed(hass, llm_context)), None) is not None:
        tools.append(PlansTool())
        prompt = f"{prompt} {PLANS_PROMPT}"
    return LLMTools(tools=tools, prompt=prompt)
