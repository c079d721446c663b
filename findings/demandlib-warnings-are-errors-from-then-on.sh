#!/usr/bin/env bash
# Standard load profiles of German households, made with demandlib: those of 1999 and
# those of 2025.
# Expected: a profile is a table of numbers, and the second is made as the first was.
# Happens: whoever makes one of 1999 (ElecSlp) makes every warning an error, in the whole
# process and for good: the library changes the filters of `warnings` and leaves them so.
# The profile of 2025, which was made a line before, then cannot be made any more, as
# NumPy warns of something within it; a method that demandlib calls deprecated cannot be
# called at all; and `datetime.utcnow()` of any other library raises. Seen with demandlib
# 0.2.2, pandas 2.3.3 and NumPy 2.5.5.
# Why it matters: a forecast that is made at noon breaks what runs beside it at one, far
# from what caused it, and only where somebody warns. With pandas 3.1 it already trips
# over a warning that it causes itself.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(demandlib==0.2.2 pandas==2.3.3 numpy==2.5.5)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I -W ignore - <<'EOF'
from datetime import datetime
from importlib.metadata import version

from demandlib import bdew
import pandas as pd

year = pd.date_range("2026-01-01", periods=365 * 96, freq="15min")


def tried(name, make):
    """Tell what becomes of something, as a word."""
    try:
        made = make()
    except Warning as warning:
        became = type(warning).__name__
    else:
        became = "made"
        del made
    print(f"{name}: {became}")
    return became


def household():
    return bdew.H25(year)


before = (
    tried("profile of 2025", household),
    tried("utcnow", datetime.utcnow),
)
slp = bdew.ElecSlp(2026)
total = round(slp.get_scaled_profiles({"h0": 3500})["h0"].sum(), 3)
print(f"profile of 1999: {total} kWh a year")
after = (
    tried("profile of 2025", household),
    tried("utcnow", datetime.utcnow),
    tried("its own deprecated method", lambda: slp.get_profile({"h0": 3500})),
)
print(*(f"{name} {version(name)}" for name in ("demandlib", "pandas", "numpy")))
assert before == ("made", "made"), before
assert total == 3500
assert after == ("DeprecationWarning", "DeprecationWarning", "FutureWarning"), after
EOF
