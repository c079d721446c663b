"""What the scripts run: the demo, the measurements and the checks."""

from pathlib import Path
from typing import Final

# The folder of the project.
ROOT: Final = Path(__file__).resolve().parents[1]
