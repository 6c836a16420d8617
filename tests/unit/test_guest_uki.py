"""Unified kernel images: as entries of systemd-boot, and as what firmware starts itself."""

from __future__ import annotations

import gzip

import pytest

from diskwright.guest.inspect import facts_of
from diskwright.guest.probe import Probe
from diskwright.guest.uki import read_uki
from diskwright.model.codec import decode, encode
from diskwright.model.guest import FileSystem, GuestFacts, InitramfsState
from diskwright.model.partitions import Partition, PartitionRole, PartitionTable, TableKind
from support.boot_guest import SYSTEMD_BOOT, read_boot, table
from support.cpio_maker import archive
from support.fake_guest import Broken, Content, FakeFs, tree_of
from support.pe_maker import kernel, pe, uki

XBOOTLDR = "bc13c2ff-59e6-4262-a352-b275fd6f7172"
LOADER: dict[str, Content] = {"/EFI/BOOT/BOOTX64.EFI": SYSTEMD_BOOT}
RELEASE = "6.1.0-9-amd64"


def test_an_image_says_what_it_starts() -> None:
    found = read_uki(tree_of({"/deb+3-1.efi": uki()}), "/deb+3-1.efi")
    assert found is not None
    assert (found.title, found.version, found.sort_key) == ("Debian GNU/Linux 12", "12", "debian")
    assert (found.release, found.has_initrd) == (RELEASE, True)
    assert found.command_line == "root=UUID=root-uuid ro console=ttyS0"
    entry = found.entry("/EFI/Linux/deb+3-1.efi")
    assert (entry.id, entry.tries_left) == ("deb.efi", 3)


def test_a_release_that_is_not_said_is_the_kernel_s_own() -> None:
    tree = tree_of({"/x.efi": uki(uname=None, linux=kernel("6.9.7-arch1-1"), initrd=None)})
    found = read_uki(tree, "/x.efi")
    assert found is not None
    assert (found.release, found.has_initrd) == ("6.9.7-arch1-1", False)


@pytest.mark.parametrize(
    "data",
    [SYSTEMD_BOOT, b"", b"MZ", pe({".initrd": b"x"}), kernel(), uki()[:300]],
    ids=["loader", "empty", "short", "no kernel", "kernel", "cut in its table"],
)
def test_another_program_is_no_image(data: bytes) -> None:
    assert read_uki(tree_of({"/x.efi": data}), "/x.efi") is None


def test_one_that_is_cut_off_is_one_of_which_nothing_is_known() -> None:
    found = read_uki(tree_of({"/x.efi": uki()[:-600]}), "/x.efi")
    assert found is not None
    assert (found.release, found.title, found.has_initrd) == ("", "", True)


def test_images_are_among_systemd_boot_s_entries() -> None:
    esp = LOADER | {
        "/EFI/Linux/deb-9.efi": uki(),
        "/EFI/Linux/deb-56.EFI": uki(
            osrel=b'ID=debian\nVERSION_ID="13"\n', uname=b"6.1.0-56-amd64", initrd=None
        ),
        "/EFI/Linux/tool.efi": SYSTEMD_BOOT,
        "/EFI/Linux/deb-9.efi.extra.d/x.addon.efi": pe({".cmdline": b"quiet"}),
        "/loader/entries/arch.conf": "title Arch\nlinux /k\noptions root=UUID=root-uuid\n",
        "/k": b"",
    }
    found, reason = read_boot({"/x": ""}, esp=esp)
    assert (found.name, reason) == ("systemd-boot", "")
    assert [(e.version, e.default) for e in found.entries] == [
        ("6.1.0-56-amd64", True),
        (RELEASE, False),
        ("", False),
    ]
    newest, older, _ = found.entries
    assert (newest.kernel, newest.kernel_exists) == ("/efi/EFI/Linux/deb-56.EFI", True)
    assert (newest.initrds, newest.initrds_exist) == ((), None)
    assert (older.initrds, older.initrds_exist) == (("/efi/EFI/Linux/deb-9.efi",), True)
    assert (older.root, older.root_on_disk) == ("UUID=root-uuid", True)
    assert str(older.location) == "/efi/EFI/Linux/deb-9.efi"


def test_images_alone_need_no_configuration() -> None:
    found, _ = read_boot({"/x": ""}, esp=LOADER | {"/EFI/Linux/a.efi": uki()})
    assert (found.name, found.config) == ("systemd-boot", "/efi/EFI/Linux")


def test_an_entry_may_start_an_image() -> None:
    esp = LOADER | {
        "/loader/entries/a.conf": "title A\nefi /images/a.efi\n",
        "/loader/entries/b.conf": "title B\nlinux /images/a.efi\noptions root=LABEL=other\n",
        "/images/a.efi": uki(),
    }
    second, first = read_boot({"/x": ""}, esp=esp)[0].entries
    assert (first.title, first.kernel, first.version) == ("A", "/efi/images/a.efi", RELEASE)
    assert (first.root, first.initrds) == ("UUID=root-uuid", ("/efi/images/a.efi",))
    assert second.root == "LABEL=other"


def test_an_image_may_be_what_firmware_starts() -> None:
    old: dict[str, Content] = {"/boot/grub/grub.cfg": "menuentry x { linux /boot/k }"}
    esp: dict[str, Content] = {"/EFI/BOOT/BOOTX64.EFI": uki(), "/EFI/Linux/a.efi": uki()}
    found, reason = read_boot(old, esp=esp)
    assert (found.name, found.config, reason) == ("uki", "/efi/EFI/BOOT/BOOTX64.EFI", "")
    (entry,) = found.entries
    assert (entry.kernel, entry.default) == ("/efi/EFI/BOOT/BOOTX64.EFI", True)
    both, _ = read_boot(old, esp=esp, disk=table(boot_code=True, bios_core=True))
    assert both.name == "grub2"


def test_images_that_no_loader_starts_are_what_there_is() -> None:
    found, _ = read_boot({"/x": ""}, esp={"/EFI/Linux/a.efi": uki(), "/EFI/x/y.efi": b"MZ"})
    assert (found.name, found.esp_fallback) == ("uki", None)
    assert [entry.kernel for entry in found.entries] == ["/efi/EFI/Linux/a.efi"]


def test_an_image_that_can_not_be_read_is_a_reason() -> None:
    found, reason = read_boot({"/x": ""}, esp=LOADER | {"/EFI/Linux/a.efi": Broken("unsupported")})
    assert found.config is None
    assert reason.startswith("/efi/EFI/Linux/a.efi")


def guest(image: bytes, *, fallback: bytes = SYSTEMD_BOOT, extended: bool = False) -> GuestFacts:
    """A whole guest; its image is on the ESP, or on the extended boot loader partition."""
    root: dict[str, Content] = {
        "/etc/os-release": "ID=debian\n",
        "/bin/sh": b"",
        f"/usr/lib/modules/{RELEASE}/modules.builtin": "kernel/fs/ext4/ext4.ko\n",
    }
    esp: dict[str, Content] = {"/EFI/BOOT/BOOTX64.EFI": fallback}
    boot: dict[str, Content] = {"/keep": b""}
    if extended:
        esp["/loader/entries/memtest.conf"] = "efi /memtest.efi\n"
    (boot if extended else esp)["/EFI/Linux/deb.efi"] = image
    probes = [
        Probe(FileSystem("vfat", 1, True, uuid="E"), FakeFs(esp)),
        Probe(FileSystem("ext4", 2, True, uuid="root-uuid"), FakeFs(root)),
        Probe(FileSystem("vfat", 3, True, uuid="B"), FakeFs(boot)),
    ]
    partitions = (
        Partition(1, 1 << 20, 1 << 20, PartitionRole.ESP, ""),
        Partition(2, 2 << 20, 1 << 20, PartitionRole.LINUX, ""),
        Partition(3, 3 << 20, 1 << 20, PartitionRole.LINUX, XBOOTLDR),
    )
    table = PartitionTable(TableKind.GPT, 512, partitions, boot_code=False, bios_core=False)
    facts = facts_of(table, probes)
    assert decode(GuestFacts, encode(facts)) == facts
    return facts


@pytest.mark.parametrize("extended", [False, True], ids=["esp", "xbootldr"])
def test_the_kernel_and_the_initramfs_inside_are_read(extended: bool) -> None:
    packed = gzip.compress(archive({f"usr/lib/modules/{RELEASE}/kernel/virtio_blk.ko": b""}))
    facts = guest(uki(initrd=packed), extended=extended)
    assert facts.unread == ()
    assert facts.kernels is not None
    (found,) = facts.kernels
    assert (found.version, found.architecture, found.default) == (RELEASE, "x86_64", True)
    assert found.path == ("/boot" if extended else "/boot/efi") + "/EFI/Linux/deb.efi"
    assert found.builtin == ("ext4",)
    assert found.initramfs is not None
    assert found.initramfs.state is InitramfsState.READ
    assert (found.initramfs.compression, found.initramfs.path) == ("gzip", found.path)
    assert found.initramfs.modules == ("virtio_blk",)


def test_a_fallback_is_read_the_same() -> None:
    facts = guest(uki(), fallback=uki(initrd=archive({"lib/modules/6/virtio_net.ko": b""})))
    assert facts.kernels is not None
    initramfs = facts.kernels[0].initramfs
    assert initramfs is not None
    assert (initramfs.state, initramfs.modules) == (InitramfsState.READ, ())
    assert initramfs.path == "/boot/efi/EFI/BOOT/BOOTX64.EFI"


def test_an_image_that_is_cut_off_has_a_damaged_initramfs() -> None:
    facts = guest(uki()[:-600])
    assert facts.kernels is not None
    initramfs = facts.kernels[0].initramfs
    assert initramfs is not None
    assert initramfs.state is InitramfsState.CORRUPT
    assert initramfs.detail.startswith("ends within its section")


def test_a_fallback_that_is_cut_off_is_still_what_is_started() -> None:
    facts = guest(uki(), fallback=uki()[:-600])
    assert facts.bootloader is not None
    assert facts.bootloader.name == "uki"
    assert facts.kernels is not None
    assert facts.kernels[0].initramfs is not None
    assert facts.kernels[0].initramfs.state is InitramfsState.CORRUPT


def test_an_image_without_an_initramfs_takes_none_from_elsewhere() -> None:
    facts = guest(uki(initrd=None))
    assert facts.kernels is not None
    assert facts.kernels[0].initramfs is None
