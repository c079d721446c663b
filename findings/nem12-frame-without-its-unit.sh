#!/usr/bin/env bash
# Two Australian meter files (NEM12), one in Wh and one in MWh, read with nemreader.
# Expected: the table has a column with the unit, or one unit for all.
# Happens: the file's unit is not in the table, and nothing is converted: 48 half hours
# of 0.5 are 24, whether Wh, kWh, MWh, or kvarh of reactive energy. The unit is only on
# the objects behind it. Seen with nemreader 1.0.1.
# Why it matters: meters of one house may well tell Wh for one register and kWh for
# another; summed over the table, one of them counts a thousandfold.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(nemreader==1.0.1)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from importlib.metadata import version
from pathlib import Path
import sys

from nemreader import NEMFile

DAY = ",".join(["0.5"] * 48)

print("nemreader", version("nemreader"))
seen = {}
for unit, register in (("WH", "E1"), ("KWH", "E1"), ("MWH", "E1"), ("KVARH", "Q1")):
    path = Path(sys.argv[1], f"{unit}.csv")
    path.write_text(
        "100,NEM12,202611010000,MDP1,RETAILER\r\n"
        f"200,NEM1234567,{register},1,{register},N1,METER1,{unit},30,\r\n"
        f"300,20261102,{DAY},A,,,20261103000000,\r\n"
        "900\r\n"
    )
    file = NEMFile(str(path))
    table = file.get_data_frame_long()
    cells = {str(cell).upper() for row in table.rows() for cell in row}
    seen[unit] = (table["value"].sum(), unit in cells)
    print(f"a day in {unit}: sum {seen[unit][0]}, columns {', '.join(table.columns)}")
assert seen == {
    "WH": (24.0, False),
    "KWH": (24.0, False),
    "MWH": (24.0, False),
    "KVARH": (24.0, False),
}, seen
EOF
