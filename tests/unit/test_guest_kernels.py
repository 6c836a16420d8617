"""Kernels, what is built into them, and the initramfs that goes with each."""

import pytest

from diskwright.guest.kernels import begin_kernels
from diskwright.guest.modules import config_builtins, module_name
from diskwright.model.guest import BootEntry, InitramfsState, Kernel
from diskwright.model.location import Location
from support.cpio_maker import archive
from support.fake_guest import Content, tree_of

CONFIG = "CONFIG_VIRTIO=y\nCONFIG_VIRTIO_BLK=m\n# CONFIG_XFS_FS is not set\nCONFIG_EXT4_FS=y\n"
MODULE = "usr/lib/modules/6.1.0-9/kernel/virtio_blk.ko"


def boot_entry(kernel: str, *initrds: str, exists: bool = True) -> BootEntry:
    return BootEntry(
        location=Location("/boot/grub/grub.cfg", 1),
        title="x",
        kernel=kernel,
        kernel_exists=exists,
        initrds=initrds,
        initrds_exist=True,
        command_line="",
        root=None,
        root_named_by=None,
        root_on_disk=None,
        default=True,
    )


def read(files: dict[str, Content], *entries: BootEntry) -> tuple[Kernel, ...]:
    return begin_kernels(tree_of(files), entries)()


FILES: dict[str, Content] = {
    "/boot/vmlinuz-6.1.0-9": b"k",
    "/boot/vmlinuz-6.1.0-56": b"k",
    "/boot/vmlinuz-0-rescue-abc": b"k",
    "/boot/vmlinuz-6.1.0-56.old": b"k",
    "/boot/config-6.1.0-9": CONFIG,
    "/boot/initrd.img-6.1.0-9": archive({MODULE: b""}),
    "/boot/initramfs-6.1.0-56.img": b"broken",
    "/boot/grub/x": b"",
}


def test_the_default_is_the_boot_loader_s_and_comes_first() -> None:
    default, other = read(FILES, boot_entry("/boot/vmlinuz-6.1.0-9", "/boot/initrd.img-6.1.0-9"))
    assert (default.version, default.default) == ("6.1.0-9", True)
    assert default.builtin == ("ext4", "virtio", "virtio_ring")
    assert default.initramfs is not None
    assert default.initramfs.modules == ("virtio_blk",)
    assert (other.version, other.default, other.builtin) == ("6.1.0-56", False, None)
    assert other.initramfs is not None
    assert other.initramfs.state is InitramfsState.UNREAD


def test_without_a_boot_loader_the_newest_is_the_default() -> None:
    default, _ = read(FILES)
    assert default.path == "/boot/vmlinuz-6.1.0-56"
    assert default.initramfs is not None
    assert default.initramfs.path == "/boot/initramfs-6.1.0-56.img"
    assert default.initramfs.state is InitramfsState.CORRUPT


def test_a_missing_kernel_leaves_what_belongs_to_it() -> None:
    files = {path: data for path, data in FILES.items() if "vmlinuz" not in path}
    entry = boot_entry("/boot/vmlinuz-6.1.0-9", "/boot/initrd.img-6.1.0-9", exists=False)
    (kernel,) = read(files, entry)
    assert (kernel.path, kernel.default) == (None, True)
    assert kernel.builtin == ("ext4", "virtio", "virtio_ring")
    assert kernel.initramfs is not None
    assert kernel.initramfs.state is InitramfsState.READ


def test_microcode_is_not_taken_for_the_initramfs() -> None:
    initrds = ("/boot/initrd.img-6.1.0-9", "/boot/intel-ucode.img")
    kernel = read(FILES, boot_entry("/boot/vmlinuz-6.1.0-9", *initrds))[0]
    assert kernel.initramfs is not None
    assert kernel.initramfs.path == "/boot/initrd.img-6.1.0-9"


def test_a_kernel_without_initramfs_has_none() -> None:
    assert read({"/boot/vmlinuz-6": b""})[0].initramfs is None
    assert read({}) == ()


def test_builtins_come_from_modules_builtin_where_no_configuration_is_kept() -> None:
    listing = "kernel/fs/ext4/ext4.ko\nkernel/drivers/block/virtio_blk.ko\nkernel/x/unknown.ko\n"
    files: dict[str, Content] = {"/boot/vmlinuz-6": b"", "/lib/modules/6/modules.builtin": listing}
    assert read(files)[0].builtin == ("ext4", "virtio_blk")


def test_options_become_the_names_of_modules() -> None:
    text = "CONFIG_XEN_BLKDEV_FRONTEND=y\nCONFIG_E1000=y\nCONFIG_VIRTIO_NET=m\nCONFIG_FOO=y\n"
    assert config_builtins(text) == ("e1000", "xen_blkfront")


def test_what_is_built_in_has_what_it_needs_built_in() -> None:
    assert config_builtins("CONFIG_VIRTIO_PCI=y\n") == ("virtio", "virtio_pci", "virtio_ring")
    assert config_builtins("CONFIG_VIRTIO_PCI_LIB=y\n") == ("virtio_pci_modern_dev",)


def test_modules_are_named_with_underscores() -> None:
    assert module_name("a/b/xen-blkfront.ko.xz") == "xen_blkfront"
    assert module_name("virtio_net.ko") == "virtio_net"
    assert module_name("modules.dep") is None
    assert module_name("x.ko.txt") is None


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("6.1.0-9-amd64", "6.1.0-9-amd64"),  # Debian
        ("5.14.0-362.el9.x86_64", "5.14.0-362.el9.x86_64"),
        ("lts", "6.6.58-0-lts"),  # Alpine names the flavour alone
    ],
)
def test_modules_of_another_kernel_do_not_count(name: str, own: str) -> None:
    inside: dict[str, bytes] = {
        f"lib/modules/{own}/kernel/virtio_blk.ko": b"",
        "lib/modules/3.2.0-OLD/kernel/virtio_net.ko": b"",
    }
    files: dict[str, Content] = {
        f"/boot/vmlinuz-{name}": b"k",
        f"/boot/initramfs-{name}.img": archive(inside),
        f"/lib/modules/{own}/modules.dep": b"",
        "/lib/modules/3.2.0-OLD/modules.dep": b"",
    }
    (kernel,) = read(files)
    assert kernel.initramfs is not None
    assert kernel.initramfs.modules == ("virtio_blk",)


def test_a_kernel_whose_release_is_not_known_may_load_any() -> None:
    files: dict[str, Content] = {
        "/boot/vmlinuz-linux": b"k",
        "/boot/initramfs-linux.img": archive({"usr/lib/modules/6.9.1-arch1-1/virtio_blk.ko": b""}),
        "/usr/lib/modules/6.9.1-arch1-1/modules.dep": b"",
    }
    (kernel,) = read(files)
    assert kernel.initramfs is not None
    assert kernel.initramfs.modules == ("virtio_blk",)


def test_modules_on_the_disk_are_those_of_the_default_kernel() -> None:
    files: dict[str, Content] = {
        "/boot/vmlinuz-6.1": b"k",
        "/boot/vmlinuz-5.10": b"k",
        "/usr/lib/modules/6.1/modules.dep": "kernel/drivers/net/hinic.ko.xz:\n"
        "kernel/fs/xfs/xfs.ko: kernel/lib/libcrc32c.ko\nkernel/x/no_interest.ko:\nno module\n",
        "/usr/lib/modules/5.10/modules.dep": "kernel/fs/btrfs.ko:\n",
    }
    default, other = read(files)
    assert (default.version, default.modules) == ("6.1", ("hinic", "xfs"))
    assert other.modules is None
    assert read({"/boot/vmlinuz-6.1": b"k"})[0].modules is None
