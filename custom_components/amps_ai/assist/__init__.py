"""What a language model may know and send."""

from .commands import async_register_commands_api
from .plans import PLANS_PROMPT, PlansTool, plans_of
from .summary import SUMMARY_PROMPT, EnergySummaryTool

__all__ = [
    "PLANS_PROMPT",
    "SUMMARY_PROMPT",
    "EnergySummaryTool",
    "PlansTool",
    "async_register_commands_api",
    "plans_of",
]
