"""When devices are captured, in half a simulated day of a real Home Assistant.

Nothing of the planner is used to check the planner: the figures are those of
`scripts/bench --days`, which notes each capture in the sandbox.
"""

import json
from pathlib import Path
import subprocess
import sys

import pytest

from develop import ROOT

# Past the cache for sure, a bit longer to end with an hour, a request, and those
# that go before.
MARGIN = 0.3 + 1.2 + 0.9 + 4


@pytest.mark.parametrize(
    ("level", "apart"), [("standard", 902), ("live", 62), ("fast", 302)]
)
def test_half_a_day(tmp_path: Path, level: str, apart: float) -> None:
    """No device is ever too old, and what is active is captured as hours end."""
    out = tmp_path / "found.json"
    subprocess.run(
        [
            sys.executable,
            *("-m", "develop.measures.bench.days", "--child", str(out)),
            *("--days", "0.5", "--level", level),
        ],
        check=True,
        cwd=ROOT,
    )
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["overdue"]["count"] > 100
    assert found["overdue"]["most"] <= MARGIN
    assert found["between_captures"]["median"] <= apart
    hours = found["before_hours"]
    assert hours["count"] >= 8
    # Three devices count, one after the other. In the first hour of something,
    # there may be no room left.
    assert hours["p95"] <= 30 + 2 * 4
    assert not found["recorder"]["falls"]
