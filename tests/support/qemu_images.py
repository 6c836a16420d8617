"""Images made by qemu's own tools, so that they can disagree with us: written out of order,
across clusters, with holes, zero clusters and compressed ones."""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass

SIZE = 5 * (1 << 20) + 3 * 512


@dataclass(frozen=True)
class Made:
    path: str
    content: bytes


def run(*argv: str) -> None:
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def content() -> bytes:
    """Noise, repetition, zeros and nothing, with borders that no cluster size likes."""
    noise = random.Random(7)
    out = bytearray(SIZE)
    out[0:70_000] = noise.randbytes(70_000)
    out[300_000:300_512] = b"x" * 512
    out[1_048_000:2_500_000] = bytes(range(250)) * 5808
    out[3_145_728:3_145_729] = b"!"
    out[SIZE - 700 :] = noise.randbytes(700)
    return bytes(out)


def pieces(data: bytes, unit: int = 32 << 10) -> list[tuple[int, bytes]]:
    """The parts that are not zero, in an order that no writer would choose."""
    found = [(at, data[at : at + unit]) for at in range(0, len(data), unit)]
    found = [(at, part) for at, part in found if any(part)]
    random.Random(3).shuffle(found)
    return found


def plain_qcow2(folder, *, name="disk.qcow2", cluster_size=65536) -> Made:
    """Written out of order by qemu-io; one stretch explicitly zero."""
    path, data = str(folder / name), content()
    run("qemu-img", "create", "-q", "-f", "qcow2", "-o", f"cluster_size={cluster_size}",
        path, str(SIZE))  # fmt: skip
    parts = folder / "parts"
    parts.mkdir(exist_ok=True)
    commands = ["-c", "write -q -z 4M 256k"]
    for number, (at, part) in enumerate(pieces(data)):
        (parts / str(number)).write_bytes(part)
        commands += ["-c", f"write -q -s {parts / str(number)} {at} {len(part)}"]
    run("qemu-io", "-f", "qcow2", *commands, path)
    return Made(path, data)


def compressed_qcow2(folder, *, cluster_size=65536, kind="zlib") -> Made:
    raw = folder / "source.raw"
    raw.write_bytes(content())
    path = str(folder / "disk.qcow2")
    run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c",
        "-o", f"cluster_size={cluster_size},compression_type={kind}", str(raw), path)  # fmt: skip
    return Made(path, content())


def other(folder, driver: str) -> Made:
    raw = folder / "source.raw"
    raw.write_bytes(content())
    path = str(folder / f"disk.{driver}")
    run("qemu-img", "convert", "-f", "raw", "-O", driver, str(raw), path)
    return Made(path, content())


def sparse_raw(folder, *, size=SIZE) -> Made:
    path, data = folder / "disk.raw", content()[:size]
    with path.open("wb") as file:
        file.truncate(size)
        for at, part in pieces(data, 4096):
            file.seek(at)
            file.write(part)
    return Made(str(path), data)
