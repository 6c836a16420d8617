"""Each section of the facts is read for itself: what is unread takes nothing with it."""

import pytest

from diskwright.blockio.memory import MemoryReader
from diskwright.guest.inspect import facts_of, inspect_guest
from diskwright.guest.probe import Probe
from diskwright.model.codec import decode, encode
from diskwright.model.guest import FileSystem, GuestFacts, Section
from diskwright.model.partitions import Partition, PartitionRole, PartitionTable, TableKind
from support.cpio_maker import archive
from support.fake_guest import Broken, Content, FakeFs, Link, Sparse

GRUB = """search --fs-uuid --set=root {}
menuentry Linux {{
  linux {}/vmlinuz-6.1 root=UUID=root-uuid ro
  initrd {}/initrd.img-6.1
}}
"""
KERNEL: dict[str, Content] = {
    "/vmlinuz-6.1": b"k",
    "/initrd.img-6.1": archive({"lib/modules/6.1/virtio_blk.ko": b""}),
}
ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\0\x3e\0" + bytes(40)
ROOT: dict[str, Content] = {
    "/etc/os-release": "ID=debian\nVERSION_ID=12\n",
    "/etc/fstab": "UUID=root-uuid / ext4 defaults 0 1\n",
    "/bin/sh": ELF,
    "/etc/network/interfaces": "iface eth0 inet dhcp\n",
    "/usr/bin/cloud-init": b"",
}
WHOLE: dict[str, Content] = {
    **ROOT,
    **{f"/boot{path}": data for path, data in KERNEL.items()},
    "/boot/grub/grub.cfg": GRUB.format("root-uuid", "/boot", "/boot"),
}


def ext4(number: int, uuid: str, files: dict[str, Content]) -> Probe:
    return Probe(FileSystem("ext4", number, True, uuid=uuid), FakeFs(files, uuid=uuid))


def unread(number: int, kind: str, uuid: str | None = None) -> Probe:
    return Probe(FileSystem(kind, number, False, uuid, note=f"{kind} is not read yet"), None)


def inspect(*probes: Probe, esp: int | None = None) -> GuestFacts:
    numbers = [p.facts.partition or 0 for p in probes]
    roles = {n: PartitionRole.ESP if n == esp else PartitionRole.LINUX for n in numbers}
    partitions = tuple(Partition(n, n << 20, 1 << 20, roles[n], "") for n in numbers)
    table = PartitionTable(TableKind.GPT, 512, partitions, boot_code=True, bios_core=True)
    facts = facts_of(table, list(probes))
    assert decode(GuestFacts, encode(facts)) == facts
    return facts


def xfs(number: int, uuid: str, files: dict[str, Content], *, dirty: bool | None) -> Probe:
    return Probe(FileSystem("xfs", number, True, uuid=uuid, dirty=dirty), FakeFs(files, uuid=uuid))


def unread_sections(facts: GuestFacts) -> set[Section]:
    return {entry.section for entry in facts.unread}


def test_a_whole_guest_leaves_nothing_unread() -> None:
    facts = inspect(ext4(1, "root-uuid", WHOLE))
    assert (facts.unread, facts.problems, facts.root) == ((), (), 0)
    assert facts.os is not None
    assert (facts.os.id, facts.os.architecture, facts.architecture) == (
        "debian",
        "x86_64",
        "x86_64",
    )
    assert facts.kernels is not None
    assert facts.kernels[0].initramfs is not None
    assert facts.kernels[0].initramfs.modules == ("virtio_blk",)
    assert facts.network is not None
    assert facts.network.interfaces[0].name == "eth0"
    assert facts.cloud_init is not None
    assert facts.cloud_init.installed


def test_a_separate_boot_is_mounted_by_fstab() -> None:
    root = ROOT | {"/etc/fstab": "UUID=boot-uuid /boot ext4 defaults\nUUID=root-uuid / ext4\n"}
    boot = KERNEL | {"/grub/grub.cfg": GRUB.format("boot-uuid", "", "")}
    facts = inspect(ext4(1, "boot-uuid", boot), ext4(2, "root-uuid", root))
    assert (facts.root, facts.unread) == (1, ())
    assert facts.bootloader is not None
    assert facts.bootloader.entries[0].kernel == "/boot/vmlinuz-6.1"
    assert facts.bootloader.entries[0].initrds_exist is True


@pytest.mark.parametrize("kind", ["xfs", "btrfs", "LVM2_member", "crypto_LUKS"])
def test_a_root_that_is_not_read_is_named_and_boot_stays(kind: str) -> None:
    boot = KERNEL | {"/grub/grub.cfg": GRUB.format("boot-uuid", "", "")}
    facts = inspect(ext4(1, "boot-uuid", boot), unread(2, kind), unread(3, "swap"))
    reason = f"the root file system may be on partition 2: {kind} is not read yet"
    assert facts.why_unread(Section.ROOT) == reason
    assert unread_sections(facts) == {
        Section.ROOT,
        Section.OS,
        Section.FSTAB,
        Section.CRYPTTAB,
        Section.NETWORK,
        Section.CLOUD_INIT,
        Section.ACCOUNTS,
        Section.SSH,
        Section.LEFT,
        Section.SERVICES,
    }
    assert facts.bootloader is not None
    assert facts.bootloader.entries[0].kernel_exists is True
    assert facts.kernels is not None
    assert facts.kernels[0].initramfs is not None


def test_a_boot_that_is_not_read_is_never_taken_for_missing() -> None:
    root = ROOT | {"/etc/fstab": "UUID=root-uuid / ext4\nUUID=boot-uuid /boot xfs\n"}
    facts = inspect(unread(1, "xfs", "boot-uuid"), ext4(2, "root-uuid", root))
    assert unread_sections(facts) == {Section.BOOT, Section.KERNELS, Section.INITRAMFS}
    assert "partition 1: xfs is not read yet" in facts.why_unread(Section.BOOT)
    assert facts.os is not None
    assert facts.cloud_init is not None


def test_the_esp_is_read_though_the_root_is_not() -> None:
    esp = Probe(FileSystem("vfat", 1, True), FakeFs({"/EFI/BOOT/BOOTX64.EFI": b"MZ"}))
    facts = inspect(esp, unread(2, "btrfs"), esp=1)
    assert facts.bootloader is not None
    assert (facts.bootloader.uefi, facts.bootloader.esp_fallback) == (True, "EFI/BOOT/BOOTX64.EFI")
    assert Section.BOOT in unread_sections(facts)


@pytest.mark.parametrize("mount_point", ["/boot/efi", "//boot", "/srv/a/b", "/boot/.", "/"])
def test_an_esp_is_read_wherever_fstab_puts_it(mount_point: str) -> None:
    fstab = f"UUID=root-uuid / ext4\nUUID=esp-uuid {mount_point} vfat\n"
    esp = FakeFs({"/EFI/BOOT/BOOTX64.EFI": b"MZ"}, uuid="esp-uuid")
    probe = Probe(FileSystem("vfat", 1, True, uuid="esp-uuid"), esp)
    facts = inspect(probe, ext4(2, "root-uuid", WHOLE | {"/etc/fstab": fstab}), esp=1)
    assert facts.bootloader is not None
    assert (facts.bootloader.uefi, facts.unread) == (True, ())


def test_an_esp_may_be_the_root_itself() -> None:
    facts = inspect(ext4(1, "root-uuid", WHOLE | {"/EFI/BOOT/BOOTX64.EFI": b"MZ"}), esp=1)
    assert facts.bootloader is not None
    assert (facts.bootloader.uefi, facts.bootloader.esp_fallback) == (True, "EFI/BOOT/BOOTX64.EFI")
    assert (facts.root, facts.unread) == (0, ())


def test_an_esp_that_is_not_read_leaves_uefi_open() -> None:
    facts = inspect(unread(1, "unknown"), ext4(2, "root-uuid", WHOLE), esp=1)
    assert facts.bootloader is not None
    assert facts.bootloader.uefi is None
    assert "partition 1: unknown is not read yet" in facts.why_unread(Section.BOOT)
    assert facts.bootloader.entries[0].kernel_exists is True


def test_of_a_disk_that_can_not_be_read_nothing_is_told() -> None:
    facts = inspect_guest(MemoryReader(1 << 20, {0: b"x" * 512}, fail_at=1))
    assert unread_sections(facts) == set(Section)
    assert all("can't be read at byte 0" in entry.reason for entry in facts.unread)
    assert facts == GuestFacts(unread=facts.unread)


@pytest.mark.parametrize("path", ["/photos/a.jpg", "/etc/passwd", "/bin/sh"])
def test_a_data_disk_holds_no_system(path: str) -> None:
    facts = inspect(ext4(1, "data", {path: b""}))
    assert facts.root is None
    assert "holds an operating system" in facts.why_unread(Section.ROOT)


@pytest.mark.parametrize("content", [Sparse(4 << 30), Broken()])
def test_an_fstab_that_can_not_be_read_is_a_problem_and_the_rest_stays(
    content: Sparse | Broken,
) -> None:
    facts = inspect(ext4(1, "root-uuid", WHOLE | {"/etc/fstab": content}))
    assert facts.fstab is None
    assert unread_sections(facts) == {Section.FSTAB}
    assert [p.code for p in facts.problems] == ["fstab-unreadable"]
    assert facts.bootloader is not None
    assert facts.bootloader.entries[0].kernel_exists is True


def test_without_fstab_a_boot_partition_is_found_by_its_looks() -> None:
    boot = KERNEL | {"/grub/grub.cfg": GRUB.format("boot-uuid", "", "")}
    root = ROOT | {"/etc/fstab": Broken()}
    facts = inspect(ext4(1, "boot-uuid", boot), ext4(2, "root-uuid", root))
    assert facts.bootloader is not None
    assert facts.bootloader.config == "/boot/grub/grub.cfg"


@pytest.mark.parametrize(
    ("path", "section"),
    [
        ("/etc/os-release", Section.OS),
        ("/boot/grub/grub.cfg", Section.BOOT),
        ("/boot/initrd.img-6.1", None),
        ("/etc/network/interfaces", None),
        ("/var/lib/dpkg/status", None),
    ],
)
def test_one_broken_file_takes_one_section_at_most(path: str, section: Section | None) -> None:
    facts = inspect(ext4(1, "root-uuid", WHOLE | {path: Broken()}))
    assert unread_sections(facts) == ({section} if section else set())
    if section:
        assert facts.why_unread(section).startswith(path)


def test_links_that_escape_loop_or_miss_are_told_apart() -> None:
    escaping = WHOLE | {"/etc/os-release": Link("../../../etc/passwd"), "/etc/passwd": "root:x"}
    facts = inspect(ext4(1, "root-uuid", escaping))
    assert [p.code for p in facts.problems] == ["guest-link-escapes"]
    assert (facts.os, unread_sections(facts)) == (None, {Section.OS})
    assert facts.architecture == "x86_64"
    looping = WHOLE | {"/etc/os-release": Link("os-release")}
    facts = inspect(ext4(1, "root-uuid", looping))
    assert [p.code for p in facts.problems] == ["guest-link-loop"]
    missing = {path: data for path, data in WHOLE.items() if path != "/etc/os-release"}
    facts = inspect(ext4(1, "root-uuid", missing))
    assert [p.code for p in facts.problems] == ["os-release-missing"]
    assert facts.why_unread(Section.OS)


@pytest.mark.parametrize("dirty", [True, None])
def test_an_empty_xfs_whose_log_was_not_replayed_is_not_an_empty_disk(dirty: bool | None) -> None:
    facts = inspect(xfs(2, "root-uuid", {}, dirty=dirty))
    assert facts.root is None
    assert facts.why_unread(Section.ROOT) == (
        "the root file system may be on partition 2: xfs log not replayed"
    )
    assert facts.why_unread(Section.KERNELS).endswith("xfs log not replayed [unsupported]")


def test_an_empty_xfs_that_is_clean_is_empty() -> None:
    facts = inspect(xfs(2, "root-uuid", {}, dirty=False))
    assert facts.why_unread(Section.ROOT) == (
        "no file system of this disk holds an operating system"
    )


def test_a_boot_that_is_in_a_log_alone_is_unread_and_not_empty() -> None:
    fstab = "UUID=root-uuid / ext4 defaults 0 1\nUUID=boot-uuid /boot xfs defaults 0 0\n"
    facts = inspect(
        ext4(1, "root-uuid", {**ROOT, "/etc/fstab": fstab}),
        xfs(2, "boot-uuid", {}, dirty=True),
    )
    assert facts.root == 0
    assert facts.kernels is None
    assert "partition 2: xfs log not replayed" in facts.why_unread(Section.KERNELS)
