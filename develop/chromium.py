"""The browser that tests and pictures look with: Chromium, on this machine only."""

import os
from pathlib import Path
import shutil
import sys
from typing import Final

ARGUMENTS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever a page asks for, only this machine is asked.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_NAMES: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
MISSING: Final = "There is no Chromium: scripts/setup --browser looks for one"


def find() -> str | None:
    """Return the browser that was named, that set-up found, or that is there."""
    found = Path(sys.prefix) / "chromium-path"
    candidates = [
        os.environ.get("AMPS_AI_CHROMIUM") or None,
        found.read_text(encoding="utf-8").strip() if found.exists() else None,
        *_NAMES,
    ]
    for candidate in candidates:
        if candidate is not None and (path := shutil.which(candidate)):
            return path
    return None
