#!/usr/bin/env bash
# A script of Home Assistant, as a language model is told of it when it may call it.
# Expected: the model gets what a person gets in the dialog: 6 to 32 A in steps of 1,
# "Off" or "Solar only", a power sensor.
# Happens: what the model gets of a selector is the type, the bounds and the values. The
# unit and the step are left out, and so are the names of options: it may choose from "0"
# and "1". An entity is any entity. Only the field's own description comes along. Seen
# with Home Assistant 2026.11.0.
# Why it matters: "charge with 7 kilowatts" becomes 7 amperes, and "solar only" a guess.
# Who writes actions for an assistant has to repeat unit and meaning in each description.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(homeassistant==2026.11.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from homeassistant.const import __version__
from homeassistant.helpers import selector
from homeassistant.helpers.llm import selector_serializer
import probatio

seen = {}
for name, config in (
    ("limit", {"number": {"min": 6, "max": 32, "step": 1, "unit_of_measurement": "A"}}),
    (
        "mode",
        {
            "select": {
                "options": [
                    {"value": "0", "label": "Off"},
                    {"value": "1", "label": "Solar only"},
                ]
            }
        },
    ),
    ("meter", {"entity": {"filter": {"domain": "sensor", "device_class": "power"}}}),
):
    schema = probatio.Schema({probatio.Required(name): selector.selector(config)})
    told = probatio.to_openapi(schema, custom_serializer=selector_serializer)
    seen[name] = told["properties"][name]
    print(f"{name}: {config}")
    print("  the model is told", seen[name])
print("Home Assistant", __version__)
assert seen == {
    "limit": {"type": "number", "minimum": 6, "maximum": 32},
    "mode": {"type": "string", "enum": ["0", "1"]},
    "meter": {"type": "string", "format": "entity_id"},
}, seen
EOF
