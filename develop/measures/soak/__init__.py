"""The soak: weeks of a home with trouble in it, lived through in minutes."""

# Before anything of Home Assistant's is imported: what tells it the time must
# be where the simulated time can take its place.
import pytest_homeassistant_custom_component.patch_time  # noqa: F401
