"""What the start waits for besides its mounts: devices that are decrypted, one to resume from."""

from __future__ import annotations

from collections.abc import Iterable

from diskwright.model.finding import Result, Severity
from diskwright.model.guest import BootEntry, CryptEntry, NamedBy, Section
from diskwright.rules import loaders, sources
from diskwright.rules.fstab import uuid_of_device
from diskwright.rules.rule import (
    Case,
    Outcome,
    Rule,
    breaks,
    commands,
    holds,
    quoted,
    skip,
    unread,
    unread_section,
)

_OPTIONAL = frozenset({"noauto", "nofail"})
_NOT_MOUNTED = _OPTIONAL | {"x-systemd.automount"}
_IN_INITRAMFS = frozenset({"initramfs", "x-initrd.attach"})


def _decrypted(case: Case) -> Outcome:
    entries = case.guest.crypttab
    if entries is None:
        return unread_section(case, Section.CRYPTTAB, "/etc/crypttab")
    awaited = [e for e in entries if not _OPTIONAL & set(e.options)]
    found = [e for e in awaited if e.on_disk is False or e.named_by is NamedBy.DEVICE]
    if found:
        return breaks(
            "/etc/crypttab waits for a device that the server will not have",
            _lines(found),
            [line for e in found for line in _put_right(case, e)],
            result=None if any(_is_needed(case, e) for e in found) else Result.WARN,
        )
    # A file as a device is not looked for
    open_ones = [e for e in awaited if e.on_disk is None and e.named_by is not NamedBy.OTHER]
    if open_ones:
        return unread("whether it is on this disk can't be told", _lines(open_ones))
    return holds("all that /etc/crypttab waits for is on this disk")


def _put_right(case: Case, entry: CryptEntry) -> tuple[str, ...]:
    """What is on this disk keeps its line, under a name that lasts."""
    line, file = entry.location.line or 0, quoted(entry.location.file)
    if entry.named_by is NamedBy.DEVICE and entry.on_disk:
        name = "[[:space:]]*[^[:space:]]+[[:space:]]+"
        uuid = uuid_of_device(case, entry.spec)
        return "blkid", f"sed -Ei '{line}s|^({name})[^[:space:]]+|\\1UUID={uuid}|' {file}"
    return (f"sed -i '{line}s/^/# /' {file}   # or add nofail to its options",)


def _lines(entries: Iterable[CryptEntry]) -> list[str]:
    return [f"{e.location}: {e.spec} as {e.name}" for e in entries]


def _is_needed(case: Case, entry: CryptEntry) -> bool:
    """Whether the start ends without it: it is opened before the root is, or mounted."""
    if _IN_INITRAMFS & set(entry.options):
        return True
    device = f"/dev/mapper/{entry.name}"
    lines = (e for e in case.guest.fstab or () if e.spec == device and e.type != "swap")
    return any(not _NOT_MOUNTED & set(line.options) for line in lines)


def _resume(case: Case) -> Outcome:
    loader = case.guest.bootloader
    if loader is None or (loader.config is None and case.guest.why_unread(Section.BOOT)):
        return unread_section(case, Section.BOOT, "the kernel's command line")
    if not loader.entries:
        return skip("no boot entry is known")
    named = [e for e in loader.entries if e.resume is not None]
    found = [e for e in named if e.resume_on_disk is False or e.resume_by is NamedBy.DEVICE]
    if found:
        return breaks(
            "the kernel is to resume from a device that the server will not have: it is waited for",
            _resumed(found),
            _no_resume(case),
        )
    if any(e.resume_on_disk is None for e in named):
        return unread("whether resume= is on this disk can't be told", _resumed(named))
    if case.guest.why_unread(Section.BOOT):
        return unread_section(case, Section.BOOT, "all of the boot entries")
    return holds("no boot entry resumes from another disk")


def _resumed(entries: Iterable[BootEntry]) -> list[str]:
    return [f"{e.location}: resume={e.resume}" for e in entries]


def _no_resume(case: Case) -> tuple[str, ...]:
    config = "sed -i 's| *resume=[^ \"]*||' /etc/default/grub"
    grub = commands(
        case,
        debian=(config, "update-grub"),
        rhel=("grubby --update-kernel=ALL --remove-args=resume",),
        suse=(config, "grub2-mkconfig -o /boot/grub2/grub.cfg"),
    )
    return loaders.edit_line(case, "s| *resume=[^ ]*||", grub)


RULES = (
    Rule(
        "boot.crypttab-unknown-device",
        "What /etc/crypttab decrypts is on this disk",
        "The start waits for a device that is not there: for a minute and a half, or for ever if "
        "something is mounted from it.",
        sources.CRYPTTAB,
        _decrypted,
        remedy=(
            "sed -i 'LINEs/^/# /' /etc/crypttab   # or add nofail to its options",
            "# what is on this disk:",
            "blkid",
            "sed -Ei 'LINEs|DEVICE|UUID=UUID-AS-BLKID-SAYS|' /etc/crypttab",
        ),
    ),
    Rule(
        "boot.resume-unknown-device",
        "The kernel resumes from no other disk",
        "The initramfs waits for the device that resume= names before it goes on.",
        sources.RESUME,
        _resume,
        Result.WARN,
        Severity.MEDIUM,
        remedy=_no_resume,
    ),
)
