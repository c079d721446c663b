#!/usr/bin/env bash
# energyzero's "percentage of the highest price" on a sunny Sunday.
# Expected: between 0 and 100: how near the price is to the day's highest.
# Happens: it is a plain quotient. When the highest price is below zero, as on days with
# much sun and wind, the cheapest hour is 3000 % of the highest; with a highest price of
# 0 it raises ZeroDivisionError; and a day of which the present hour is not known has 0
# %, as if it were free. Seen with energyzero 5.1.1.
# Why it matters: "charge below 60 %" is a common automation, and does not charge in the
# best hours of the year.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(energyzero==5.1.1)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from energyzero.const import PriceType
from energyzero.models import EnergyPrices


def day(begin, values):
    """Return the prices of some hours as the service tells them."""
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    blocks = [
        {
            "start": (begin + timedelta(hours=hour)).strftime(stamp),
            "end": (begin + timedelta(hours=hour + 1)).strftime(stamp),
            "price": {"value": str(value)},
        }
        for hour, value in enumerate(values)
    ]
    return EnergyPrices.from_rest_dict({"base": blocks}, PriceType.MARKET)


now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
seen = []
for name, prices in (
    ("highest below zero", day(now, (-0.30, -0.01))),
    ("highest is zero", day(now, (-0.30, 0.0))),
    ("present hour unknown", day(now + timedelta(hours=5), (0.20, 0.30))),
):
    try:
        seen.append(prices.pct_of_max_price)
    except ZeroDivisionError as err:
        seen.append(type(err).__name__)
    print(f"{name}: {prices.current_price} -> {seen[-1]}")
print("energyzero", version("energyzero"))
assert seen == [3000.0, "ZeroDivisionError", 0.0], seen
EOF
