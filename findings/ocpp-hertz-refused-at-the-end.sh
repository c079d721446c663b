#!/usr/bin/env bash
# A charger of OCPP 1.6 that tells the grid's frequency, in two messages of one session.
# Expected: a sampled value is the same type in MeterValues and in StopTransaction's
# transactionData; OCPP 1.6 says in its errata that a frequency is in Hertz.
# Happens: the schemas of the Python library ocpp differ: "Hertz" is taken while the car
# charges, and refused when it stops, where the same list of units lacks this one word.
# Nor is it in the library's enum. Seen with ocpp 2.1.0.
# Why it matters: the one message that ends the session and holds its last reading is
# answered with an error, so the session stays open, and the charger sends it again.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(ocpp==2.1.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
import asyncio
from importlib.metadata import version

from ocpp.exceptions import OCPPError
from ocpp.messages import Call, validate_payload
from ocpp.v16.enums import Measurand, UnitOfMeasure

TIME = "2026-11-02T12:00:00Z"
PAYLOADS = {
    "MeterValues": lambda values: {"connectorId": 1, "meterValue": values},
    "StopTransaction": lambda values: {
        "transactionId": 1,
        "meterStop": 1200,
        "timestamp": TIME,
        "transactionData": values,
    },
}


async def main():
    print("ocpp", version("ocpp"))
    seen = {}
    for action, payload in PAYLOADS.items():
        for measurand, value, unit in (
            (Measurand.voltage, "230", "V"),
            (Measurand.frequency, "50.01", "Hertz"),
        ):
            sample = {"measurand": measurand.value, "value": value, "unit": unit}
            values = [{"timestamp": TIME, "sampledValue": [sample]}]
            try:
                await validate_payload(Call("1", action, payload(values)), "1.6")
            except OCPPError as err:
                seen[action, unit] = type(err).__name__
            else:
                seen[action, unit] = "taken"
            print(f"{action}, {value} {unit}: {seen[action, unit]}")
    assert seen == {
        ("MeterValues", "V"): "taken",
        ("MeterValues", "Hertz"): "taken",
        ("StopTransaction", "V"): "taken",
        ("StopTransaction", "Hertz"): "FormatViolationError",
    }, seen
    assert "Hertz" not in {unit.value for unit in UnitOfMeasure}


asyncio.run(main())
EOF
