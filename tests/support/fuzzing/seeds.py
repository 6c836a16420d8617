"""Small good files of every format, and where their metadata stands: the same in every run."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache, partial

from diskwright.model.image import ImageFormat
from support.fuzzing import chains, sums
from support.fuzzing.guests.seeds import GUESTS
from support.fuzzing.made import made_by_qemu
from support.fuzzing.seed import Places, Seed
from support.hostile import iso as iso_builder
from support.hostile.corpus import build
from support.hostile.qcow2 import qcow2
from support.hostile.tables import LINUX, gpt, mbr
from support.hostile.vdi import vdi
from support.hostile.vhd import vhd_dynamic, vhd_footer
from support.hostile.vhdx import vhdx
from support.image_bytes import patched
from support.iso_mutants import originals
from support.packages import archive, descriptor, disk, file, manifest
from support.packed import PACK, skippable
from support.small_images import luks1, luks2, packed, parallels, qcow1, qed
from support.vmdk_maker import Stream, sparse
from support.vmdk_maker import descriptor as vmdk_text

K = 1024
MIB = 1 << 20
GRAIN = 8


def _noise(length: int) -> bytes:
    return random.Random(length).randbytes(length)


def _raw() -> list[Seed]:
    linux = gpt([(LINUX, 34, 1000), (LINUX, 1001, 1500)])
    end = len(linux)
    tables = ((440, 604), (1024, 1024 + 512), (end - 33 * 512, end - 32 * 512), (end - 512, end))
    logical = mbr([(0x80, 0x83, 63, 500), (0, 5, 600, 1000)])
    logical[600 * 512 : 601 * 512] = mbr([(0, 0x83, 1, 10), (0, 5, 100, 100)], 512)
    logical[700 * 512 : 701 * 512] = mbr([(0, 0x83, 1, 20)], 512)
    chained = ((440, 512), (600 * 512 + 440, 601 * 512), (700 * 512 + 440, 701 * 512))
    return [Seed(bytes(linux), tables, sums.gpt), Seed(bytes(logical), chained)]


def _qcow2() -> list[Seed]:
    clusters = [(0, 120), *((n * 65536, n * 65536 + 32) for n in (1, 2, 3, 4))]
    plain = Seed(qcow2(), tuple(clusters))
    old = Seed(qcow2(version=2), ((0, 80), *clusters[1:]))
    made = [Seed(data, sums.qcow2_places(data)) for data in made_by_qemu("qcow2")]
    return [plain, old, *made]


def _qcow() -> list[Seed]:
    compressed = qcow1(l2=[packed(9, 1100, 60), 0, 3 * 512])
    hot = ((0, 64), (512, 560))
    made = [Seed(data, ((0, 64), (64, 4096))) for data in made_by_qemu("qcow")]
    return [Seed(qcow1(), hot), Seed(compressed, hot), *made]


def _vmdk() -> list[Seed]:
    row = {n: 64 + n * GRAIN for n in range(20)}
    places = {0: 72, 1: 64, 600: 80}
    size = 512 * GRAIN
    hot = ((0, 80), (512, 1024), (21 * 512, 24 * 512), (40 * 512, 42 * 512))
    return [
        Seed(sparse(2 * size, row, grain=GRAIN, copies=row), hot),
        Seed(sparse(2 * size, places, grain=GRAIN), hot),
        Seed(sparse(size, {0: 69, 1: 1, 2: 77}, grain=GRAIN, flags=5, version=2), hot),
        Seed(build("vmdk-good.vmdk"), ((0, 80), (512, 1024), (21 * 512, 30 * 512))),
        *(
            Seed(data, ((0, 80), (512, 1100), (20 * 512, 30 * 512)))
            for data in made_by_qemu("vmdk")
        ),
    ]


def _vmdk_stream() -> list[Seed]:
    grains = {0: b"a" * 65536, 2: _noise(600) * 109 + bytes(136), 600: b"b" * 65536}
    stream = Stream(512 * 128 * 2, grains).build()
    end = len(stream)
    first = stream.index(b"x\x9c", 65536)
    hot = ((0, 80), (512, 1024), (first - 12, first + 600), (end - 12 * 512, end))
    made = made_by_qemu("stream")
    return [
        Seed(stream, hot),
        *(Seed(m, ((0, 80), (512, 1100), (65536, len(m)))) for m in made),
    ]


def _vmdk_descriptor() -> list[Seed]:
    texts = (
        vmdk_text('RW 8 FLAT "a.vmdk" 0', 'RW 9 SPARSE "b"', create_type="monolithicFlat"),
        vmdk_text("RW 2048 ZERO", create_type="custom"),
        vmdk_text('RW 8 VMFS "a-flat.vmdk"', create_type="vmfs", parent="deadbeef"),
    )
    return [Seed(text.ljust(2 * K, b"\n"), ((0, len(text)),)) for text in texts]


def _vhd() -> list[Seed]:
    two = vhd_dynamic(bat=[4, 0xFFFFFFFF])
    parent = vhd_dynamic(kind=4, parent="a.vhd", locators=[(b"W2ku", b"a\0b\0", 2048)])
    hot = ((0, 90), (512, 1200), (1536, 1600), (len(two) - 512, len(two) - 400))
    made = [Seed(m, ((0, 90), (512, 800), (1536, 2048)), sums.vhd) for m in made_by_qemu("vpc")]
    return [Seed(two, hot, sums.vhd), Seed(parent, hot, sums.vhd), *made]


def _vhd_fixed() -> list[Seed]:
    good = bytes(64 * K) + vhd_footer(64 * K)
    qemu = vhd_footer(1044480, chs=(30, 4, 17)).replace(b"dwrt", b"qemu", 1)
    other = sums.vhd_fixed(_noise(1044480) + qemu)
    return [
        Seed(data, ((len(data) - 512, len(data) - 420),), sums.vhd_fixed) for data in (good, other)
    ]


def _vhdx() -> list[Seed]:
    content = patched(vhdx(), 3 * MIB, "<4Q", 4 << 20 | 6, 2, 3, 1) + b"x" * MIB
    hot = (
        (64 * K, 64 * K + 80),
        (128 * K, 128 * K + 80),
        (192 * K, 192 * K + 80),
        (2 * MIB, 2 * MIB + 200),
        (2 * MIB + 64 * K, 2 * MIB + 64 * K + 48),
        (3 * MIB, 3 * MIB + 64),
    )
    return [Seed(content, hot, sums.vhdx)]


def _vdi() -> list[Seed]:
    hot = ((64, 80), (338, 472), (512, 528))
    static = vdi(size=2 * MIB, kind=2, bmap=(0, 1))
    made = [Seed(m, hot) for m in made_by_qemu("vdi")]
    return [Seed(vdi(bmap=(1, 0, 0xFFFFFFFE, 0xFFFFFFFF)), hot), Seed(static, hot), *made]


def _qed() -> list[Seed]:
    hot = ((0, 64), (4096, 4128), (3 * 4096, 3 * 4096 + 64))
    made = [Seed(m, ((0, 64), (65536, 65600))) for m in made_by_qemu("qed")]
    return [Seed(qed(), hot), Seed(qed(backing=b"a"), ((0, 120), *hot[1:])), *made]


def _parallels() -> list[Seed]:
    made = [Seed(m, ((0, 64), (64, 128))) for m in made_by_qemu("parallels")]
    extended = parallels(magic=b"WithouFreSpacExt", tracks=2, bat=[2, 0, 1, 4])
    return [Seed(parallels(), ((0, 64), (64, 96))), Seed(extended, ((0, 64), (64, 96))), *made]


def _luks() -> list[Seed]:
    return [
        Seed(luks1(), ((0, 592),)),
        Seed(luks2(), ((0, 512), (4096, 4096 + 300)), sums.luks2),
    ]


def _ova() -> list[Seed]:
    one = sparse(512 * GRAIN, {0: 64, 3: 72}, grain=GRAIN)
    size = 512 * 512 * GRAIN
    text = descriptor(disks=disk("d1", "f1", f'ovf:capacity="{size}"'))
    two = descriptor(
        files=file("f1", "a.vmdk") + file("f2", "b.vmdk"),
        disks=disk("d1", "f1", f'ovf:capacity="{size}"') + disk("d2", "f2", 'ovf:capacity="512"'),
    )
    sums_of = manifest(("d.ovf", text), ("a.vmdk", one))
    archives = (
        archive(("d.ovf", text), ("a.vmdk", one)),
        archive(("d.ovf", text), ("d.mf", sums_of), ("a.vmdk", one)),
        archive(("d.ovf", two), ("a.vmdk", one), ("b.vmdk", one)),
    )
    return [Seed(data, _members(data), sums.tar) for data in archives]


def _members(data: bytes) -> Places:
    """The headers of a tar archive, and the texts in it."""
    found, at = [], 0
    while at + 512 <= len(data) and data[at : at + 512].strip(b"\0"):
        size = int(data[at + 124 : at + 135], 8)
        found.append((at, at + 345))
        found.append((at + 512, at + 512 + min(size, 4 * K)))
        at += 512 + -(-size // 512) * 512
    return tuple(found)


def _packed(packing: ImageFormat) -> list[Seed]:
    inner = (qed(clusters=8), bytes(mbr([(0x80, 0x83, 63, 500)], 64 * K)), _noise(200 * K))
    pack = PACK[packing]
    files = [pack(content) for content in inner]
    files.append(files[0] + pack(inner[1]))
    if packing is ImageFormat.ZSTD:
        files.append(skippable(_noise(600)) + files[1])
    return [Seed(data, ((0, 64), (max(0, len(data) - 64), len(data)))) for data in files]


def _iso() -> list[Seed]:
    """Changed by `iso_mutants`, which knows where an ISO hurts; these are for splicing."""
    return [Seed(data, ((16 * 2048, 40 * 2048),)) for data in (iso_builder.iso(), *originals())]


def _chain() -> list[Seed]:
    below = [*_qcow2()[2:4], _vmdk()[0], _vhd()[0], *_qed()[:1], _qcow()[0], _parallels()[0]]
    raw = Seed(_raw()[0].data[: 64 * K], ((0, 64), (64 * K - 64, 64 * K)))
    return [*chains.tops(), *chains.beneath(*below, raw)]


FILES: dict[str, Callable[[], list[Seed]]] = {
    "raw": _raw,
    "qcow2": _qcow2,
    "qcow": _qcow,
    "vmdk": _vmdk,
    "vmdk-stream": _vmdk_stream,
    "vmdk-descriptor": _vmdk_descriptor,
    "vhd": _vhd,
    "vhd-fixed": _vhd_fixed,
    "vhdx": _vhdx,
    "vdi": _vdi,
    "qed": _qed,
    "parallels": _parallels,
    "luks": _luks,
    "ova": _ova,
    "iso": _iso,
    **{kind.value: partial(_packed, kind) for kind in PACK},
    "chain": _chain,
    "extents": chains.extents,
}
FOLLOWED = ("chain", "extents")  # that name other files, in a folder that is allowed


FORMATS = (*FILES, *GUESTS)


@cache
def seeds(name: str) -> tuple[Seed, ...]:
    """Of a file; those of guests are `guests.seeds`."""
    return tuple(FILES[name]())
