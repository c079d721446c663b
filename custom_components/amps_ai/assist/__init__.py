"""What a language model may know and send."""

from .commands import async_register_commands_api
from .exposed import may_know_any
from .plans import PLANS_PROMPT, PlansTool, may_know_plans
from .summary import SUMMARY_PROMPT, EnergySummaryTool

__all__ = [
    "PLANS_PROMPT",
    "SUMMARY_PROMPT",
    "EnergySummaryTool",
    "PlansTool",
    "async_register_commands_api",
    "may_know_any",
    "may_know_plans",
]
