"""Facts of a Windows guest as rows of text."""

from __future__ import annotations

from collections.abc import Iterator

from diskwright.model.windows import Hibernation, WindowsFacts, WindowsService

_STARTS = {0: "at boot", 1: "with the system", 2: "by itself", 3: "on demand", 4: "never"}
_SHOWN = 20
_PORT = 3389


def windows_rows(windows: WindowsFacts) -> Iterator[tuple[str, str]]:
    """`(key, value)`; an empty key goes on with the one above."""
    said = [windows.edition, windows.release, windows.build and f"build {windows.build}"]
    if any(said):
        yield "windows", ", ".join(filter(None, said))
    key = "drivers"
    for service in windows.services or ():
        yield key, _service(service)
        key = ""
    bound = [f"{d.device} by {d.service}" for d in windows.device_drivers or ()]
    if windows.device_drivers is not None:
        yield "devices", ", ".join(dict.fromkeys(bound[:_SHOWN])) or "no virtio device is bound"
    if windows.remote_desktop is not None:
        yield (
            "remote",
            f"Remote Desktop {'on' if windows.remote_desktop else 'off'}{_open(windows)}",
        )
    state = list(_state(windows))
    if state:
        yield "state", ", ".join(state)


def _service(service: WindowsService) -> str:
    starts = service.starts
    parts = [
        service.name,
        "start not known" if starts is None else _STARTS.get(starts, str(starts)),
    ]
    if service.override is not None:
        parts.append("by StartOverride")
    if service.file_exists is False:
        parts.append(f"{service.file} is missing")
    return f"{parts[0]} {', '.join(parts[1:])}"


def _open(windows: WindowsFacts) -> str:
    service = "" if windows.remote_desktop_service is not False else ", its service does not start"
    port = windows.remote_desktop_port
    return f"{'' if port in (None, _PORT) else f' at port {port}'}{service}{_firewall(windows)}"


def _firewall(windows: WindowsFacts) -> str:
    if windows.firewall_by_policy:
        return ", firewall by a group policy"
    enabled = [profile.name for profile in windows.firewall or () if profile.enabled]
    if not enabled:
        return ", firewall off" if windows.firewall else ""
    rule = {True: ", which lets it in", False: ", which keeps it out", None: ""}
    return f", firewall on ({', '.join(enabled)}){rule[windows.remote_desktop_allowed]}"


def _state(windows: WindowsFacts) -> Iterator[str]:
    if windows.image_state:
        yield windows.image_state
    if windows.generalization_state is not None:
        yield f"generalization {windows.generalization_state}"
    if windows.hibernation is Hibernation.SAVED:
        yield "hibernated"
    if windows.fast_startup:
        yield "fast startup on"
    if windows.pending_reboot:
        yield "waits for a restart"
