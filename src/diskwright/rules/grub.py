"""The boot loader's entries: the kernel, its initramfs, its root."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from diskwright.model.guest import BootEntry, InitramfsState, NamedBy, Section
from diskwright.model.text import printable
from diskwright.rules import loaders, sources
from diskwright.rules.rebuild import rebuild
from diskwright.rules.rule import (
    Case,
    Outcome,
    Rule,
    State,
    breaks,
    commands,
    holds,
    quoted,
    root_filesystem,
    skip,
    unread,
    unread_section,
)


def _config(case: Case) -> Outcome:
    loader = case.guest.bootloader
    if loader is None:
        return unread_section(case, Section.BOOT, "the boot loader's configuration")
    if case.guest.why_unread(Section.BOOT):  # also where another one was read in its place
        return unread_section(case, Section.BOOT, "the boot loader's configuration")
    if loader.config is not None and loader.starts_other == "":
        return breaks(
            "the boot loader's configuration names nothing to start: it waits at its prompt",
            (loader.config,),
            ("# name an entry with DEFAULT, or a menu with UI",),
        )
    if loader.config is not None:
        return holds(f"{printable(loader.config)} is there")
    if case.guest.root is None:
        return unread_section(case, Section.BOOT, "the boot loader's configuration")
    return breaks(
        "the boot loader has no configuration: it stops at its prompt",
        ("looked for " + _LOOKED_FOR.get(loader.name or "", _GRUB_FILES),),
        _new_config(case),
    )


_GRUB_FILES = "grub.cfg, grub.conf and menu.lst in /boot"
_LOOKED_FOR = {
    loaders.SYSTEMD_BOOT: "loader/entries/*.conf and EFI/Linux/*.efi beside the boot loader",
    loaders.EXTLINUX: "extlinux.conf and syslinux.cfg beside ldlinux.sys",
}


def _new_config(case: Case) -> tuple[str, ...]:
    return loaders.by_loader(
        case,
        _new_grub_config(case),
        systemd=("bootctl install", loaders.add_kernel(case)),
        extlinux=loaders.write_extlinux(),
    )


def _new_grub_config(case: Case) -> tuple[str, ...]:
    return commands(
        case,
        debian=("update-grub",),
        rhel=("grub2-mkconfig -o /boot/grub2/grub.cfg",),
        suse=("grub2-mkconfig -o /boot/grub2/grub.cfg",),
    )


_Judge = Callable[[Case, tuple[BootEntry, ...]], Outcome]


def _entries(judge: _Judge) -> Callable[[Case], Outcome]:
    def check(case: Case) -> Outcome:
        loader = case.guest.bootloader
        if loader is None:
            return unread_section(case, Section.BOOT, "the boot entries")
        if loader.config is None and case.guest.why_unread(Section.BOOT):
            return unread_section(case, Section.BOOT, "the boot entries")
        if loader.config is None:
            return unread("the boot entries are not known: no configuration was found")
        if not loader.entries:
            return unread("no boot entry was understood", (loader.config,))
        outcome = judge(case, loader.entries)
        if outcome.state is State.HOLDS and case.guest.why_unread(Section.BOOT):
            return unread_section(case, Section.BOOT, "all of the boot entries")
        return outcome

    return loaders.of_started(check)


def _kernel(case: Case, entries: tuple[BootEntry, ...]) -> Outcome:
    found = [e for e in entries if e.kernel_exists is False]
    if found:
        return breaks(
            "a boot entry names a kernel that is not there",
            (f"{e.location}: {e.kernel}" for e in found),
            loaders.reinstall(case),
            result=loaders.milder(case, found),
        )
    if any(e.kernel_exists is None for e in entries):
        return unread("whether the kernel is there can't be told", _kernels(entries))
    return holds("every boot entry's kernel is there", _kernels(loaders.started(case)))


def _kernels(entries: Iterable[BootEntry]) -> list[str]:
    return [f"{e.location}: {e.kernel}" for e in entries]


def _initramfs(case: Case, entries: tuple[BootEntry, ...]) -> Outcome:
    found = [e for e in entries if e.initrds_exist is False]
    if found:
        return breaks(
            "a boot entry names an initramfs that is not there",
            (f"{e.location}: {', '.join(e.initrds)}" for e in found),
            rebuild(case, missing=True),
            result=loaders.milder(case, found),
        )
    named = [e for e in entries if e.initrds]
    if any(e.initrds_exist is None for e in named):
        return unread("whether the initramfs is there can't be told")
    lost = [
        k.initramfs.path
        for k in case.guest.kernels or ()
        if k.default and k.initramfs and k.initramfs.state is InitramfsState.MISSING
    ]
    if lost:
        return breaks(
            "the default kernel's initramfs is not there", lost, rebuild(case, missing=True)
        )
    if not named:
        return skip("no boot entry names an initramfs")
    return holds("every initramfs that a boot entry names is there")


def _root_name(case: Case, entries: tuple[BootEntry, ...]) -> Outcome:
    found = [e for e in entries if e.root_named_by is NamedBy.DEVICE]
    if found:
        return breaks(
            "the kernel's root= names a device by its place: it is another one on the server",
            (f"{e.location}: root={e.root}" for e in found),
            _by_uuid(case),
            result=loaders.milder(case, found),
        )
    if all(e.root is None for e in entries):
        return unread("no boot entry has a root=", (e.location for e in entries))
    return holds("root= names no device by its place", _roots(loaders.started(case)))


def _by_uuid(case: Case) -> tuple[str, ...]:
    grub = commands(
        case,
        debian=("sed -i '/^GRUB_DISABLE_LINUX_UUID=/d' /etc/default/grub", "update-grub"),
        rhel=(f"grubby --update-kernel=ALL --args=root=UUID={_root_uuid(case)}",),
        suse=_new_grub_config(case)[-1:],
    )
    return loaders.set_root(case, grub)


def _root_uuid(case: Case) -> str:
    root = root_filesystem(case.guest)
    return quoted(root.uuid) if root is not None and root.uuid else "UUID-AS-BLKID-SAYS"


def _roots(entries: Iterable[BootEntry]) -> list[str]:
    return [f"{e.location}: root={e.root}" for e in entries]


def _stub(case: Case) -> Outcome:
    loader = case.guest.bootloader
    if loader is None:
        return unread_section(case, Section.BOOT, "the boot loader's configuration")
    if loader.problems:
        return breaks(
            "the boot loader looks for its configuration in a place that is not on this disk",
            (f"{p.code}: {p.detail}" for p in loader.problems),
            _install_anew(case),
        )
    if case.guest.root is None or case.guest.why_unread(Section.BOOT):
        return unread_section(case, Section.BOOT, "the boot loader's configuration")
    return holds("the boot loader's configuration leads to this disk")


def _install_anew(case: Case) -> tuple[str, ...]:
    return commands(
        case,
        debian=("grub-install",),
        rhel=("dnf reinstall grub2-efi shim",),
        suse=("shim-install",),
    )


def _root_there(case: Case, entries: tuple[BootEntry, ...]) -> Outcome:
    stable = [e for e in entries if e.root is not None and e.root_named_by is not NamedBy.DEVICE]
    found = [e for e in stable if e.root_on_disk is False]
    if found:
        return breaks(
            "the kernel's root= names a file system that is not on this disk",
            _roots(found),
            _look_and_write(case),
            result=loaders.milder(case, found),
        )
    if not stable and any(e.root is not None for e in entries):
        return skip("its name is told by boot.grub-root-device-name")
    if not stable:
        return unread("no boot entry names its root in a way that can be looked up")
    if any(e.root_on_disk is None for e in stable):
        hidden = case.guest.why_unread(Section.ROOT)
        why = f": {hidden}" if hidden else ""
        return unread(f"whether root= is on this disk can't be told{why}", _roots(stable))
    return holds("root= is on this disk")


def _look_and_write(case: Case) -> tuple[str, ...]:
    return ("blkid", *loaders.set_root(case, _new_grub_config(case)))


RULES = (
    Rule(
        "boot.grub-config-missing",
        "The boot loader has its configuration",
        "Without it the server waits at a boot prompt that nobody sees.",
        sources.UUIDS,
        _config,
        remedy=_new_config,
    ),
    Rule(
        "boot.kernel-missing",
        "The kernel that is started exists",
        "The boot loader stops with an error.",
        sources.GRUB,
        _entries(_kernel),
        remedy=loaders.reinstall,
    ),
    Rule(
        "boot.initramfs-missing",
        "The initramfs that is started exists",
        "The kernel finds no root file system without its drivers.",
        sources.DRIVERS,
        _entries(_initramfs),
        remedy=lambda case: rebuild(case, missing=True),
    ),
    Rule(
        "boot.grub-root-device-name",
        "The kernel's root is named by UUID",
        "The server's disk is /dev/vda where it was /dev/sda; the kernel finds no root.",
        sources.UUIDS,
        _entries(_root_name),
        remedy=_by_uuid,
    ),
    Rule(
        "boot.grub-root-unknown",
        "The kernel's root is on this disk",
        "The kernel waits for a file system that never comes.",
        sources.UUIDS,
        _entries(_root_there),
        remedy=_look_and_write,
    ),
    Rule(
        "boot.esp-config-other-disk",
        "The configuration on the EFI system partition leads to this disk",
        "It only says where the real one is; where that file system is gone, GRUB stops.",
        sources.GRUB,
        _stub,
        remedy=_install_anew,
    ),
)
