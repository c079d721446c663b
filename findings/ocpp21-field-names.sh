#!/usr/bin/env bash
# The field names of OCPP 2.1 in the Python library ocpp.
# Expected: the library turns names to snake_case for Python and back for the wire, so
# each name of its own schemas comes back as it was.
# Happens: more than forty names do not: limit_L2 leaves as limitL2, fixedPF as fixedPf,
# taxRuleID as taxRuleId, evMaximumLevel1DCInjection as ...DcInjection. The schema then
# refuses the message. Seen with ocpp 2.1.0.
# Why it matters: limits for single phases, discharging and most DER controls, which are
# what 2.1 is for, cannot be sent; a charger may well send them.
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
import json
from pathlib import Path

import ocpp
from ocpp.charge_point import camel_to_snake_case, snake_to_camel_case
from ocpp.exceptions import FormatViolationError
from ocpp.messages import Call, validate_payload


def names(schema):
    """Return all names of properties in a schema."""
    if isinstance(schema, list):
        return {name for part in schema for name in names(part)}
    if not isinstance(schema, dict):
        return set()
    found = set(schema.get("properties", ()))
    return found.union(*(names(part) for part in schema.values()))


def there_and_back(payload):
    """Return what is sent of what was received."""
    return snake_to_camel_case(camel_to_snake_case(payload))


async def judge(payload):
    """Return what the library's own validation says."""
    call = Call(unique_id="1", action="SetChargingProfile", payload=payload)
    try:
        await validate_payload(call, "2.1")
    except FormatViolationError as err:
        return str(err.details["cause"]).split("(")[-1].rstrip(")")
    return "valid"


print("ocpp", version("ocpp"))
changed = {}
for release in ("v16", "v201", "v21"):
    found = set()
    for path in (Path(ocpp.__file__).parent / release / "schemas").glob("*.json"):
        found |= names(json.loads(path.read_text(encoding="utf-8-sig")))
    changed[release] = [n for n in sorted(found) if there_and_back({n: 0}) != {n: 0}]
    print(f"{release}: {len(changed[release])} of {len(found)} names are changed")
print(*changed["v21"], sep=", ")
profile = {
    "evseId": 1,
    "chargingProfile": {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [
            {
                "id": 1,
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [
                    {"startPeriod": 0, "limit": 16, "limit_L2": 10, "limit_L3": 10}
                ],
            }
        ],
    },
}
before = asyncio.run(judge(profile))
after = asyncio.run(judge(there_and_back(profile)))
print("a profile for each phase:", before, "- as it is sent:", after)
assert {"limit_L2", "setpoint_L3", "fixedPF", "taxRuleID"} <= set(changed["v21"])
assert len(changed["v21"]) > 40, len(changed["v21"])
assert before == "valid", before
assert "limitL2" in after, after
EOF
