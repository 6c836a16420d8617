"""The files of the hostile corpus by name. What is to become of each stands in its MANIFEST.tsv."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from support.hostile.iso import both, direc, iso
from support.hostile.qcow2 import qcow2
from support.hostile.tables import LINUX, gpt, mbr
from support.hostile.vdi import vdi
from support.hostile.vhd import vhd_dynamic, vhd_footer
from support.hostile.vhdx import BATG, METAG, vhdx
from support.hostile.vmdk import vmdk_desc, vmdk_sparse

MANIFEST = Path(__file__).parents[2] / "hostile" / "MANIFEST.tsv"
K = 65536
COPIED = 1 << 63
COMPRESSED = 1 << 62
EXT_BACKING_FORMAT = 0xE2792ACA
EXT_DATA_FILE = 0x44415441
UNUSED = 0xFFFFFFFF


@dataclass(frozen=True)
class Row:
    """A line of the manifest. `outcome` is accept, or refuse- with the kind of the refusal."""

    file: str
    sha256: str
    format: str
    outcome: str
    finding: str
    what: str

    def __str__(self) -> str:
        return self.file


def rows() -> list[Row]:
    with MANIFEST.open(newline="") as lines:
        return [Row(**line) for line in csv.DictReader(lines, delimiter="\t")]


@cache
def build(name: str) -> bytes:
    return bytes(_BUILDERS[name]())


def names() -> set[str]:
    return set(_BUILDERS)


def _gzip_bomb() -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, packed, 0) as stream:
        for _ in range(256):
            stream.write(bytes(1 << 20))
    return packed.getvalue()


def _raw_starts_with_qfi() -> bytes:
    image = qcow2(backing=b"/etc/passwd")
    table = mbr([(0x80, 0x83, 63, 1000)], 512)
    return image[:446] + bytes(table[446:512]) + image[512:]


def _polyglot() -> bytes:
    image = bytearray(qcow2())
    image[16 * 2048 : 40 * 2048] = iso()[16 * 2048 :]
    return image


def _extended_loop() -> bytes:
    disk = mbr([(0, 5, 100, 1000)])
    disk[100 * 512 : 101 * 512] = mbr([(0, 0x83, 1, 10), (0, 5, 0, 1000)], 512)
    return disk


def _root(*more: bytes, dot: bytes = b"") -> bytes:
    return direc(b"\0", 20, 2048, 2, dot) + direc(b"\1", 20, 2048, 2) + b"".join(more)


def _escaping_link() -> bytes:
    mode = b"PX" + bytes([36, 1]) + both("I", 0o120777) + both("I", 1) + both("I", 0) * 2
    target = b"SL" + bytes([24, 1, 0]) + b"\4\0" * 3 + b"\0\3etc" + b"\0\6passwd"
    link = direc(b"X.;1", 0, 0, 0, mode + target)
    return iso(root=_root(link, dot=b"SP\7\1\xbe\xef\0"))


_QCOW2: dict[str, dict[str, object]] = {
    "good": {},
    "good-v2": {"version": 2},
    "backing-etc-passwd": {"backing": b"/etc/passwd"},
    "backing-json": {
        "backing": b'json:{"driver":"raw","file":{"driver":"file","filename":"/etc/shadow"}}'
    },
    "backing-nbd": {"backing": b"nbd://127.0.0.1:10809/x"},
    "backing-relative": {"backing": b"../../../etc/hostname"},
    "backing-fmt-only": {"exts": [(EXT_BACKING_FORMAT, b"raw", None)]},
    "backing-name-1024": {"backing": b"x", "backing_len": 70000},
    "datafile-shadow": {"incompat": 4, "exts": [(EXT_DATA_FILE, b"/etc/shadow", None)]},
    "datafile-no-path": {"incompat": 4},
    "datafile-name-without-bit": {"exts": [(EXT_DATA_FILE, b"/etc/passwd", None)]},
    "cluster-bits-0": {"cluster_bits": 0},
    "cluster-bits-8": {"cluster_bits": 8},
    "cluster-bits-22": {"cluster_bits": 22},
    "cluster-bits-63": {"cluster_bits": 63},
    "l1-huge": {"l1_size": 1 << 31},
    "l1-past-eof": {"l1_off": 1 << 40},
    "l1-unaligned": {"l1_off": 3 * K + 8},
    "l1-to-header": {"l1": [COPIED]},
    "l1-to-itself": {"l1": [3 * K | COPIED]},
    "l1-too-small": {"size": 1 << 40, "l1_size": 1},
    "l2-shared": {"size": 1 << 30, "l1": [4 * K | COPIED] * 2},
    "l2-to-metadata": {"l2": [1 * K | COPIED]},
    "data-past-eof": {"l2": [1 << 45 | COPIED]},
    "compressed-past-eof": {"l2": [COMPRESSED | 3 << 54 | 0x3FFFFFFF000]},
    "compressed-garbage": {"l2": [COMPRESSED | 5 * K + 13]},
    "size-2e63": {"size": 1 << 63},
    "size-unaligned": {"size": (1 << 20) + 1},
    "header-length-70000": {"header_length": 70000},
    "header-length-8": {"header_length": 8},
    "feature-unknown": {"incompat": 1 << 40},
    "version-9": {"version": 9},
    "crypt-7": {"crypt": 7},
    "ext-overflow": {"exts": [(EXT_BACKING_FORMAT, b"raw\0", 0xFFFFFFF0)]},
    "dirty": {"incompat": 1},
    "corrupt": {"incompat": 2},
    "snapshots-huge": {"snapshots": 0xFFFFFFFF, "snap_off": 5 * K},
    "refcount-past-eof": {"rc_off": 1 << 44},
    "refcount-order-7": {"refcount_order": 7},
}

_PARENT = vmdk_desc(
    'RW 2048 SPARSE "self.vmdk"', parent="deadbeef", more='parentFileNameHint="/etc/passwd"'
)
_REGIONS = [(BATG, 2 << 20, 1 << 20, 1), (METAG, 2 << 20, 1 << 20, 1)]
_LOCATOR = [(b"W2ku", "C:\\secret.vhd".encode("utf-16-le"), 2048)]

_BUILDERS: dict[str, Callable[[], bytes]] = {
    **{f"qcow2-{name}.qcow2": partial(qcow2, **how) for name, how in _QCOW2.items()},
    "vmdk-good.vmdk": vmdk_sparse,
    "vmdk-extent-etc-passwd.vmdk": partial(
        vmdk_desc, 'RW 8 FLAT "/etc/passwd" 0', "monolithicFlat"
    ),
    "vmdk-extent-dotdot.vmdk": partial(
        vmdk_desc, 'RW 8 FLAT "../../../etc/hostname" 0', "monolithicFlat"
    ),
    "vmdk-extent-device.vmdk": partial(vmdk_desc, 'RW 2048 FLAT "/dev/vda" 0', "monolithicFlat"),
    "vmdk-extent-json.vmdk": partial(vmdk_desc, 'RW 8 FLAT "json:{}" 0', "monolithicFlat"),
    "vmdk-parent-hint.vmdk": partial(vmdk_sparse, desc=_PARENT),
    "vmdk-two-extents.vmdk": partial(
        vmdk_desc, 'RW 2048 SPARSE "a-s001.vmdk"\nRW 2048 SPARSE "b-s002.vmdk"', "custom"
    ),
    "vmdk-gd-past-eof.vmdk": partial(vmdk_sparse, gd=1 << 40),
    "vmdk-grain-0.vmdk": partial(vmdk_sparse, grain=0),
    "vmdk-grain-3.vmdk": partial(vmdk_sparse, grain=3),
    "vmdk-capacity-2e60.vmdk": partial(
        vmdk_sparse, size_sectors=1 << 60, desc=vmdk_desc('RW 2048 SPARSE "s"')
    ),
    "vmdk-desc-huge.vmdk": partial(vmdk_desc, "RW 8 ZERO", pad=3 << 20),
    "vmdk-version-9.vmdk": partial(vmdk_sparse, version=9),
    "vmdk-newline-test.vmdk": lambda: vmdk_sparse().replace(b"\n \r\n", b"\n \n\n", 1),
    "vhd-fixed-good.vhd": lambda: bytes(1044480) + vhd_footer(),
    "vhd-dynamic-good.vhd": vhd_dynamic,
    "vhd-footer-checksum.vhd": lambda: bytes(1044480) + vhd_footer(checksum=1),
    "vhd-footer-copies-differ.vhd": lambda: vhd_dynamic(head=vhd_footer(2 << 20, 3, 512)),
    "vhd-differencing.vhd": partial(vhd_dynamic, kind=4, parent="secret.vhd", locators=_LOCATOR),
    "vhd-bat-past-eof.vhd": partial(vhd_dynamic, bat=[0x7FFFFFF0]),
    "vhd-block-0.vhd": partial(vhd_dynamic, block=0),
    "vhd-block-2e31.vhd": partial(vhd_dynamic, block=1 << 31),
    "vhd-entries-huge.vhd": partial(vhd_dynamic, entries=0xFFFFFFFF),
    "vhd-chs-differs.vhd": lambda: bytes(1 << 20) + vhd_footer(1 << 20, chs=(30, 4, 17)),
    "vhdx-good.vhdx": vhdx,
    "vhdx-header-crc.vhdx": partial(vhdx, bad_header_crc=1),
    "vhdx-log-not-empty.vhdx": partial(vhdx, log_guid=1),
    "vhdx-region-overlap.vhdx": partial(vhdx, regions=_REGIONS),
    "vhdx-parent.vhdx": partial(vhdx, has_parent=1),
    "vdi-good.vdi": vdi,
    "vdi-map-duplicates.vdi": partial(vdi, bmap=(0, 0, UNUSED, UNUSED)),
    "vdi-block-past-eof.vdi": partial(vdi, bmap=(0, 99999, UNUSED, UNUSED)),
    "vdi-size-0.vdi": partial(vdi, size=0, blocks=4),
    "vdi-parent.vdi": partial(vdi, kind=4, parent=b"\x77" * 16),
    "iso-good.iso": iso,
    "iso-dir-loop.iso": lambda: iso(root=_root(direc(b"LOOP", 20, 2048, 2))),
    "iso-symlink-escape.iso": _escaping_link,
    "iso-eltorito-past-eof.iso": partial(iso, boot=4000000),
    "gz-bomb.img.gz": _gzip_bomb,
    "raw-starts-with-QFI.raw": _raw_starts_with_qfi,
    "polyglot-qcow2-iso.bin": _polyglot,
    "gpt-good.raw": partial(gpt, [(LINUX, 34, 1000)]),
    "gpt-4g-entries.raw": partial(gpt, [(LINUX, 34, 1000)], count=0xFFFFFFFF),
    "gpt-overlap.raw": partial(gpt, [(LINUX, 34, 1000), (LINUX, 500, 1500)]),
    "gpt-entry-size-0.raw": partial(gpt, [(LINUX, 34, 1000)], esize=0),
    "mbr-extended-loop.raw": _extended_loop,
    "size-0.raw": lambda: b"",
    "size-1.raw": lambda: bytes(1),
    "size-511.raw": lambda: bytes(511),
    "cut-qcow2-71.qcow2": lambda: qcow2()[:71],
    "cut-vmdk-78.vmdk": lambda: vmdk_sparse()[:78],
    "cut-vhdx-65600.vhdx": lambda: vhdx()[:65600],
    "cut-vdi-100.vdi": lambda: vdi()[:100],
}
