"""The control routes, for those outside the process."""

from .control import Control

__all__ = ["Control"]
