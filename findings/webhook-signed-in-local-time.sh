#!/usr/bin/env bash
# Signing a webhook with standardwebhooks and a time that knows its zone.
# Expected: sign(id, timestamp, data) signs the instant that the datetime stands for, so that the
# receiver, who has it in seconds, can check it.
# Happens: the zone is thrown away and the clock's figures are read as UTC: what was signed in Berlin
# is signed for one or two hours later, and does not verify against int(timestamp.timestamp()). A time
# without zone works only as UTC. svix uses the same code. Seen with standardwebhooks 1.1.0.
# Why it matters: a test server that signs with Home Assistant's dt_util.now() is refused, with "no
# matching signature" and no word about time.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
packages=(standardwebhooks==1.1.0 tzdata==2026.1)
if command -v uv >/dev/null; then
  uv venv --quiet --python "${PYTHON:-python3.14}" "$work/venv"
  uv pip install --quiet --python "$work/venv/bin/python" "${packages[@]}"
else
  "${PYTHON:-python3.14}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet "${packages[@]}"
fi

"$work/venv/bin/python" -I - "$work" <<'EOF'
from base64 import b64encode
from datetime import UTC, datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook("whsec_" + b64encode(b"only for this test").decode())
instant = datetime.now(UTC)
body = '{"type":"test"}'
seen = {}
for name in ("UTC", "Europe/Berlin", "America/New_York"):
    moment = instant.astimezone(ZoneInfo(name))
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": webhook.sign("msg_1", moment, body),
    }
    try:
        webhook.verify(body, headers)
        seen[name] = "verified"
    except WebhookVerificationError as err:
        seen[name] = str(err)
    print(f"signed at {moment:%H:%M %Z}: {seen[name]}")
print("standardwebhooks", version("standardwebhooks"))
assert seen == {
    "UTC": "verified",
    "Europe/Berlin": "No matching signature found",
    "America/New_York": "No matching signature found",
}, seen
EOF
