"""An OVA: a tar archive of a descriptor (.ovf), perhaps a manifest (.mf), and disks."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from diskwright._values import replace
from diskwright.formats.package.manifest import read_manifest, verify_member
from diskwright.formats.package.ovf import Descriptor, OvfDisk, OvfFile, read_descriptor
from diskwright.formats.package.tar_members import read_members
from diskwright.formats.source import ImageSource, shown
from diskwright.model.image import Problem
from diskwright.model.package import MemberDigest, PackageDisk, PackageFacts, PackageMember

_CODE = "descriptor-inconsistent"
_Members = dict[str, PackageMember]


def read_package(source: ImageSource) -> PackageFacts:
    """What the package that `source` is holds; disks and digests are not read.

    Problems: `certificate-ignored`, `file-ignored`, `digest-missing`, `size-differs`. Raises
    ImageUnsafe, ImageBroken and ImageUnsupported.
    """
    members = {member.name: member for member in read_members(source)}
    ovf = _only(source, members, ".ovf")
    if ovf is None:
        raise source.broken(_CODE, "a package without a descriptor")
    descriptor = read_descriptor(_within(source, ovf))
    held = {file.href: _member_of(source, members, file) for file in descriptor.files}
    disks = tuple(_disk(disk, held[disk.file.href]) for disk in descriptor.disks)
    if len({disk.name for disk in disks}) < len(disks):
        raise source.broken(_CODE, "two disks of the machine are in one file")
    mf = _only(source, members, ".mf")
    digests = () if mf is None else read_manifest(_within(source, mf), members)
    return PackageFacts(
        name=descriptor.name,
        os_id=descriptor.os_id,
        os_description=descriptor.os_description,
        cpus=descriptor.cpus,
        memory_bytes=descriptor.memory_bytes,
        members=tuple(members.values()),
        disks=disks,
        disk_order=descriptor.disk_order,
        digests=digests,
        problems=tuple(_problems(descriptor, members, held, ovf, mf, digests)),
    )


def verify_digests(
    source: ImageSource, package: PackageFacts, on_bytes: Callable[[int], None]
) -> PackageFacts:
    """`package`, verified: each member that has a digest is read once.

    `on_bytes` is told the bytes of each piece; what it raises ends the work. Raises ImageBroken
    (`checksum`), which names the member.
    """
    members = {member.name: member for member in package.members}
    for digest in package.digests:
        verify_member(source, members[digest.name], digest, on_bytes)
    return replace(package, digests_verified=bool(package.digests))


def _within(source: ImageSource, member: PackageMember) -> ImageSource:
    return replace(source, size=member.size, base=source.base + member.offset)


def _only(source: ImageSource, members: _Members, extension: str) -> PackageMember | None:
    found = [member for member in members.values() if member.name.lower().endswith(extension)]
    if len(found) > 1:
        names = " and ".join(shown(member.name) for member in found[:2])
        raise source.unsafe("format-ambiguous", f"{names}: a package has one", found[1].offset)
    return found[0] if found else None


def _member_of(source: ImageSource, members: _Members, file: OvfFile) -> PackageMember:
    """A name is looked up as it stands, and then as the URI reference that it should be."""
    for name in (file.href, unquote(file.href)):
        if name in members:
            return members[name]
    raise source.broken(_CODE, f"the descriptor names {shown(file.href)}, which is not there")


def _disk(disk: OvfDisk, member: PackageMember) -> PackageDisk:
    return PackageDisk(member.name, member.offset, member.size, disk.capacity, disk.format)


def _problems(
    descriptor: Descriptor,
    members: _Members,
    held: _Members,
    ovf: PackageMember,
    mf: PackageMember | None,
    digests: tuple[MemberDigest, ...],
) -> list[Problem]:
    problems: list[Problem] = []
    disks = {held[disk.file.href].name for disk in descriptor.disks}
    for file in descriptor.files:
        member = held[file.href]
        if file.size not in (None, member.size):
            detail = f"{shown(member.name)} of {member.size} bytes, by the descriptor {file.size}"
            problems.append(Problem("size-differs", detail))
    for name in members:
        if name.lower().endswith(".cert"):
            detail = f"{shown(name)}: nobody's signature is checked"
            problems.append(Problem("certificate-ignored", detail))
        elif name not in disks and name != ovf.name and (mf is None or name != mf.name):
            problems.append(Problem("file-ignored", f"{shown(name)} is no disk of the machine"))
    listed = {digest.name for digest in digests}
    if mf is not None:
        problems += [
            Problem("digest-missing", f"{shown(name)} has no line in the manifest")
            for name in sorted({ovf.name, *disks} - listed)
        ]
    return problems
