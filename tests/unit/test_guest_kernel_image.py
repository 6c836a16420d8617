"""What a kernel's own file says, where its name does not."""

import pytest

from diskwright.guest.kernel_image import machine_of, release_of
from diskwright.guest.kernels import begin_kernels
from support.cpio_maker import archive
from support.fake_guest import Broken, Content, tree_of
from support.pe_maker import kernel


def test_a_kernel_says_its_release_and_its_machine() -> None:
    tree = tree_of({"/k": kernel("6.9.7-arch1-1"), "/arm": kernel(machine=0xAA64), "/no": b"x"})
    assert release_of(tree, "/k") == "6.9.7-arch1-1"
    assert release_of(tree, "/no") == ""
    assert machine_of(tree, "/k") == "x86_64"
    assert machine_of(tree, "/arm") == "aarch64"
    assert machine_of(tree, "/no") is None
    assert machine_of(tree, "/gone") is None
    assert machine_of(tree_of({"/k": Broken()}), "/k") is None


@pytest.mark.parametrize("text", ["", "no number", "\x1b[2J6.1", "x" * 300])
def test_what_is_no_release_is_none(text: str) -> None:
    assert release_of(tree_of({"/k": kernel(text)}), "/k") == ""


def test_a_kernel_named_by_its_flavour_loads_its_own_modules() -> None:
    inside = {f"lib/modules/{v}/{m}.ko": b"" for v, m in (("6.9.7-arch1-1", "a"), ("6.1-x", "b"))}
    files: dict[str, Content] = {
        "/boot/vmlinuz-linux": kernel("6.9.7-arch1-1"),
        "/boot/initramfs-linux.img": archive(inside),
        "/usr/lib/modules/6.9.7-arch1-1/modules.builtin": "kernel/fs/ext4/ext4.ko\n",
        "/usr/lib/modules/6.1-x/modules.builtin": "kernel/fs/xfs/xfs.ko\n",
    }
    (found,) = begin_kernels(tree_of(files), ())()
    assert (found.version, found.path) == ("6.9.7-arch1-1", "/boot/vmlinuz-linux")
    assert (found.builtin, found.architecture) == (("ext4",), "x86_64")
    assert found.initramfs is not None
    assert found.initramfs.modules == ("a",)


def test_without_it_the_one_folder_of_modules_that_fits_tells() -> None:
    files: dict[str, Content] = {
        "/boot/vmlinuz-lts": b"k",
        "/boot/initramfs-lts": archive({"lib/modules/6.6.58-0-lts/virtio_blk.ko": b""}),
        "/lib/modules/6.6.58-0-lts/modules.builtin": "kernel/fs/ext4/ext4.ko\n",
        "/lib/modules/6.6.58-0-virt/modules.builtin": "",
    }
    (found,) = begin_kernels(tree_of(files), ())()
    assert (found.version, found.builtin) == ("6.6.58-0-lts", ("ext4",))
    assert found.initramfs is not None
    assert found.initramfs.modules == ("virtio_blk",)
    files["/lib/modules/6.6.59-0-lts/modules.builtin"] = ""
    (found,) = begin_kernels(tree_of(files), ())()
    assert (found.version, found.builtin) == ("lts", None)
