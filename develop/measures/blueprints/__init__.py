"""What the blueprints are worth, over simulated days."""

# Before Home Assistant: whoever has its `utcnow` by then, has the real time.
from pytest_homeassistant_custom_component import patch_time

__all__ = ["patch_time"]
