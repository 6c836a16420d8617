"""The boot loader's entries lead to files of the guest, wherever its file systems are mounted."""

from collections.abc import Mapping

import pytest

from diskwright.guest.boot_paths import BootPaths
from diskwright.guest.bootloader import read_bootloader
from diskwright.guest.devices import DiskNames
from diskwright.guest.esp import EspFacts, read_esp
from diskwright.guest.stand_in import UnreadFs
from diskwright.guest.tree import GuestTree
from diskwright.model.guest import BootEntry, Bootloader, FileSystem, NamedBy
from diskwright.model.partitions import Partition, PartitionRole, PartitionTable, TableKind
from diskwright.model.volumes import Volume
from support.fake_guest import Broken, Content, FakeFs

GRUB = """search --fs-uuid --set=root {device}
menuentry Linux {{
  linux {prefix}/vmlinuz-6.1 root={root} ro quiet
  initrd {prefix}/initrd.img-6.1
}}
"""
FILESYSTEMS = (
    FileSystem("vfat", 1, True, uuid="D15C-0001"),
    FileSystem("ext4", 2, True, uuid="boot-uuid"),
    FileSystem("ext4", 3, True, uuid="root-uuid"),
)
TABLE = PartitionTable(
    TableKind.GPT,
    512,
    tuple(Partition(n, n << 20, 1 << 20, PartitionRole.LINUX, "") for n in (1, 2, 3)),
    boot_code=True,
    bios_core=True,
)


def read(
    root: Mapping[str, Content],
    boot: Mapping[str, Content] | None = None,
    esp: Mapping[str, Content] | None = None,
    *,
    table: PartitionTable = TABLE,
    boot_unread: str = "",
) -> tuple[Bootloader, str]:
    tree = GuestTree(FakeFs(root))
    mounts = {2: "/"}
    if boot is not None:
        tree.mount("/boot", FakeFs(boot))
        mounts[1] = "/boot"
    if boot_unread:
        tree.mount("/boot", UnreadFs(boot_unread))
    facts = EspFacts()
    if esp is not None:
        tree.mount("/efi", FakeFs(esp))
        alone = GuestTree(FakeFs({}))
        alone.mount("/efi", FakeFs(esp))
        facts = read_esp(alone, "/efi", "x86_64")
        mounts[0] = "/efi"
    paths = BootPaths(tree, DiskNames(FILESYSTEMS, TABLE), mounts)
    return read_bootloader(tree, paths, table, facts)


def test_paths_on_a_boot_partition_become_paths_of_the_guest() -> None:
    config = GRUB.format(device="boot-uuid", prefix="", root="UUID=root-uuid")
    files = {"/grub/grub.cfg": config, "/vmlinuz-6.1": b"k", "/initrd.img-6.1": b"i"}
    found, reason = read({"/etc/fstab": ""}, files)
    (entry,) = found.entries
    assert reason == ""
    assert (found.name, found.config, found.bios) == ("grub2", "/boot/grub/grub.cfg", True)
    assert (entry.kernel, entry.kernel_exists) == ("/boot/vmlinuz-6.1", True)
    assert (entry.initrds, entry.initrds_exist) == (("/boot/initrd.img-6.1",), True)
    assert (entry.root, entry.root_named_by) == ("UUID=root-uuid", NamedBy.UUID)
    assert entry.root_on_disk is True
    assert entry.default
    assert str(entry.location) == "/boot/grub/grub.cfg:3"


def test_paths_on_the_root_stay() -> None:
    config = GRUB.format(device="root-uuid", prefix="/boot", root="/dev/sda3")
    found, _ = read({"/boot/grub2/grub.cfg": config, "/boot/vmlinuz-6.1": b"k"})
    (entry,) = found.entries
    assert (entry.kernel, entry.kernel_exists) == ("/boot/vmlinuz-6.1", True)
    assert (entry.initrds, entry.initrds_exist) == (("/boot/initrd.img-6.1",), False)
    assert entry.root_named_by is NamedBy.DEVICE


ROOT_VOLUME, OTHER_VOLUME = "/dev/mapper/vg--a-root", "/dev/mapper/vg--a-other"


def on_volumes(config: str) -> BootEntry:
    """Of a guest whose root is a logical volume; another one is mounted nowhere."""
    volumes = (
        Volume(ROOT_VOLUME, "GROUP-1/VOLUME-1", 1 << 30, (2,), True),
        Volume(OTHER_VOLUME, "GROUP-1/VOLUME-2", 1 << 30, (2,), True),
    )
    filesystems = tuple(FileSystem("ext4", None, True, volume=volume.name) for volume in volumes)
    names = DiskNames((FileSystem("LVM2_member", 2, True), *filesystems), TABLE, volumes)
    files = {"/boot/grub/grub.cfg": config, "/boot/vmlinuz-6.1": b"k", "/boot/initrd.img-6.1": b"i"}
    tree = GuestTree(FakeFs(files))
    found, _ = read_bootloader(tree, BootPaths(tree, names, {1: "/"}), TABLE, EspFacts())
    (entry,) = found.entries
    return entry


MENU = """set root={}
menuentry Linux {{
  linux {}/vmlinuz-6.1 root=/dev/mapper/vg--a-root ro
  initrd {}/initrd.img-6.1
}}
"""


@pytest.mark.parametrize("device", ["lvm/vg--a-root", "lvmid/GROUP-1/VOLUME-1"])
def test_a_kernel_on_a_logical_volume(device: str) -> None:
    """As grub-mkconfig writes it: by both UUIDs, and before GRUB 2.02 by name."""
    for config in (
        MENU.format(f"'{device}'", "/boot", "/boot"),
        MENU.format("hd0,gpt9", f"({device})/boot", f"({device})/boot"),
    ):
        entry = on_volumes(config)
        assert (entry.kernel, entry.kernel_exists) == ("/boot/vmlinuz-6.1", True)
        assert (entry.initrds, entry.initrds_exist) == (("/boot/initrd.img-6.1",), True)
        assert (entry.root_named_by, entry.root_on_disk) == (NamedBy.MAPPER, True)


@pytest.mark.parametrize("device", ["lvm/vg--a-other", "lvmid/GROUP-1/VOLUME-2"])
def test_a_kernel_on_a_volume_that_is_mounted_nowhere_is_not_looked_for_elsewhere(
    device: str,
) -> None:
    entry = on_volumes(MENU.format(f"({device})", "/boot", "/boot"))
    assert (entry.kernel_exists, entry.initrds_exist) == (None, None)


def test_a_missing_kernel_is_missing() -> None:
    config = GRUB.format(device="boot-uuid", prefix="", root="UUID=gone")
    found, _ = read({"/x": ""}, {"/grub/grub.cfg": config})
    assert found.entries[0].kernel_exists is False
    assert found.entries[0].root_on_disk is False


def test_no_configuration_is_told_from_one_that_can_not_be_read() -> None:
    missing, reason = read({"/boot/grub/i386-pc/core.img": b""})
    assert (missing.name, missing.config, reason) == ("grub2", None, "")
    broken, reason = read({"/boot/grub/grub.cfg": Broken()})
    assert broken.config is None
    assert "/boot/grub/grub.cfg" in reason
    hidden, reason = read({"/x": ""}, boot_unread="partition 2: xfs is not read yet")
    assert hidden.config is None
    assert "xfs is not read yet" in reason


def test_what_uefi_finds_does_not_hang_on_boot() -> None:
    esp: dict[str, Content] = {"/efi/boot/bootx64.efi": b"MZ", "/efi/debian/grubx64.efi": b"MZ"}
    found, reason = read({"/x": ""}, esp=esp, boot_unread="partition 2: xfs is not read yet")
    assert found.uefi is True
    assert found.esp_fallback == "efi/boot/bootx64.efi"
    assert len(found.esp_loaders) == 2
    assert reason


def test_an_esp_without_the_fallback() -> None:
    found, _ = read({"/x": ""}, esp={"/EFI/debian/grubx64.efi": b"MZ"})
    assert (found.uefi, found.esp_fallback) == (True, None)
    empty, _ = read({"/x": ""}, esp={"/README": b""})
    assert (empty.uefi, empty.esp_loaders) == (False, ())


def test_another_architecture_s_fallback_does_not_count() -> None:
    found, _ = read({"/x": ""}, esp={"/EFI/BOOT/BOOTAA64.EFI": b"MZ"})
    assert found.esp_fallback is None


def test_a_stub_on_the_esp_that_leads_elsewhere_is_a_problem() -> None:
    stub = "search.fs_uuid {} root\nset prefix=($root)/grub\nconfigfile $prefix/grub.cfg\n"
    good, _ = read({"/x": ""}, esp={"/EFI/debian/grub.cfg": stub.format("boot-uuid")})
    assert good.problems == ()
    astray, _ = read({"/x": ""}, esp={"/EFI/debian/grub.cfg": stub.format("other")})
    assert [p.code for p in astray.problems] == ["esp-config-other-disk"]


def test_a_whole_menu_on_the_esp_counts() -> None:
    config = GRUB.format(device="boot-uuid", prefix="", root="UUID=root-uuid")
    found, _ = read({"/x": ""}, {"/vmlinuz-6.1": b""}, {"/EFI/redhat/grub.cfg": config})
    assert found.config == "/efi/EFI/redhat/grub.cfg"
    assert found.entries[0].kernel == "/boot/vmlinuz-6.1"


def test_bls_entries_come_newest_first_and_the_saved_one_is_the_default() -> None:
    entry = "title Rocky {0}\nlinux /vmlinuz-{0}\ninitrd /initramfs-{0}.img\noptions root=LABEL=r\n"
    boot: dict[str, Content] = {
        "/grub2/grub.cfg": "search --fs-uuid --set=root boot-uuid\nset boot=$root\n"
        'set default="${saved_entry}"\nblscfg\n',
        "/grub2/grubenv": "# GRUB Environment Block\nsaved_entry=id-5.14.0-9\n###",
        "/loader/entries/id-5.14.0-9.conf": entry.format("5.14.0-9"),
        "/loader/entries/id-5.14.0-362.conf": entry.format("5.14.0-362"),
        "/vmlinuz-5.14.0-9": b"",
    }
    found, _ = read({"/x": ""}, boot)
    assert [e.kernel for e in found.entries][1] == "/boot/vmlinuz-5.14.0-9"
    assert [e.default for e in found.entries] == [False, True]
    assert [e.kernel_exists for e in found.entries] == [False, True]


def test_systemd_boot_is_recognised() -> None:
    esp: dict[str, Content] = {
        "/EFI/systemd/systemd-bootx64.efi": b"",
        "/loader/loader.conf": "timeout 3\ndefault arch\n",
        "/loader/entries/arch.conf": "title Arch\nlinux /vmlinuz-linux\noptions root=LABEL=arch\n",
        "/vmlinuz-linux": b"",
    }
    found, _ = read({"/x": ""}, esp=esp)
    assert found.name == "systemd-boot"
    assert (found.entries[0].kernel, found.entries[0].kernel_exists) == ("/efi/vmlinuz-linux", True)


def test_a_legacy_menu_is_recognised() -> None:
    menu = "default 0\ntitle Old\nroot (hd0,1)\nkernel /vmlinuz-2.6 root=/dev/sda3\n"
    found, _ = read({"/x": ""}, {"/grub/menu.lst": menu, "/vmlinuz-2.6": b""})
    assert (found.name, found.entries[0].kernel) == ("grub-legacy", "/boot/vmlinuz-2.6")


def test_the_last_root_of_a_command_line_counts() -> None:
    config = "menuentry x { linux /boot/k root=/dev/sda1 quiet root=UUID=root-uuid }"
    found, _ = read({"/boot/grub/grub.cfg": config})
    assert found.entries[0].root == "UUID=root-uuid"


def test_bios_needs_boot_code_and_a_core() -> None:
    def with_table(*, boot_code: bool, bios_core: bool | None) -> bool | None:
        table = PartitionTable(TableKind.MBR, 512, (), boot_code=boot_code, bios_core=bios_core)
        return read({"/x": ""}, table=table)[0].bios

    assert with_table(boot_code=True, bios_core=True) is True
    assert with_table(boot_code=True, bios_core=False) is False
    assert with_table(boot_code=True, bios_core=None) is None
    assert with_table(boot_code=False, bios_core=True) is False


def test_a_file_of_the_same_name_on_another_file_system_is_not_the_kernel() -> None:
    config = GRUB.format(device="boot-uuid", prefix="", root="UUID=root-uuid")
    elsewhere = {"/vmlinuz-6.1": b"k", "/initrd.img-6.1": b"i"}
    (entry,) = read(elsewhere, {"/grub/grub.cfg": config})[0].entries
    assert (entry.kernel, entry.kernel_exists) == ("/boot/vmlinuz-6.1", False)
    assert entry.initrds_exist is False


def test_a_device_that_is_mounted_nowhere_can_not_be_told() -> None:
    config = GRUB.format(device="boot-uuid", prefix="", root="UUID=root-uuid")
    (entry,) = read({"/boot/grub/grub.cfg": config, "/vmlinuz-6.1": b"k"})[0].entries
    assert entry.kernel_exists is None
