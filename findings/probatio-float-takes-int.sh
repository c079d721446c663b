#!/usr/bin/env bash
# A schema that asks for a float, with voluptuous and with probatio.
# Expected: Home Assistant runs "import voluptuous" with probatio, as a drop-in, so a schema
# judges the same with both.
# Happens: {"power": float} refuses 21 with voluptuous, and takes it with probatio, where it comes
# out as 21.0. A key in Remove() that another key of the schema would take as well stays with
# voluptuous, and is removed with probatio. Seen with voluptuous 0.16.0 and probatio 0.13.0.
# Why it matters: a schema that is tested without Home Assistant, or shared with a program of its
# own, says no to what the integration says yes to.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(voluptuous==0.16.0 probatio==0.13.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from importlib.metadata import version

import probatio
import voluptuous

seen = {}
for module in (voluptuous, probatio):
    name = module.__name__
    try:
        number = repr(module.Schema({"power": float})({"power": 21})["power"])
    except module.Invalid as err:
        number = f"refused ({type(err).__name__})"
    schema = module.Schema({module.Remove("secret"): str, str: str})
    kept = sorted(schema({"secret": "x", "name": "y"}))
    seen[name] = (number, kept)
    print(f"{name} {version(name)}: 21 as float: {number}; kept keys: {kept}")
assert seen == {
    "voluptuous": ("refused (MultipleInvalid)", ["name", "secret"]),
    "probatio": ("21.0", ["name"]),
}, seen
EOF
