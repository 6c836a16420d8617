"""An initramfs is listed whatever it is packed with, and what is wrong with it is a state."""

import bz2
import gzip
import lzma
import threading
from collections.abc import Callable

import lz4.block
import pytest

from diskwright.formats.packed.codecs import zstd
from diskwright.guest import initramfs
from diskwright.guest.initramfs import begin_initramfs
from diskwright.model.guest import Initramfs, InitramfsState
from support.cpio_maker import archive, entry
from support.fake_guest import Broken, Content, tree_of

K = "usr/lib/modules/6.1.0/kernel/drivers"
FILES = {
    "init": b"#!/bin/sh\n",
    f"{K}/block/virtio_blk.ko": b"\x7fELF" * 300,
    f"{K}/block/xen-blkfront.ko.xz": bytes(999),
    f"{K}/net/virtio_net.ko.zst": bytes(5),
    f"{K}/scsi/virtio_scsi.ko.gz": b"",
    "usr/lib/modules/6.1.0/modules.builtin": b"kernel/fs/ext4/ext4.ko\nkernel/crypto/aes.ko\n",
}
MODULES = ("ext4", "virtio_blk", "virtio_net", "virtio_scsi", "xen_blkfront")
MICROCODE = archive({"kernel/x86/microcode/GenuineIntel.bin": bytes(4096)})


def lz4_legacy(data: bytes) -> bytes:
    packed = lz4.block.compress(data, store_size=False)
    return b"\x02\x21\x4c\x18" + len(packed).to_bytes(4, "little") + packed


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lambda data: lzma.compress(data, check=lzma.CHECK_CRC32),
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "bzip2": bz2.compress,
    "zstd": zstd.compress,
    "lz4": lz4_legacy,
}


def read(content: Content) -> Initramfs:
    return begin_initramfs(tree_of({"/boot/initrd": content}), "/boot/initrd")()


@pytest.mark.parametrize("name", PACKERS)
def test_every_compression_gives_the_same_listing(name: str) -> None:
    found = read(PACKERS[name](archive(FILES)))
    assert found.state is InitramfsState.READ
    assert found.compression == name
    assert found.modules == MODULES
    assert found.entries == len(FILES) + 9  # folders


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("padding", [0, 4, 512, 300_000])
def test_microcode_and_padding_before_the_tree_are_passed(name: str, padding: int) -> None:
    found = read(MICROCODE + bytes(padding) + PACKERS[name](archive(FILES)))
    assert (found.state, found.compression) == (InitramfsState.READ, name)
    assert found.modules == MODULES


@pytest.mark.parametrize("name", PACKERS)
def test_what_follows_a_compressed_archive_is_read(name: str) -> None:
    more = archive({f"{K}/net/e1000.ko": b""})
    found = read(PACKERS[name](archive(FILES)) + bytes(64) + more)
    assert (found.state, found.detail) == (InitramfsState.READ, "")
    assert "e1000" in found.modules


def test_a_plain_archive_needs_no_compression() -> None:
    found = read(archive(FILES))
    assert (found.state, found.compression, found.modules) == (InitramfsState.READ, None, MODULES)


@pytest.mark.parametrize("name", PACKERS)
def test_one_that_is_cut_is_corrupt(name: str) -> None:
    whole = PACKERS[name](archive({"a/big.ko": bytes(range(256)) * 999, **FILES}))
    for length in (len(whole) // 2, len(whole) - 1):
        found = read(whole[:length])
        assert found.state is InitramfsState.CORRUPT, length


@pytest.mark.parametrize("name", ["gzip", "xz", "zstd", "bzip2"])
def test_one_with_a_flipped_bit_is_corrupt(name: str) -> None:
    packed = bytearray(PACKERS[name](archive(FILES)))
    packed[len(packed) // 2] ^= 0x10
    assert read(bytes(packed)).state is InitramfsState.CORRUPT


def test_missing_empty_and_unread_are_told_apart() -> None:
    assert begin_initramfs(tree_of({}), "/boot/no")().state is InitramfsState.MISSING
    assert read(b"").state is InitramfsState.CORRUPT
    assert read(bytes(4096)).state is InitramfsState.CORRUPT
    assert read(b"not an archive at all").state is InitramfsState.CORRUPT
    assert read(Broken()).state is InitramfsState.CORRUPT
    assert read(Broken("budget")).state is InitramfsState.UNREAD
    lzo = read(b"\x89LZO\x00\x0d\x0a\x1a\x0a")
    assert (lzo.state, lzo.detail) == (InitramfsState.UNREAD, "lzo is not read yet")


@pytest.mark.parametrize(
    "damage",
    [
        entry("a", b"", size=0xFFFFFFFF),
        b"070701" + b"Z" * 104 + b"a\0\0\0",
        b"070701" + b"0" * 104,  # a name of no length
        b"070701" + (b"%08X" % 1) * 11 + b"%08X" % 5000 + b"%08X" % 0 + bytes(6000),
        b"070701",
    ],
)
def test_an_archive_that_lies_is_corrupt(damage: bytes) -> None:
    assert read(archive(FILES, trailer=False) + damage).state is InitramfsState.CORRUPT


def test_rules_that_pin_a_name_are_found_inside() -> None:
    rule = 'SUBSYSTEM=="net", ATTR{address}=="00:0c:29:3e:5a:11", NAME="eth0"\n'
    found = read(
        archive(
            {
                "etc/udev/rules.d/70-persistent-net.rules": rule.encode(),
                "usr/lib/udev/rules.d/80-net.rules": b'SUBSYSTEM=="net", ACTION=="add"\n',
            }
        )
    )
    assert found.persistent_net_rules == ("/etc/udev/rules.d/70-persistent-net.rules",)


def test_a_bomb_stops_at_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initramfs, "MAX_OUTPUT", 1 << 20)
    threads = threading.active_count()
    found = read(gzip.compress(archive({"zeros": bytes(8 << 20)})))
    assert found.state is InitramfsState.UNREAD
    assert "1 MiB" in found.detail
    assert threading.active_count() == threads  # nothing reads on of a tree that others read then
    monkeypatch.setattr(initramfs, "MAX_ENTRIES", 100)
    found = read(archive({f"f{n}": b"" for n in range(200)}))
    assert found.state is InitramfsState.UNREAD
    assert found.entries == 101


def test_a_module_counts_only_where_a_kernel_looks_for_it() -> None:
    tree = tree_of(
        {
            "/i": archive(
                {
                    "lib/modules/6.1.0/kernel/virtio_blk.ko": b"",
                    "./usr/lib/modules/6.1.0/updates/virtio_scsi.ko.xz": b"",
                    "lib/modules/6.1.0/modules.builtin": b"kernel/fs/ext4/ext4.ko\n",
                    "lib/modules/3.2.0-OLD/kernel/virtio_net.ko": b"",
                    "lib/modules/3.2.0-OLD/modules.builtin": b"kernel/fs/xfs/xfs.ko\n",
                    "usr/share/doc/virtio_pci.ko": b"",
                    "root/lib/modules/6.1.0/virtio_rng.ko": b"",
                }
            )
        }
    )
    own = begin_initramfs(tree, "/i", lambda version: version == "6.1.0")()
    assert own.modules == ("ext4", "virtio_blk", "virtio_scsi")
    unknown = begin_initramfs(tree, "/i")()
    assert unknown.modules == ("ext4", "virtio_blk", "virtio_net", "virtio_scsi", "xfs")
