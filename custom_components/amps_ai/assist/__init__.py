"""What a language model may know and send."""

from .commands import async_register_commands_api
from .summary import SUMMARY_PROMPT, EnergySummaryTool

__all__ = ["SUMMARY_PROMPT", "EnergySummaryTool", "async_register_commands_api"]
