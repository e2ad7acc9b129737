"""How the log of release engineering is laid out: groups of components, and how their entries are shown.

Source: statscache_plugins, ``releng/__init__.py``, whose dashboard reads it.
"""

from __future__ import annotations

from typing import Any


def _component(id_: str, name: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401 what a dashboard reads
    return {"id": id_, "name": name, **options}


LAYOUT: dict[str, Any] = {
    "groups": [
        {
            "id": "compose",
            "components": [
                _component("compose-rawhide_primary", "Rawhide Compose (Primary)"),
                *(_component(f"compose-rawhide_{arch}", f"Rawhide Compose ({arch})") for arch in ("arm", "ppc", "s390")),
            ],
        },
        {
            "id": "updates",
            "components": [
                _component("updates-fedora", "Repo Updates (Fedora)"),
                _component("updates-epel", "Repo Updates (EPEL)"),
            ],
        },
        {
            "id": "amis",
            "components": [
                _component("ami-branched", "AMIs (branched)", link_for="name", show_time_at=False),
                _component("ami-rawhide", "AMIs (rawhide)", link_for="message", show_time_at=False),
            ],
        },
        {
            "id": "appliance",
            "name": "Appliance builds (rawhide)",
            "components": [_component("artifact-appliance_armhfp", "armhfp", show_status=False, show_time_at=False)],
        },
        {
            "id": "livecd",
            "name": "LiveCD builds (rawhide)",
            "components": [_component(f"artifact-livecd_{arch}", arch, show_time_at=False) for arch in ("x86_64", "i686")],
        },
    ],
    "default_options": {
        "show_time_at": True,
        "show_status": True,
        "status_verb_map": {"complete": "completed", "start": "started", "open": "opened", "close": "closed"},
        "status_class_map": {
            "complete": "text-primary",
            "start": "text-warning",
            "failed": "text-danger",
            "closed": "text-primary",
            "open": "text-warning",
            "opened": "text-warning",
        },
        "old_log_threshold": {"key": "hours", "value": 24},
    },
}
