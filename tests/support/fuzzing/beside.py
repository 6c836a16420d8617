"""What lies beside a file that names others: in the folder that is allowed, and around it."""

from __future__ import annotations

import random

from diskwright.model.image import ImageFormat
from support.fuzzing.made import made_by_qemu
from support.hostile.qcow2 import qcow2
from support.hostile.vdi import vdi
from support.hostile.vhd import vhd_dynamic
from support.hostile.vhdx import vhdx
from support.image_bytes import patched
from support.packed import PACK
from support.small_images import luks1, parallels, qcow1, qed
from support.vmdk_maker import sparse

K = 1024
MIB = 1 << 20
TOP = "top.img"  # what is opened
MUTANT = "mutant.img"  # what it names, where that is what was changed
ALLOWED, OUTSIDE, TWIN = "allowed", "outside", "allowed-not"
BACKING_FORMAT = 0xE2792ACA
PART = 128 * 8  # sectors

# Symbolic links in the allowed folder: out of it, within it, to nothing, to itself.
LINKS = {
    "out.qcow2": "../outside/secret.qcow2",
    "out.vmdk": "../outside/secret.vmdk",
    "out.raw": "../outside/secret.raw",
    "outdir": "../outside",
    "sub/up": "../..",
    "in.qcow2": "base.qcow2",
    "indir": "sub",
    "dangling.raw": "../outside/gone",
    "itself.raw": "itself.raw",
}
FIFO, SOCKET = "fifo", "socket"


def noise(length: int) -> bytes:
    return random.Random(length).randbytes(length)


def overlay(name: str, told: str = "", **other: object) -> bytes:
    """A small qcow2 file over another: a cluster of its own, one of zeros, one of the other's."""
    exts = [(BACKING_FORMAT, told.encode(), None)] if told else []
    cluster = 4096
    settings: dict[str, object] = {
        "cluster_bits": 12,
        "backing": name.encode(),
        "exts": exts,
        "l2": [0, 5 * cluster | 1 << 63, 0, 1],
    }
    return qcow2(**settings | other)


def part(*numbers: int) -> bytes:
    """A sparse file that is a part of a disk, and does not describe itself."""
    places = {number: 64 + 8 * at for at, number in enumerate(numbers)}
    return sparse(PART, places, text=b"", grain=8)


def inside() -> dict[str, bytes]:
    """The good files of the allowed folder."""
    made = made_by_qemu("qcow2")
    vhdx_blocks = patched(vhdx(), 3 * MIB, "<4Q", 4 << 20 | 6, 2, 3, 1) + b"x" * MIB
    files = {
        "base.qcow2": made[0],
        "base.qcow": qcow1(),
        "base.qed": qed(),
        "base.raw": noise(300 * K) + bytes(100 * K) + b"text\n" * 1000 + bytes(120),
        "odd.raw": noise(100_001),
        "base.vmdk": made_by_qemu("vmdk")[0],
        "stream.vmdk": made_by_qemu("stream")[0],
        "base.vhd": vhd_dynamic(bat=[4, 0xFFFFFFFF]),
        "base.vhdx": vhdx_blocks,
        "base.vdi": vdi(bmap=(1, 0, 0xFFFFFFFE, 0xFFFFFFFF)),
        "base.parallels": parallels(),
        "base.gz": PACK[ImageFormat.GZIP](qed()),
        "base.luks": luks1(),
        "sub/base.qcow2": made[1],
        "sub/base.raw": noise(64 * K),
        "loop-a": overlay("loop-b"),
        "loop-b": overlay("loop-a"),
        "back": overlay(TOP),
        "led-out": overlay("out.qcow2"),
        "led-far": overlay("../outside/secret.qcow2", "qcow2"),
        "over-parts": overlay("parts.vmdk", "vmdk"),
        "a,b=c.qcow2": qcow2(cluster_bits=12),
        "json:x": noise(8 * K),
        "-x.raw": noise(4 * K),
        "two words.raw": noise(3 * K),
        "\N{LATIN SMALL LETTER U WITH DIAERESIS}.raw": noise(5 * K),
        "f1.vmdk": noise(PART * 512),
        "f2.vmdk": bytes(PART * 256) + noise(PART * 768 - 5),
        "s1.vmdk": part(1, 0, 7),
        "s2.vmdk": part(100),
        "short.vmdk": noise(PART * 512 - 1),
        "parts.vmdk": parts(
            f'RW {PART} SPARSE "s1.vmdk"',
            f'RW {PART} FLAT "f1.vmdk" 0',
        ),
    }
    below = "base.qcow2"
    for depth in range(1, 9):
        files[f"deep{depth}"] = overlay(below, "qcow2")
        below = f"deep{depth}"
    return files


def parts(*lines: str, create_type: str = "twoGbMaxExtentSparse", parent: str = "") -> bytes:
    """A descriptor in a file of its own."""
    hint = f'parentFileNameHint="{parent}"\n' if parent else ""
    words = (
        f"# Disk DescriptorFile\nversion=1\nCID=12345678\n"
        f"parentCID={'12345678' if parent else 'ffffffff'}\n"
        f'createType="{create_type}"\n{hint}# Extents\n'
    )
    geometry = 'ddb.geometry.cylinders = "2"\nddb.geometry.heads = "16"\n'
    return (words + "\n".join(lines) + "\n\n" + geometry).encode()


def around() -> dict[str, bytes]:
    """Good files that nobody may open, by their names from the folder above the allowed one."""
    secret = qcow2(cluster_bits=12, data=b"secret" * 100)
    return {
        f"{OUTSIDE}/secret.qcow2": secret,
        f"{OUTSIDE}/secret.raw": b"secret\n" * 10 * K,
        f"{OUTSIDE}/secret.vmdk": b"secret\n" * 80 * K,
        f"{OUTSIDE}/base.qcow2": secret,
        f"{TWIN}/base.qcow2": secret,
        "base.qcow2": secret,
        "base.raw": b"secret\n" * 10 * K,
    }


INWARD = (
    *(f"base.{ending}" for ending in ("qcow", "qed", "vhd", "vhdx", "vdi", "parallels")),
    *("base.qcow2",) * 6, *("base.raw",) * 3, *("base.vmdk",) * 3, "odd.raw", "stream.vmdk",
    "./base.qcow2", "sub/base.qcow2", "sub/../base.raw", "../allowed/base.qcow2", "sub//base.raw",
    "deep7", "deep8", "over-parts", "parts.vmdk", "a,b=c.qcow2", "./json:x", "./-x.raw", "-x.raw",
    "two words.raw", "\N{LATIN SMALL LETTER U WITH DIAERESIS}.raw", "base.gz", "base.luks",
    "f1.vmdk", "f2.vmdk", "s1.vmdk", "s2.vmdk", "short.vmdk", MUTANT, TOP, "back", "loop-a",
)  # fmt: skip
OUTWARD = (
    "../outside/secret.qcow2", "../outside/secret.raw", "../outside/secret.vmdk", "../base.qcow2",
    "../base.raw", "../allowed-not/base.qcow2", "sub/../../base.raw", "../allowed/../base.qcow2",
    *LINKS, "outdir/secret.qcow2", "outdir/secret.raw", "sub/up/outside/secret.raw",
    "outdir/../base.raw", "outdir/../base.qcow2", "sub/up/../base.raw", "indir/base.qcow2",
    FIFO, SOCKET, "sub", ".", "..", "/", "./", "../allowed", "gone.qcow2", "base.raw/../base.raw",
    "gone/../base.raw", "indir/../base.raw", "/../allowed/base.raw",
    "sub/gone", "base.raw/x", "/etc/hostname", "/etc/passwd", "/dev/zero", "/dev/stdin",
    "/proc/self/environ", "/proc/self/fd/0", "/proc/self/root/etc/passwd", "//etc/hostname",
    "../" * 40 + "etc/hostname", "nbd://127.0.0.1:9/x", "nbd:127.0.0.1:9", "fat:/etc", "json:{}",
    'json:{"driver":"file","filename":"/etc/hostname"}', "file:base.qcow2", "host_device:/dev/zero",
    "json:x", "C:base.raw", "http://127.0.0.1:9/", "base.raw,driver=raw", "%s%n", "*", "x" * 300,
)  # fmt: skip
# Whose parts a name is made of, in any order.
_PARTS = (
    "..", "..", "..", ".", "", "sub", "indir", "outdir", "up", "base.qcow2", "base.raw", "fifo",
    "outside", "secret.qcow2", "secret.raw", "allowed", "allowed-not", "deep3", "gone", "f1.vmdk",
    "out.qcow2", "in.qcow2",
)  # fmt: skip
_ODD = (
    b"\0",
    b"\n",
    b"\xff",
    b'"',
    b":",
    b"%",
    b",",
    b"\\",
    b"/",
    b".",
    b" ",
    b"\x7f",
    b"\xc2\x85",
)


def name(chance: random.Random) -> bytes:
    """A name for a mutant to have: one that may be followed, one that may not, or any."""
    kind = chance.random()
    if kind < 0.55:
        return chance.choice(INWARD).encode()
    if kind < 0.75:
        return chance.choice(OUTWARD).encode()
    made = "/".join(chance.choices(_PARTS, k=chance.choice((1, 2, 2, 3, 3, 4, 6)))).encode()
    if kind < 0.85:
        return made
    if kind < 0.9:
        made = chance.choice(INWARD).encode()
    at = chance.randrange(len(made) + 1)
    return made[:at] + chance.choice(_ODD) + made[at + chance.randrange(2) :]
