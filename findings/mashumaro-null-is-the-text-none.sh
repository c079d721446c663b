#!/usr/bin/env bash
# Reading a device's JSON with mashumaro, on which dozens of device libraries build.
# Expected: a field of type str refuses null, a bool refuses "false", a list of numbers
# refuses a text, as MissingField and InvalidFieldValue suggest.
# Happens: simple types are only called: null as str is the text "None", "false" and "no" as
# bool are True, null as bool is False, 5.7 as int is 5, "123" as list[int] is [1, 2, 3]. A
# time of "24:00" is 00:00. Seen with mashumaro 3.23.
# Why it matters: a device without serial number is called "None", and all such devices are
# one; a lock that tells "false" is locked; a window that ends at 24:00 ends before it begins.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(mashumaro==3.23)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from dataclasses import dataclass, field
from datetime import time
from importlib.metadata import version

from mashumaro import DataClassDictMixin


@dataclass
class Device(DataClassDictMixin):
    serial: str = ""
    locked: bool = False
    limit: int = 0
    phases: list[int] = field(default_factory=list)
    until: time | None = None


seen = {}
for key, value in (
    ("serial", None),
    ("locked", "false"),
    ("locked", None),
    ("limit", 5.7),
    ("phases", "123"),
    ("until", "24:00"),
):
    seen[key, value] = getattr(Device.from_dict({key: value}), key)
    print(f"{key} = {value!r} is read as {seen[key, value]!r}")
print("mashumaro", version("mashumaro"))
assert seen == {
    ("serial", None): "None",
    ("locked", "false"): True,
    ("locked", None): False,
    ("limit", 5.7): 5,
    ("phases", "123"): [1, 2, 3],
    ("until", "24:00"): time(0),
}, seen
EOF
