#!/usr/bin/env bash
# Asking the library holidays whether "12/10/2026" is one, in Spain.
# Expected: a date is read as the country writes it, or refused where two ways exist.
# Happens: the month comes first for every country: 12 October, Spain's national day, is
# none, "10/12/2026" is, and "25/12/2026" is Christmas all the same. Asking for another
# year adds it to what was made for one. Seen with holidays 0.107.
# Why it matters: tariffs that go by holidays are wrong on the first twelve days of a
# month, which a test with Christmas does not find.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(holidays==0.107)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
import holidays

spain = holidays.country_holidays("ES", years=2026)
before = len(spain)
seen = {}
for text in ("2026-10-12", "12/10/2026", "10/12/2026", "25/12/2026", "12/25/2026"):
    seen[text] = text in spain
    print(f"{text}: {'a holiday' if seen[text] else 'none'}")
new_year = "2031-01-01" in spain
years = {day.year for day in spain}
print(f"asked for 2031 as well: {before} holidays became {len(spain)}, of {years}")
print("holidays", holidays.__version__)
assert seen == {
    "2026-10-12": True,
    "12/10/2026": False,
    "10/12/2026": True,
    "25/12/2026": True,
    "12/25/2026": True,
}, seen
assert new_year and years == {2026, 2031}, years
EOF
