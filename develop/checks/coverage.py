"""Check coverage.json: module by module, some to the last branch."""

import json
from pathlib import Path
import sys

COMPLETE = ("custom_components/amps_ai/config_flow.py",)
# Of the integration. A whole can hide a part that nothing tests.
EACH = 95


def main() -> int:
    """Name what is missing; non-zero if anything is."""
    measured = json.loads(Path("coverage.json").read_text())["files"]
    failed = False
    for name, module in sorted(measured.items()):
        percent = module["summary"]["percent_covered"]
        if name.startswith("custom_components/") and percent <= EACH:
            print(f"{name}: {percent:.1f} %; must be over {EACH} %")
            failed = True
    for name in COMPLETE:
        if (module := measured.get(name)) is None:
            print(f"{name}: not measured")
            failed = True
            continue
        lines = module["missing_lines"]
        branches = [f"{start}->{end}" for start, end in module["missing_branches"]]
        if lines or branches:
            print(f"{name}: must be 100 %; missing: {[*lines, *branches]}")
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
