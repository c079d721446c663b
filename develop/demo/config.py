"""What the demo's Home Assistant finds when it starts."""

from collections.abc import Mapping
from dataclasses import dataclass
import json
from pathlib import Path
import shutil
from typing import Any, Final

import yaml

from develop import ROOT

DASHBOARD: Final = "amps-home"
USER_ID: Final = "0123456789abcdef0123456789abcdef"
LOG: Final = "home-assistant.log"

# Chosen by hand: the usual set looks for devices in the network and talks to
# servers on the internet.
COMPONENTS: Final = (
    "assist_pipeline",
    "config",
    "conversation",
    "energy",
    "frontend",
    "history",
    "logbook",
    "my",
    "sun",
)

# Files that the editors of the front end write to.
INCLUDES: Final = """\
automation: !include automations.yaml
scene: !include scenes.yaml
script: !include scripts.yaml
"""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """A configuration folder of Home Assistant."""

    folder: Path
    port: int
    # Whether the integration is there, and its dashboard the one to begin with.
    with_entry: bool
    # Where the sandbox is, and what it wrote of the week before.
    sandbox: str
    past: Path
    # Whether nothing stands around the devices.
    bare: bool

    def write(self) -> None:
        """Write all of it anew, but what Home Assistant keeps for itself."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(
            self.folder / "configuration.yaml",
            yaml.safe_dump(self._yaml(), sort_keys=False) + INCLUDES,
        )
        for name in ("automations", "scenes", "scripts"):
            path = self.folder / f"{name}.yaml"
            if not path.exists():
                _write(path, "{}\n" if name == "scripts" else "[]\n")
        self._link("amps_ai", ROOT / "custom_components" / "amps_ai")
        self._link("demo_home", Path(__file__).parent / "demo_home")
        if not self.bare:
            self._copy_blueprints()
        for key, data in self._stores().items():
            self._store(key, data)
        # The web server's settings have their own version, and are never kept:
        # the port may be another one this time.
        http = {"server_host": ["127.0.0.1"], "server_port": self.port}
        self._store("http", http, keep=False)

    def _yaml(self) -> dict[str, Any]:
        """Return the configuration."""
        url = f"http://127.0.0.1:{self.port}"
        configuration: dict[str, Any] = {
            "homeassistant": {
                "name": "Home",
                "latitude": 52.52,
                "longitude": 13.405,
                "elevation": 34,
                "unit_system": "metric",
                "currency": "EUR",
                "country": "DE",
                "language": "en",
                "time_zone": "Europe/Berlin",
                "internal_url": url,
                "external_url": url,
                "auth_providers": [
                    {
                        "type": "trusted_networks",
                        "trusted_networks": ["127.0.0.1"],
                        "allow_bypass_login": True,
                    }
                ],
                # The usual ones need packages that nothing here uses.
                "auth_mfa_modules": [],
            },
            "logger": {
                "default": "warning",
                "logs": {"custom_components.amps_ai": "info"},
            },
            "person": [{"id": "demo", "name": "Demo", "user_id": USER_ID}],
        }
        configuration |= {name: {} for name in COMPONENTS}
        if self.with_entry:
            configuration["demo_home"] = {
                "meter": f"{self.sandbox}/_sandbox/house",
                "past": str(self.past),
                "bare": self.bare,
            }
        if shutil.which("ffmpeg") is None:
            # Nothing here plays or records. A program that says nothing will do.
            configuration["ffmpeg"] = {"ffmpeg_bin": shutil.which("true") or "true"}
        return configuration

    def _stores(self) -> dict[str, Any]:
        """Return what is there from the start: an owner, and no questions open."""
        stores: dict[str, Any] = {
            "auth": {
                "users": [
                    {
                        "id": USER_ID,
                        "group_ids": ["system-admin"],
                        "is_owner": True,
                        "is_active": True,
                        "name": "Demo",
                        "system_generated": False,
                        "local_only": True,
                    }
                ],
                "groups": [
                    {"id": "system-admin", "name": "Administrators"},
                    {"id": "system-users", "name": "Users"},
                    {"id": "system-read-only", "name": "Read Only"},
                ],
                "credentials": [],
                "refresh_tokens": [],
            },
            "onboarding": {"done": ["user", "core_config", "analytics", "integration"]},
            "core.analytics": {"onboarded": True, "preferences": {}, "uuid": None},
        }
        if self.with_entry:
            stores["frontend.system_data"] = {"core": {"default_panel": DASHBOARD}}
            # As it is after Settings → Dashboards → Add dashboard.
            stores["lovelace_dashboards"] = {"items": [LOVELACE]}
            stores[f"lovelace.{LOVELACE['id']}"] = {
                "config": {"strategy": {"type": "custom:amps-ai"}}
            }
        return stores

    def _store(self, key: str, data: Mapping[str, Any], *, keep: bool = True) -> None:
        """Write one of Home Assistant's stores, unless it is there already."""
        version, minor = VERSIONS.get(key, (1, 1))
        path = self.folder / ".storage" / key
        if keep and path.exists():
            return
        path.parent.mkdir(mode=0o700, exist_ok=True)
        _write(
            path,
            json.dumps(
                {"version": version, "minor_version": minor, "key": key, "data": data}
            ),
        )

    def _link(self, name: str, integration: Path) -> None:
        """Link an integration of this checkout."""
        link = self.folder / "custom_components" / name
        link.parent.mkdir(exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(integration)

    def _copy_blueprints(self) -> None:
        """Install the blueprints, as importing them does; changed ones stay."""
        there = self.folder / "blueprints" / "automation" / "amps_ai"
        there.mkdir(parents=True, exist_ok=True)
        for blueprint in (ROOT / "blueprints" / "automation" / "amps_ai").iterdir():
            if not (copy := there / blueprint.name).exists():
                shutil.copy(blueprint, copy)


# The versions that the stores are written in; Home Assistant brings older ones
# up to date by itself.
VERSIONS: Final = {"onboarding": (4, 1)}

LOVELACE: Final[dict[str, Any]] = {
    "id": "amps_home",
    "url_path": DASHBOARD,
    "mode": "storage",
    "title": "Amps AI",
    "icon": "mdi:home-lightning-bolt",
    "show_in_sidebar": True,
    "require_admin": False,
}


def _write(path: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
