"""Good files that name others, which lie beside them (`beside`), and files that such ones name."""

from __future__ import annotations

import random
import re
import struct
from dataclasses import replace

from support.fuzzing import sums
from support.fuzzing.beside import MUTANT, PART, TOP, noise, overlay, part, parts
from support.fuzzing.made import made_over
from support.fuzzing.seed import Seed
from support.hostile.vhd import vhd_dynamic
from support.hostile.vhdx import vhdx
from support.image_bytes import patched
from support.small_images import qcow1, qed
from support.vmdk_maker import descriptor, sparse

K = 1024
_DESCRIPTOR = slice(512, 21 * 512)  # of a sparse VMDK
_NAMED = re.compile(rb'((?:parentFileNameHint=|(?:FLAT|SPARSE|VMFS) +)")([^"\n]*)')
_HINT = re.compile(rb'(parentFileNameHint=")[^"\n]*')
_GRAINS = {0: 64, 1: 72, 9: 80}


def tops() -> list[Seed]:
    """Of every format that can name a backing file or a parent."""
    l2 = [0, 5 * 4096 | 1 << 63]  # the old version has no clusters of zeros
    old = Seed(overlay("base.qcow2", version=2, l2=l2), ((0, 72), (72, 100), (16384, 16400)))
    unsaid = _qcow2(overlay("base.vmdk"))
    told = [_qcow2(overlay(f"base.{kind}", kind)) for kind in ("qcow2", "raw", "vmdk")]
    made = [_qcow2(data) for data in made_over("base.raw", "raw")]
    small = qcow1(backing=b"base.qcow2")
    by_qed = [qed(backing=b"base.qcow2", features=1), qed(backing=b"odd.raw", features=1 | 4)]
    hot = ((0, 64), (100, 112), (4096, 4128), (3 * 4096, 3 * 4096 + 64))
    return [
        replace(old, rename=_in_qcow),
        unsaid,
        *told,
        *made,
        Seed(small, ((0, 48), (48, 64), (200, 210), (512, 560)), rename=_in_qcow),
        *(Seed(data, hot, rename=_in_qed) for data in by_qed),
        _vmdk("base.vmdk"),
        _vhd(),
        _vhdx(),
    ]


def beneath(*files: Seed) -> list[Seed]:
    """Each of `files`, and of some that name others themselves, named by a good one."""
    over = overlay(MUTANT)
    named = _vmdk("base.vmdk")
    middle = [_qcow2(overlay("deep3", "qcow2")), Seed(qed(backing=b"base.raw", features=1), ())]
    middle[1] = replace(middle[1], hot=((0, 64), (100, 108), (4096, 4128)), rename=_in_qed)
    parents = [replace(named, above=_vmdk(MUTANT).data), replace(named, above=over)]
    parted = replace(_text(f'RW {PART} SPARSE "s1.vmdk"', f'RW {PART} FLAT "f1.vmdk" 0'))
    below = [*files, *middle, parted]
    return [*(replace(one, above=over) for one in below), *parents]


def extents() -> list[Seed]:
    """Descriptors that name their extents, and extents."""
    flat, two = f'RW {PART} FLAT "f1.vmdk" 0', f'RW 64 FLAT "f2.vmdk" {PART - 64}'
    grains, more = f'RW {PART} SPARSE "s1.vmdk"', f'RW {PART} SPARSE "s2.vmdk"'
    texts = [
        _text(flat, create_type="monolithicFlat"),
        _text(flat, two, f'RW {PART - 7} FLAT "f1.vmdk" 7', create_type="twoGbMaxExtentFlat"),
        _text(grains, more),
        _text(two, grains, flat, more),
        _text(f'RW {PART} VMFS "f1.vmdk"', create_type="vmfs"),
        _text(grains, flat, parent="base.vmdk"),
        _text(more, parent="stream.vmdk"),
    ]
    copies = sparse(PART, _GRAINS, text=b"", grain=8, copies=_GRAINS)
    hot = ((0, 80), (21 * 512, 22 * 512), (22 * 512, 22 * 512 + 64))
    sparse_above = parts(flat, f'RW {PART} SPARSE "{MUTANT}"', more)
    flat_above = parts(f'RW {PART} FLAT "{MUTANT}" 0', grains, create_type="twoGbMaxExtentFlat")
    return [
        *texts,
        Seed(part(1, 0, 7), hot, above=sparse_above),
        Seed(copies, (*hot, (40 * 512, 42 * 512)), above=sparse_above),
        Seed(noise(PART * 512), ((0, 64), (PART * 512 - 64, PART * 512)), above=flat_above),
    ]


def _qcow2(data: bytes) -> Seed:
    at, length = struct.unpack_from(">QI", data, 8)
    tables = [place for place in sums.qcow2_places(data) if place[0]]
    hot = ((0, 104), (104, at), (at, at + length), (8, 20), *tables)
    return Seed(data, hot, rename=_in_qcow)


def _in_qcow(data: bytes, name: bytes, chance: random.Random) -> bytes:
    """Both versions and qcow have it at the same place."""
    at, length = struct.unpack_from(">QI", data, 8)
    return patched(_put(data, at, length, name), 16, ">I", len(name))


def _in_qed(data: bytes, name: bytes, chance: random.Random) -> bytes:
    at, length = struct.unpack_from("<II", data, 56)
    return patched(_put(data, at, length, name), 60, "<I", len(name))


def _put(data: bytes, at: int, length: int, name: bytes) -> bytes:
    """A name where one of another length stood, with zeros behind it."""
    changed = bytearray(data)
    piece = name.ljust(length, b"\0")[: len(data) - at]
    changed[at : at + len(piece)] = piece
    return bytes(changed)


def _vmdk(parent: str) -> Seed:
    """A disk of 512 grains that has some of them; `rename` keeps its descriptor's place."""
    capacity = 512 * 8
    hint = f'parentFileNameHint="{parent}"'
    line = f'RW {capacity} SPARSE "{TOP}"'
    text = descriptor(line, parent="12345678", more=hint)
    data = sparse(capacity, _GRAINS, text=text, grain=8)
    start = data.index(hint.encode())
    hot = ((0, 80), (512, 700), (start, start + len(hint)), (21 * 512, 22 * 512 + 64))
    return Seed(data, hot, rename=_in_vmdk, textual=True)


def _in_vmdk(data: bytes, name: bytes, chance: random.Random) -> bytes:
    text = data[_DESCRIPTOR].partition(b"\0")[0]
    length = _DESCRIPTOR.stop - _DESCRIPTOR.start
    renamed = _HINT.sub(lambda found: found[1] + name, text)[: length - 1].ljust(length, b"\0")
    return data[: _DESCRIPTOR.start] + renamed + data[_DESCRIPTOR.stop :]


def _text(*lines: str, create_type: str = "twoGbMaxExtentSparse", parent: str = "") -> Seed:
    data = parts(*lines, create_type=create_type, parent=parent)
    named = [match.span(2) for match in _NAMED.finditer(data)]
    hot = ((0, len(data)), (data.index(b"# Extents"), data.index(b"ddb.")), *named)
    return Seed(data, hot, rename=_in_text)


def _in_text(data: bytes, name: bytes, chance: random.Random) -> bytes:
    """Instead of one of the names in it."""
    found = list(_NAMED.finditer(data))
    if not found:
        return data
    start, end = chance.choice(found).span(2)
    return data[:start] + name + data[end:]


def _vhd() -> Seed:
    """A differencing disk, which is refused whatever it names."""
    name = "base.vhd".encode("utf-16-le")
    data = vhd_dynamic(kind=4, parent="base.vhd", locators=[(b"W2ru", name, 2048)])
    return Seed(data, ((0, 90), (512, 1200), (2048, 2048 + len(name))), sums.vhd, _in_vhd)


def _in_vhd(data: bytes, name: bytes, chance: random.Random) -> bytes:
    wide = name.decode("utf-8", "replace").encode("utf-16-le")[:510]
    data = patched(_put(data, 2048, 16, wide), 512 + 576 + 8, ">I", len(wide))
    return _put(data, 512 + 64, 512, name.decode("utf-8", "replace").encode("utf-16-be")[:512])


def _vhdx() -> Seed:
    """As `_vhd`."""
    text = "relative_path".encode("utf-16-le"), ".\\base.vhdx".encode("utf-16-le")
    entry = struct.pack("<IIHH", 32, 32 + len(text[0]), len(text[0]), len(text[1]))
    kind = bytes.fromhex("b704efb0d196814ab3b2d53f52ff6fc0")
    locator = (kind + struct.pack("<HH", 0, 1) + entry).ljust(32, b"\0") + b"".join(text)
    data = vhdx(has_parent=1, extra_items=[("A8D35F2D-B30B-454D-ABF7-D3D84834AB0C", locator, 4)])
    at = data.index(text[1])
    hot = ((2 << 20, (2 << 20) + 224), (at - len(text[0]) - 32, at + len(text[1])))
    return Seed(data, hot, sums.vhdx)
