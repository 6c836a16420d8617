"""The image file: format, sizes, state."""

from __future__ import annotations

from diskwright.model.finding import Result, Severity
from diskwright.model.image import ImageFormat
from diskwright.model.units import MIB, SECTOR, exact_size, format_size, round_up
from diskwright.rules import sources
from diskwright.rules.rule import Case, Outcome, Rule, breaks, holds, unread

_NO_DISKS = frozenset(
    {
        ImageFormat.LUKS,
        ImageFormat.GZIP,
        ImageFormat.ZSTD,
        ImageFormat.XZ,
        ImageFormat.BZIP2,
        ImageFormat.ZIP,
        ImageFormat.TAR,
        ImageFormat.OVA,
    }
)
_THE_IMAGE_ITSELF = ("# give the disk image itself: unpack, decrypt or install it first",)
_SHRINK = ("# shrink file system and partition in the guest, then copy to a smaller disk",)
_COMPARE = ("# compare with its origin: the copy may have been cut off",)
_CHECK = ("# shut the machine down; then, on a copy:", "qemu-img check -r leaks -f qcow2 IMAGE")
_ANOTHER_STATE = ("# to prepare another state: qemu-img snapshot -a NAME IMAGE, on a copy",)
_GET_AGAIN = ("# get the image again from its maker and compare checksums",)
_TOLD_APART = frozenset({"dirty", "size-unaligned"})  # codes that have a rule of their own


def _format(case: Case) -> Outcome:
    name = _named(case.image.format, case.image.subformat)
    preferred = _named(case.profile.preferred_format, case.profile.preferred_subformat)
    made = preferred + (", compressed" if case.profile.compressed else "")
    if case.image.format is ImageFormat.ISO:
        return breaks(
            "iso is an install medium, and no disk that a system was installed on",
            remedy=(
                "diskwright iso inspect IMAGE   # which system it installs",
                "# install it on an empty disk, shut the machine down, and give that disk",
            ),
        )
    if case.image.format in _NO_DISKS:
        return breaks(
            f"{name} is not a plain disk image",
            remedy=_THE_IMAGE_ITSELF,
        )
    if {name, case.image.format.value} & set(case.profile.accepted_formats):
        return holds(f"{name} is accepted; prepare makes {made}")
    return breaks(
        f"{name} is not accepted as it is; prepare makes {made}",
        (f"accepted: {', '.join(case.profile.accepted_formats)}",),
        _preferred(case),
        result=Result.WARN,
    )


def _preferred(case: Case) -> tuple[str, ...]:
    wanted = ImageFormat(case.profile.preferred_format)
    ending = {ImageFormat.RAW: "raw", ImageFormat.VHD: "vhd"}.get(wanted, wanted.value)
    return (f"diskwright convert IMAGE disk.{ending} --profile {case.profile.name}",)


def _named(image_format: str, subformat: str | None) -> str:
    return f"{image_format}/{subformat}" if subformat else str(image_format)


def _size(case: Case) -> Outcome:
    limits = case.profile
    low, high = limits.system_disk_minimum, limits.system_disk_maximum
    if case.data:
        low, high = limits.data_disk_minimum, limits.data_disk_maximum
    size, kind = case.image.virtual_size, "data" if case.data else "system"
    said = f"virtual size {format_size(size)}"
    span = f"{format_size(low)} to {format_size(high)}"
    if size < low:
        return breaks(
            f"{said}; a {kind} disk image has {span}",
            (f"{size} bytes",),
            (f"{_preferred(case)[0]} --size-multiple {exact_size(low)}",),
        )
    if size > high:
        return breaks(
            f"{said}; a {kind} disk image has {span}",
            (f"{size} bytes",),
            _SHRINK,
        )
    return holds(f"{said} is within {span}")


def _whole_units(case: Case) -> Outcome:
    size, unit = case.image.virtual_size, case.profile.size_multiple
    if size % unit == 0:
        return holds(f"{size} bytes are whole units of {format_size(unit)}")
    return breaks(
        f"{size} bytes are no whole number of {format_size(unit)}",
        (f"the next larger one: {round_up(size, unit)} bytes",),
        _grown(case),
    )


def _grown(case: Case) -> tuple[str, ...]:
    command = f"diskwright convert IMAGE OUT --profile {case.profile.name}"
    return (f"{command}   # adds zeros at its end",)


def _object_size(case: Case) -> Outcome:
    limit, size = case.profile.object_maximum, case.image.virtual_size
    if largest_object(size) <= limit:
        return holds(f"the object can't be larger than {format_size(limit)}")
    return unread(
        f"the disk leaves no room in {format_size(limit)}, the limit of the object; its size shows "
        "when it is made"
    )


def largest_object(virtual_size: int) -> int:
    """Bytes that no object of a disk exceeds: one that does not compress, and qcow2's tables.

    A cluster of 64 KiB has 8 bytes in an L2 table and 2 in a refcount block; the rest is little.
    """
    return virtual_size + virtual_size // 4096 + MIB


def _aligned(case: Case) -> Outcome:
    exact, virtual = case.image.exact_size, case.image.virtual_size
    if exact == virtual:
        return holds("the size is a whole number of sectors")
    return breaks(
        f"{exact} bytes are no whole number of {SECTOR}-byte sectors; zeros fill up the last one",
        (f"{exact} bytes read as {virtual}",),
        _COMPARE,
    )


def _clean(case: Case) -> Outcome:
    found = [p for p in case.image.problems if p.code == "dirty"]
    if not found:
        return holds("the image was closed cleanly")
    return breaks(
        "the image is marked as in use: its writer did not close it",
        (p.detail for p in found),
        _CHECK,
    )


def _snapshots(case: Case) -> Outcome:
    if not case.image.snapshots:
        return holds("no snapshots inside")
    return breaks(
        f"{case.image.snapshots} snapshot(s) inside; only the present state is prepared",
        remedy=_ANOTHER_STATE,
    )


def _oddities(case: Case) -> Outcome:
    found = [p for p in case.image.problems if p.code not in _TOLD_APART]
    if not found:
        return holds("the image says nothing odd of itself")
    return breaks(
        "the image is readable, and says odd things of itself",
        (f"{p.code}: {p.detail}" for p in found),
        _GET_AGAIN,
    )


RULES = (
    Rule(
        "image.format",
        "The file is a disk image in a format that the service takes",
        "The service refuses other formats, after the upload. diskwright makes the preferred one.",
        sources.FORMATS,
        _format,
        for_data=True,
        remedy=lambda case: (*_preferred(case), *_THE_IMAGE_ITSELF),
    ),
    Rule(
        "image.size",
        "The virtual disk is within the service's limits",
        "An import of a smaller or larger disk is refused.",
        sources.CONSTRAINTS,
        _size,
        for_data=True,
        remedy=("diskwright convert IMAGE larger.qcow2 --size-multiple SIZE", *_SHRINK),
    ),
    Rule(
        "image.size-multiple",
        "The virtual size is a whole number of the service's units",
        "A service that counts a disk in units of its own, as in MiB, refuses any other size, and "
        "only after the upload. Where no unit is documented it is a sector, 512 bytes.",
        sources.AZURE,
        _whole_units,
        for_data=True,
        remedy=_grown,
        limit="size_multiple",
    ),
    Rule(
        "image.object-size",
        "The object to import is within the service's limit",
        "A normal import takes a file up to this size, whatever the size of the disk in it.",
        sources.CONSTRAINTS,
        _object_size,
        severity=Severity.MEDIUM,
        for_data=True,
        remedy=("diskwright convert IMAGE smaller.qcow2 --compress   # shows its size", *_SHRINK),
    ),
    Rule(
        "image.size-unaligned",
        "The size is a whole number of sectors",
        "An odd size is mostly a file that was cut off; the disk is rounded up with zeros.",
        sources.DISKWRIGHT,
        _aligned,
        Result.WARN,
        Severity.LOW,
        for_data=True,
        remedy=_COMPARE,
    ),
    Rule(
        "image.dirty",
        "The image was closed cleanly",
        "A machine that still runs on it, or a crash, leaves guest data that is not whole.",
        sources.QCOW2,
        _clean,
        Result.WARN,
        Severity.MEDIUM,
        for_data=True,
        remedy=_CHECK,
    ),
    Rule(
        "image.snapshots",
        "The image holds no snapshots",
        "The service takes no files with snapshots. They are left out of what diskwright makes.",
        sources.FORMATS,
        _snapshots,
        Result.WARN,
        Severity.LOW,
        for_data=True,
        remedy=_ANOTHER_STATE,
    ),
    Rule(
        "image.oddities",
        "The image does not contradict itself",
        "Tools may read such a file differently.",
        sources.DISKWRIGHT,
        _oddities,
        Result.WARN,
        Severity.MEDIUM,
        for_data=True,
        remedy=_GET_AGAIN,
    ),
)
