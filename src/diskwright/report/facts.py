"""Facts as text, for `inspect`: the image file, its disk, the guest, and what stayed unread."""

from __future__ import annotations

from collections.abc import Iterable

from diskwright.model.guest import (
    Bootloader,
    CloudInit,
    FileSystem,
    GuestFacts,
    Kernel,
    OsRelease,
    Unread,
)
from diskwright.model.image import ImageFacts, ImageFormat
from diskwright.model.network import Network
from diskwright.model.partitions import PartitionTable
from diskwright.model.text import printable
from diskwright.model.units import format_size
from diskwright.model.volumes import Volume
from diskwright.report.services import services_said
from diskwright.report.windows import windows_rows

_KEY_WIDTH = 13
_SERIAL = ("ttyS", "ttyAMA", "hvc")  # and what follows a comma is its speed

# What a format calls the pieces that it keeps a disk in, where it is not clusters.
_UNITS = {
    ImageFormat.VMDK: "grains",
    ImageFormat.VHD: "blocks",
    ImageFormat.VHDX: "blocks",
    ImageFormat.VDI: "blocks",
}


def facts_text(name: str, image: ImageFacts, guest: GuestFacts | None = None) -> str:
    """One fact a line, `key value`; lines without a key go on with the one above."""
    rows = [("image", name), *image_rows(image)]
    if guest is not None:
        rows += guest_rows(guest)
    return "\n".join(f"{key:<{_KEY_WIDTH}}{printable(value)}" for key, value in rows)


_Rows = list[tuple[str, str]]  # not printable yet; without a key: goes on with the one above


def _under(key: str, values: Iterable[str]) -> _Rows:
    """The key beside the first value only."""
    return [(key if index == 0 else "", value) for index, value in enumerate(values)]


def image_rows(image: ImageFacts) -> _Rows:
    said = [" ".join(filter(None, (image.format.value, image.subformat)))]
    if image.version is not None:
        said.append(f"version {image.version}")
    if image.cluster_size is not None:
        unit = _UNITS.get(image.format, "clusters")
        said.append(f"{unit} of {format_size(image.cluster_size)}")
    if image.compressed:
        said.append("compressed")
    rows = [
        ("format", ", ".join(said)),
        ("disk", f"{format_size(image.virtual_size)} ({image.virtual_size} bytes)"),
        ("file", f"{format_size(image.file_size)} ({image.file_size} bytes)"),
    ]
    if image.packed_in is not None and image.unpacked_size is not None:
        unpacked = f"{image.packed_in.value}, unpacked to {format_size(image.unpacked_size)}"
        rows.append(("packed", unpacked))
    if image.exact_size != image.virtual_size:
        rows.append(("exact size", f"{image.exact_size} bytes"))
    if image.snapshots:
        rows.append(("snapshots", str(image.snapshots)))
    rows += _under("features", image.features)
    rows += _under("names", (f"{one.kind} {one.name}" for one in image.references))
    return rows + _under("odd", (f"{p.code}: {p.detail}" for p in image.problems))


def guest_rows(guest: GuestFacts) -> _Rows:
    rows: _Rows = []
    if guest.table is not None:
        rows += _table(guest.table)
    rows += _under("volumes", map(_volume, guest.volumes))
    if guest.filesystems is not None:
        lines = (_filesystem(i == guest.root, fs) for i, fs in enumerate(guest.filesystems))
        rows += _under("file systems", lines)
    if guest.os is not None:
        rows.append(("system", _os(guest.os) + (f", {guest.libc}" if guest.libc else "")))
    if guest.windows is not None:
        rows += windows_rows(guest.windows)
    if guest.bootloader is not None and _seen(guest.bootloader):
        rows += _under("boot", _boot(guest.bootloader))
    if guest.kernels is not None:
        rows += _under("kernel", map(_kernel, guest.kernels))
    if guest.fstab is not None:
        rows += _under("fstab", (f"{e.spec} on {e.mount_point} ({e.type})" for e in guest.fstab))
    if guest.crypttab:
        rows += _under("crypttab", (f"{e.spec} as {e.name}" for e in guest.crypttab))
    if guest.network is not None:
        rows += _under("network", _network(guest.network))
    if guest.cloud_init is not None:
        name = "cloud-init" if guest.windows is None else "cloudbase"
        rows.append((name, _cloud_init(guest.cloud_init)))
    if guest.accounts is not None:
        said = ", ".join(f"{a.name} ({a.password})" for a in guest.accounts if a.shell)
        rows.append(("passwords", said or "nobody has one"))
    if guest.ssh is not None and guest.ssh.installed:
        words = f", passwords: {guest.ssh.passwords}" if guest.ssh.passwords else ""
        rows.append(("ssh", f"root login: {guest.ssh.root_login}{words}"))
    if guest.services is not None:
        rows += _under("services", services_said(guest.services))
    if guest.left is not None:
        keys = [f"host key: {path}" for path in guest.ssh.host_keys] if guest.ssh else []
        rows += _under("left", [*keys, *(f"{f.kind}: {f.path}" for f in guest.left.files)])
    rows += _under("odd", (f"{p.code}: {p.detail}" for p in guest.problems))
    return rows + _under("not read", _unread(guest.unread))


def _unread(unread: Iterable[Unread]) -> Iterable[str]:
    """Each reason once, with all that it kept from being read."""
    sections: dict[str, list[str]] = {}
    for entry in unread:
        sections.setdefault(entry.reason, []).append(entry.section)
    return (f"{', '.join(names)}: {reason}" for reason, names in sections.items())


def _table(table: PartitionTable) -> _Rows:
    rows = [("table", f"{table.kind}, sectors of {table.sector_size} bytes")]
    rows += _under(
        "partitions",
        (
            f"{p.number}  {format_size(p.length)} at {p.start}  {p.role}"
            + ("  active" if p.active else "")
            + (f"  {p.label!r}" if p.label else "")
            for p in table.partitions
        ),
    )
    return rows + _under("odd", (f"{p.code}: {p.detail}" for p in table.problems))


def _volume(volume: Volume) -> str:
    parts = [f"{volume.name}  {format_size(volume.size)}"]
    if volume.partitions:
        numbers = ", ".join(map(str, volume.partitions))
        parts.append(f"on partition{'s' if len(volume.partitions) > 1 else ''} {numbers}")
    return "; ".join(filter(None, (*parts, volume.note)))


def _filesystem(is_root: bool, fs: FileSystem) -> str:
    parts = [f"{fs.type} on {fs.place}"]
    if is_root:
        parts.append("root")
    if fs.uuid:
        parts.append(f"UUID {fs.uuid}")
    if fs.label:
        parts.append(f"label {fs.label}")
    if fs.size is not None:
        free = f", {format_size(fs.free)} free" if fs.free is not None else ""
        parts.append(format_size(fs.size) + free)
    if fs.subvolumes:
        parts.append(f"subvolumes {', '.join(_subvolumes(fs))}")
    if fs.dirty:
        parts.append("not unmounted cleanly")
    if fs.note:
        parts.append(fs.note)
    return "; ".join(parts)


_SHOWN = 12  # subvolumes; snapshots can be hundreds


def _subvolumes(fs: FileSystem) -> Iterable[str]:
    for one in fs.subvolumes[:_SHOWN]:
        said = [
            "default" if one.number == fs.default_subvolume else "",
            "read-only" if one.readonly else "",
        ]
        words = ", ".join(filter(None, said))
        yield one.path + (f" ({words})" if words else "")
    if len(fs.subvolumes) > _SHOWN:
        yield f"and {len(fs.subvolumes) - _SHOWN} more"


def _os(os: OsRelease) -> str:
    said = os.name or os.id
    version = f" ({os.id} {os.version_id})" if os.version_id else f" ({os.id})"
    return said + version + (f", {os.architecture}" if os.architecture else "")


def _seen(loader: Bootloader) -> bool:
    return any((loader.name, loader.bios, loader.uefi, loader.esp_fallback, loader.config))


def _boot(loader: Bootloader) -> Iterable[str]:
    modes = [name for name, found in (("bios", loader.bios), ("uefi", loader.uefi)) if found]
    yield f"{loader.name or 'unknown loader'}, starts by {' and '.join(modes) or 'nothing seen'}"
    if loader.esp_fallback:
        yield f"fallback {loader.esp_fallback}"
    if loader.config:
        number = len(loader.entries)
        entries = f", {number} {'entry' if number == 1 else 'entries'}" if number else ""
        yield f"configured by {loader.config}{entries}"
    for entry in loader.entries[:1]:
        yield f"first entry: {entry.kernel} {entry.command_line}"
        if serial := [name for name in entry.consoles if name.startswith(_SERIAL)]:
            yield f"serial console {', '.join(serial)}"


def _kernel(kernel: Kernel) -> str:
    parts = [kernel.version + (" (default)" if kernel.default else "")]
    if kernel.initramfs is not None:
        initramfs = kernel.initramfs
        parts.append(f"{initramfs.path} {initramfs.state}")
        virtio = [name for name in initramfs.modules if name.startswith("virtio")]
        if virtio:
            parts.append("with " + " ".join(virtio))
    if kernel.builtin:
        parts.append("built in: " + " ".join(kernel.builtin))
    return "; ".join(parts)


def _network(network: Network) -> Iterable[str]:
    for interface in network.interfaces:
        address = f" {interface.address}" if interface.address else ""
        gone = "" if interface.judged else ", of no adapter that a server has"
        yield f"{interface.name} {interface.method}{address} ({interface.location}){gone}"
    if not network.interfaces:
        yield "no interface configured" + (
            f"; {', '.join(network.managers)} found" if network.managers else ""
        )
    for place in (*network.persistent_rules, *network.mac_pinned):
        yield f"tied to one card by {place}"


def _cloud_init(cloud: CloudInit) -> str:
    if not cloud.installed:
        return f"not installed, but {' and '.join(cloud.peers)}" if cloud.peers else "not installed"
    state = {True: "enabled", False: "disabled", None: "not known whether enabled"}[cloud.enabled]
    return " ".join(part for part in (cloud.version, state) if part) + (
        f" by {cloud.disabled_by}" if cloud.disabled_by else ""
    )
