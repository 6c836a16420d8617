"""A package is read without its disks, and its digests are checked as they stream."""

from __future__ import annotations

import tarfile

import pytest

from diskwright.errors import ImageBroken
from diskwright.formats.package import ova
from diskwright.model.package import PackageFacts
from support.looking import read, refused, source_of
from support.packages import archive, descriptor, disk, file, manifest

OVF = ("web.ovf", descriptor())
DISK = ("a.vmdk", bytes(range(256)) * 1000)
MF = ("web.mf", manifest(OVF, DISK))


def package(*members: tuple[str, bytes]) -> PackageFacts:
    return read(ova.read_package, archive(*members))


def code_of(*members: tuple[str, bytes]) -> str:
    return refused(ova.read_package, archive(*members)).code


def codes(found: PackageFacts) -> list[str]:
    return [problem.code for problem in found.problems]


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_package_is_told_with_where_its_disk_lies(kind: int) -> None:
    content = archive(OVF, MF, DISK, kind=kind)
    found = read(ova.read_package, content)
    (only,) = found.disks
    assert content[only.offset : only.offset + only.size] == DISK[1]
    assert (found.name, found.cpus, found.memory_bytes) == ("web", 2, 512 << 20)
    assert [member.name for member in found.members] == ["web.ovf", "web.mf", "a.vmdk"]
    assert (found.problems, found.digests_verified) == ((), False)


def test_a_package_without_a_manifest_has_no_digests() -> None:
    found = package(OVF, DISK)
    assert (found.digests, codes(found)) == ((), [])
    content = archive(OVF, DISK)
    with source_of(content) as source:
        assert not ova.verify_digests(source, found, lambda count: None).digests_verified


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_digests_are_verified_a_piece_at_a_time(algorithm: str) -> None:
    listed = manifest(OVF, DISK, algorithm=algorithm)
    told: list[int] = []
    with source_of(archive(OVF, ("web.mf", listed), DISK)) as source:
        found = ova.read_package(source)
        assert {digest.algorithm for digest in found.digests} == {algorithm}
        assert ova.verify_digests(source, found, told.append).digests_verified
    assert sum(told) == len(OVF[1]) + len(DISK[1])
    assert max(told) <= 65536


@pytest.mark.parametrize("changed", [0, 100_000, 255_999])
def test_a_byte_that_changed_is_found_and_its_member_named(changed: int) -> None:
    other = bytearray(DISK[1])
    other[changed] ^= 1
    with source_of(archive(OVF, MF, ("a.vmdk", bytes(other)))) as source:
        found = ova.read_package(source)
        with pytest.raises(ImageBroken) as caught:
            ova.verify_digests(source, found, lambda count: None)
    assert caught.value.code == "checksum"
    assert "a.vmdk" in caught.value.detail


def test_the_hook_can_end_the_work() -> None:
    def stop(count: int) -> None:
        raise KeyboardInterrupt

    with source_of(archive(OVF, MF, DISK)) as source:
        found = ova.read_package(source)
        with pytest.raises(KeyboardInterrupt):
            ova.verify_digests(source, found, stop)


def test_a_certificate_and_what_is_no_disk_are_said() -> None:
    files = file("f1", "a.vmdk") + file("f2", "cd.iso")
    about = ("web.ovf", descriptor(files=files))
    found = package(about, DISK, ("web.cert", b"x"), ("cd.iso", b"y"), ("notes", b"z"))
    assert codes(found) == ["certificate-ignored", "file-ignored", "file-ignored"]


def test_a_member_that_the_manifest_leaves_out_is_said() -> None:
    found = package(OVF, ("web.mf", manifest(OVF)), DISK)
    assert codes(found) == ["digest-missing"]
    assert "a.vmdk" in found.problems[0].detail


def test_a_size_that_differs_is_said() -> None:
    about = descriptor(files=file("f1", "a.vmdk", 'ovf:size="9"'))
    assert codes(package(("web.ovf", about), DISK)) == ["size-differs"]
    right = descriptor(files=file("f1", "a.vmdk", 'ovf:size="256000"'))
    assert codes(package(("web.ovf", right), DISK)) == []


def test_a_name_may_be_written_as_a_uri() -> None:
    about = ("web.ovf", descriptor(files=file("f1", "my%20disk.vmdk")))
    assert package(about, ("my disk.vmdk", b"x")).disks[0].name == "my disk.vmdk"
    assert package(about, ("my%20disk.vmdk", b"x")).disks[0].name == "my%20disk.vmdk"


def test_an_escaped_path_names_no_member() -> None:
    about = ("web.ovf", descriptor(files=file("f1", "..%2F..%2Fetc%2Fshadow")))
    assert code_of(about, DISK) == "descriptor-inconsistent"


def test_two_disks_in_one_file_are_broken() -> None:
    both = disk("d1", "f1") + disk("d2", "f2")
    for other in ("a.vmdk", "%61.vmdk"):
        about = descriptor(files=file("f1", "a.vmdk") + file("f2", other), disks=both)
        assert code_of(("web.ovf", about), DISK) == "descriptor-inconsistent"


def test_a_file_that_is_not_in_the_package_is_broken() -> None:
    found = refused(ova.read_package, archive(OVF))
    assert (found.kind, found.code) == ("broken", "descriptor-inconsistent")
    assert "a.vmdk" in found.detail


def test_two_descriptors_are_unsafe() -> None:
    assert code_of(OVF, ("other.ovf", OVF[1]), DISK) == "format-ambiguous"
    assert code_of(OVF, MF, ("other.mf", MF[1]), DISK) == "format-ambiguous"


def test_a_package_without_a_descriptor_is_broken() -> None:
    assert code_of(DISK) == "descriptor-inconsistent"


@pytest.mark.parametrize(
    "text",
    [
        b"nonsense\n",
        b"MD5(a.vmdk)= 00\n",
        b"SHA256(a.vmdk)= 00\n",
        b"SHA1(nowhere)= " + b"0" * 40,
        b"SHA1(a.vmdk)= " + b"0" * 40 + b"\nSHA256(a.vmdk)= " + b"0" * 64,
        b"\xff\xfe",
    ],
)
def test_a_manifest_that_cant_be_followed_is_broken(text: bytes) -> None:
    found = refused(ova.read_package, archive(OVF, ("web.mf", text), DISK))
    assert (found.kind, found.code) == ("broken", "manifest-unreadable")


def test_a_manifest_may_have_other_line_ends_and_spaces() -> None:
    text = b"\xef\xbb\xbf" + MF[1].replace(b"\n", b" \r\n").replace(b"(", b" (") + b"\r\n"
    assert len(package(OVF, ("web.mf", text), DISK).digests) == 2
