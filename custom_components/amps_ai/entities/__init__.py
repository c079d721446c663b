"""Entities: what those of all platforms have in common."""

from .adder import async_setup_entities, disabled_entities
from .entity import (
    AmpsControlEntity,
    AmpsEntity,
    AmpsEntityDescription,
    Table,
    action_attributes,
    takes_commands,
)

__all__ = [
    "AmpsControlEntity",
    "AmpsEntity",
    "AmpsEntityDescription",
    "Table",
    "action_attributes",
    "async_setup_entities",
    "disabled_entities",
    "takes_commands",
]
