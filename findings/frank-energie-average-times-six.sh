#!/usr/bin/env bash
# What the energy bill is per month on average this year, from python-frank-energie.
# Expected: calculate_average_costs_per_month(2026) and
# calculate_average_costs_per_month_this_year() are the same figure while it is 2026:
# with bills of 100 EUR each month, 100.
# Happens: the second one is the average, times twelve, through the number of the present
# month. It is 600 in February, 300 in April, 200 at the end of June, and 100 in December
# only. The expected costs of the year, next to it, are right. Seen with
# python-frank-energie 2026.9.20.
# Why it matters: the figure is plausible in most months, falls all year long without
# anybody saving, and is right when a developer looks at it in December.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(python-frank-energie==2026.9.20 freezegun==1.5.5 tzdata==2026.1)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from importlib.metadata import version

from freezegun import freeze_time
from python_frank_energie.models import Invoices


def bill(month):
    """Return the bill of a month, as the service tells it."""
    return {
        "id": str(month),
        "startDate": f"2026-{month:02}-01",
        "periodDescription": f"2026-{month:02}",
        "totalAmount": 100.0,
    }


print("python-frank-energie", version("python-frank-energie"))
seen = {}
for today, count in (
    ("2026-02-05", 1),
    ("2026-04-10", 3),
    ("2026-06-30", 6),
    ("2026-12-31", 11),
):
    with freeze_time(today):
        bills = [bill(month) for month in range(1, count + 1)]
        invoices = Invoices.from_dict({"data": {"invoices": {"allInvoices": bills}}})
        seen[today] = (
            invoices.calculate_average_costs_per_month(2026),
            invoices.calculate_average_costs_per_month_this_year(),
            invoices.calculate_expected_costs_this_year(),
        )
    print(f"{today}, {count} bills of 100: per month of 2026 {seen[today][0]}, of this")
    print(f"  year {seen[today][1]}, expected for the year {seen[today][2]}")
assert seen == {
    "2026-02-05": (100, 600, 1200),
    "2026-04-10": (100, 300, 1200),
    "2026-06-30": (100, 200, 1200),
    "2026-12-31": (100, 100, 1200),
}, seen
EOF
