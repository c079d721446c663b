#!/usr/bin/env bash
# Selectors of Home Assistant, given what their form would never let a person pick.
# Expected: a selector validates what it draws: the same bounds, filters and types.
# Happens: some of it only draws. An entity selector refuses another domain when asked with
# "domain", and takes it when asked with "filter", the form that replaced it; a device
# selector takes any text; a number's step and a text's type count for nothing; "nan" is
# between 6 and 32; and a boolean says yes to "maybe". Seen with Home Assistant 2026.11.0.
# Why it matters: flows and actions are also called by scripts, tests and language models.
# What cannot work has to be refused by the integration itself.
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
import probatio

LIMIT = selector.NumberSelector({"min": 6, "max": 32, "step": 1})
seen = []
for given, name, value in (
    (selector.EntitySelector({"domain": "climate"}), "domain climate", "light.hall"),
    (
        selector.EntitySelector({"filter": {"domain": "climate"}}),
        "filter climate",
        "light.hall",
    ),
    (
        selector.DeviceSelector({"filter": {"integration": "shelly"}}),
        "device of shelly",
        "no device",
    ),
    (LIMIT, "6 to 32", 33),
    (LIMIT, "6 to 32, step 1", 16.5),
    (LIMIT, "6 to 32", "nan"),
    (selector.TextSelector({"type": "email"}), "e-mail", "no mail"),
    (selector.BooleanSelector({}), "boolean", "maybe"),
):
    try:
        answer = repr(given(value))
    except probatio.Invalid:
        answer = "refused"
    seen.append(answer)
    print(f"{name}: {value!r} -> {answer}")
print("Home Assistant", __version__)
assert seen == [
    "refused",
    "'light.hall'",
    "'no device'",
    "refused",
    "16.5",
    "nan",
    "'no mail'",
    "True",
], seen
EOF
