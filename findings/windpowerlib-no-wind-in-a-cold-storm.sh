#!/usr/bin/env bash
# A wind turbine that stops at 25 m/s, in a winter storm, with windpowerlib.
# Expected: thin or dense air changes the power between start and full load. When it
# stops for a storm is up to the controller, by the wind that it measures.
# Happens: with density_correction=True the speeds of the whole power curve are scaled,
# the end of it too. In air of 1.35 kg/m³ (some 15 degrees below zero at sea level) the
# turbine gives 3 MW at 23 m/s and nothing at 24; in warm, high air of 1.1 it runs at
# full load up to 26. Without the correction both stop after 25. Seen with windpowerlib
# 0.2.2.
# Why it matters: forecasts are off by a whole wind park, in just the hours that set the
# price.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(windpowerlib==0.2.2 pandas==3.1.1 numpy==2.5.5)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from importlib.metadata import version

import pandas as pd
from windpowerlib.power_output import power_curve

print("windpowerlib", version("windpowerlib"))
SPEEDS = pd.Series([0, 3, 5, 10, 13, 25], dtype=float)
POWERS = pd.Series([0, 0, 0.5, 2, 3, 3], dtype=float)
seen = {}
for density, corrected in ((1.225, False), (1.225, True), (1.35, True), (1.1, True)):
    found = power_curve(
        pd.Series([20.0, 23.0, 24.0, 25.0, 26.0, 27.0]),
        SPEEDS,
        POWERS,
        density=pd.Series([density] * 6),
        density_correction=corrected,
    )
    seen[density, corrected] = found.tolist()
    print(f"{density} kg/m³, corrected: {corrected}; at 20, 23, 24, 25, 26, 27 m/s in MW:")
    print("  ", *seen[density, corrected])
assert seen == {
    (1.225, False): [3, 3, 3, 3, 0, 0],
    (1.225, True): [3, 3, 3, 3, 0, 0],
    (1.35, True): [3, 3, 0, 0, 0, 0],
    (1.1, True): [3, 3, 3, 3, 3, 0],
}, seen
EOF
