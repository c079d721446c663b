#!/usr/bin/env bash
# Saying a temperature to Assist, with its own sentences.
# Expected: what can be set on the thermostat can be said, with its unit.
# Happens: halves are known, tenths are not ("20.3"), nor is anything below zero. In
# English "degrees" and "°" are known, but "degrees Celsius", "20 C" and "68 degrees
# Fahrenheit" are no sentence; German knows "Grad Celsius". Seen with hassil 3.12.1 and
# home-assistant-intents 2026.10.6.
# Why it matters: a thermostat with steps of 0.1 K, frost protection, or a house with
# guests from elsewhere: "sorry, I couldn't understand that", with nothing wrong.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(hassil==3.12.1 home-assistant-intents==2026.10.6)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from importlib.metadata import version

from hassil import recognize
from hassil.intents import Intents, TextSlotList
from home_assistant_intents import get_intents

areas = TextSlotList.from_strings(["kitchen", "Küche"], name="area")
lists = {
    "area": areas,
    "name": TextSlotList.from_strings([], name="name"),
    "floor": TextSlotList.from_strings([], name="floor"),
}
seen = {}
for language, begin, ends in (
    (
        "en",
        "set kitchen temperature to",
        (
            "20",
            "20.5 degrees",
            "20.3 degrees",
            "minus 5 degrees",
            "20 degrees Celsius",
            "20 C",
            "68 degrees Fahrenheit",
        ),
    ),
    (
        "de",
        "stelle die Temperatur in der Küche auf",
        ("20,5 Grad", "20,3 Grad", "minus 5 Grad", "20 Grad Celsius"),
    ),
):
    intents = Intents.from_dict(get_intents(language))
    for end in ends:
        result = recognize(f"{begin} {end}", intents, slot_lists=lists)
        value = None if result is None else result.entities["temperature"].value
        seen[end] = value
        print(f"{begin} {end}: {'not understood' if value is None else value}")
print("hassil", version("hassil"), "intents", version("home-assistant-intents"))
assert seen == {
    "20": 20,
    "20.5 degrees": 20.5,
    "20.3 degrees": None,
    "minus 5 degrees": None,
    "20 degrees Celsius": None,
    "20 C": None,
    "68 degrees Fahrenheit": None,
    "20,5 Grad": 20.5,
    "20,3 Grad": None,
    "minus 5 Grad": None,
    "20 Grad Celsius": 20,
}, seen
EOF
