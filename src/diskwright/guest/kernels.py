"""Kernels in /boot, what is built into them, and the initramfs that belongs to each."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from diskwright._values import replace
from diskwright.guest.boot_entries import version_key
from diskwright.guest.initramfs import begin_initramfs
from diskwright.guest.kernel_image import machine_of, release_of
from diskwright.guest.modules import builtin_modules, config_builtins, listed_modules
from diskwright.guest.reading import GuestReadError, NotThere
from diskwright.guest.tree import GuestTree
from diskwright.model.guest import (
    BootEntry,
    Initramfs,
    InitramfsState,
    Kernel,
    default_entry,
)

BOOT = "/boot"
MODULES = ("/lib/modules", "/usr/lib/modules")
MAX_KERNELS = 50
MAX_CONFIG = 2 << 20

_KERNEL = re.compile(r"(?:vmlinuz|vmlinux|Image|kernel|bzImage)-(.+)")
_RELEASE = re.compile(r"\d+\.\d")
_NOT_KERNELS = re.compile(r"\.(?:hmac|old|sig|bak)$|^0-rescue-")
_INITRAMFS_NAMES = (
    "initrd.img-{}",
    "initramfs-{}.img",
    "initramfs-{}",
    "initrd-{}",
    "initrd-{}.img",
)
_UNIFIED = (".efi", ".EFI")  # has its initramfs inside, or none
_MICROCODE = re.compile(r"(?:intel|amd)-uc[^/]*$|microcode[^/]*$|early[^/]*$")


def begin_kernels(
    tree: GuestTree, entries: Sequence[BootEntry]
) -> Callable[[], tuple[Kernel, ...]]:
    """The default one first, then by version, newest first.

    The default is that of the boot loader's default entry; without one it is the newest. Only its
    initramfs is listed; the others are said to be there or missing. Raises GuestReadError; all is
    read when this returns, but for the listing, which a call of what is returned waits for.
    """
    entry = default_entry(entries)
    found = _kernel_files(tree)
    wanted = entry.kernel if entry else None
    if wanted and wanted not in found.values():
        found[_version_of(wanted, entry.version if entry else "")] = wanted
    versions = sorted(found, key=version_key, reverse=True)[:MAX_KERNELS]
    default = next((v for v in versions if found[v] == wanted), versions[0] if versions else "")
    kernels = []
    listing: Callable[[], Initramfs] | None = None
    for version in sorted(versions, key=lambda v: v != default):
        path = found[version]
        is_default = version == default
        own = entry if entry and path == wanted else None
        missing = own is not None and own.kernel_exists is False
        release = _release(tree, version, path)
        initramfs = _initramfs_path(tree, version, own)
        if is_default and initramfs is not None:
            is_loaded = _is_loaded_by(tree, version, release)
            listing = begin_initramfs(tree, initramfs, is_loaded)
        kernels.append(
            Kernel(
                version=release or version,
                path=None if missing else path,
                default=is_default,
                builtin=_builtin(tree, release or version),
                initramfs=None if is_default else _unlisted(tree, initramfs),
                architecture=machine_of(tree, path),
                modules=_on_disk(tree, release or version) if is_default else None,
            )
        )

    def listed() -> tuple[Kernel, ...]:
        if listing is not None:
            kernels[0] = replace(kernels[0], initramfs=listing())
        return tuple(kernels)

    return listed


def _kernel_files(tree: GuestTree) -> dict[str, str]:
    """Paths by version."""
    try:
        names = tree.names(BOOT)
    except NotThere:
        return {}
    matches = [m for n in names if not _NOT_KERNELS.search(n) and (m := _KERNEL.fullmatch(n))]
    return {m[1]: f"{BOOT}/{m[0]}" for m in matches if not _NOT_KERNELS.search(m[1])}


def _version_of(path: str, said: str = "") -> str:
    """By the file's name; else as the entry has it, or the folder (kernel-install(8): `linux`)."""
    *_, folder, name = ["", *path.split("/")]
    match = _KERNEL.fullmatch(name)
    if match and not (said and name.endswith(_UNIFIED)):
        return match[1]
    return said or (folder if _RELEASE.match(folder) else name)


def _release(tree: GuestTree, version: str, path: str) -> str:
    """Where the name of the kernel's file is none (vmlinuz-linux, vmlinuz-lts): as the kernel
    itself says, else as the one folder of modules that fits it. Empty where none does."""
    if _RELEASE.match(version):
        return version
    try:
        release = release_of(tree, path)
    except GuestReadError:
        release = ""
    if release:
        return release
    fitting = {name for folder in MODULES for name in _names(tree, folder) if _fits(name, version)}
    return fitting.pop() if len(fitting) == 1 else ""


def _fits(release: str, version: str) -> bool:
    """Whether a release ends in a flavour (Alpine: vmlinuz-lts loads 6.6.58-0-lts)."""
    return release.endswith(f"-{version}")


def _names(tree: GuestTree, folder: str) -> list[str]:
    try:
        return tree.names(folder)
    except GuestReadError:
        return []


def _builtin(tree: GuestTree, version: str) -> tuple[str, ...] | None:
    """From the kernel's configuration; where none is kept, from modules.builtin."""
    for path in (f"{BOOT}/config-{version}", f"/usr/lib/modules/{version}/config"):
        try:
            return config_builtins(tree.read_text(path, MAX_CONFIG))
        except GuestReadError:
            continue
    for folder in MODULES:
        try:
            listing = tree.read_text(f"{folder}/{version}/modules.builtin", MAX_CONFIG)
        except GuestReadError:
            continue
        return tuple(sorted(set(builtin_modules(listing))))
    return None


def _on_disk(tree: GuestTree, release: str) -> tuple[str, ...] | None:
    for folder in MODULES:
        try:
            return listed_modules(tree.read_text(f"{folder}/{release}/modules.dep", MAX_CONFIG))
        except GuestReadError:
            continue
    return None


def _unlisted(tree: GuestTree, path: str | None) -> Initramfs | None:
    if path is None:
        return None
    try:
        there = tree.is_file(path)
    except GuestReadError as error:
        return Initramfs(path, InitramfsState.UNREAD, detail=error.detail)
    if there:
        return Initramfs(path, InitramfsState.UNREAD, detail="of a kernel that is not the default")
    return Initramfs(path, InitramfsState.MISSING, detail="is not there")


def _is_loaded_by(tree: GuestTree, version: str, release: str) -> Callable[[str], bool] | None:
    """Of which versions under lib/modules the kernel loads its modules: of its release, else of
    those that fit its name. Any other name tells nothing."""
    if release:
        return lambda found: found == release
    if any(_fits(name, version) for folder in MODULES for name in _names(tree, folder)):
        return lambda found: _fits(found, version)
    return None


def _initramfs_path(tree: GuestTree, version: str, entry: BootEntry | None) -> str | None:
    """The boot entry's, microcode aside; else the one whose name has the kernel's version."""
    if entry and entry.initrds:
        whole = [path for path in entry.initrds if not _MICROCODE.search(path)]
        return (whole or entry.initrds)[-1]
    if entry and entry.kernel.endswith(_UNIFIED):
        return None
    for form in _INITRAMFS_NAMES:
        path = f"{BOOT}/{form.format(version)}"
        try:
            if tree.is_file(path):
                return path
        except GuestReadError:
            return path
    return None
