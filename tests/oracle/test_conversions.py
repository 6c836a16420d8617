"""Every format that is read, into every format that is written: the same disk, as qemu reads it."""

from __future__ import annotations

import lzma
import subprocess
from pathlib import Path

import pytest

from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.app import Diskwright
from diskwright.config import load
from diskwright.model.finding import Result
from diskwright.model.image import ImageFormat
from diskwright.model.outcome import Converted
from diskwright.model.units import MIB
from diskwright.ops.opening import look, reading
from diskwright.writers.subformats import SUBFORMATS
from support.qemu_images import content, run

DRIVERS = {ImageFormat.VHD: "vpc"}

# name of the file: driver and options of qemu-img that make it
SOURCES = {
    "disk.raw": ("raw", ""),
    "disk.qcow2": ("qcow2", ""),
    "zstd.qcow2": ("qcow2", "compression_type=zstd,extended_l2=on"),
    "sparse.vmdk": ("vmdk", "subformat=monolithicSparse"),
    "stream.vmdk": ("vmdk", "subformat=streamOptimized"),
    "fixed.vhd": ("vpc", "subformat=fixed,force_size=on"),
    "dynamic.vhd": ("vpc", "subformat=dynamic,force_size=on"),
    "dynamic.vhdx": ("vhdx", "subformat=dynamic,block_size=1M"),
    "fixed.vhdx": ("vhdx", "subformat=fixed,block_size=1M"),
    "dynamic.vdi": ("vdi", ""),
    "static.vdi": ("vdi", "static=on"),
    "disk.qed": ("qed", ""),
    "disk.qcow": ("qcow", ""),
    "disk.parallels": ("parallels", ""),
}
PACKED = "disk.raw.xz"
TARGETS = [
    (image_format, subformat)
    for image_format in ("raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi", "qed")
    for subformat in SUBFORMATS.get(ImageFormat(image_format), (None,))
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same disk in every format; its size is no multiple of any cluster."""
    folder = tmp_path_factory.mktemp("formats")
    raw = folder / "disk.raw"
    raw.write_bytes(content())
    for name, (driver, options) in SOURCES.items():
        if driver != "raw":
            more = ["-o", options] if options else []
            run("qemu-img", "convert", "-f", "raw", "-O", driver, *more, str(raw),
                str(folder / name))  # fmt: skip
    (folder / PACKED).write_bytes(lzma.compress(raw.read_bytes(), preset=0))
    return folder


@pytest.fixture(scope="module")
def digest(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return converted(folder / "disk.raw", tmp_path_factory.mktemp("raw") / "out.raw").digest


def converted(source: Path, target: Path, **options) -> Converted:
    options.setdefault("output_format", ImageFormat.RAW)
    return Diskwright(load(None)).convert(str(source), str(target), **options)


def assert_identical(source: Path, target: Path, image_format: ImageFormat) -> None:
    driver = DRIVERS.get(image_format, image_format.value)
    compared = subprocess.run(
        ["qemu-img", "compare", "-f", "raw", "-F", driver, source, target],
        capture_output=True,
        text=True,
    )
    assert (compared.returncode, compared.stdout) == (0, "Images are identical.\n")


@pytest.mark.parametrize("name", [*SOURCES, PACKED])
def test_every_format_that_is_read_becomes_raw_and_compressed_qcow2(
    folder: Path, tmp_path: Path, name: str, digest: str
) -> None:
    for image_format, compress in ((ImageFormat.RAW, False), (ImageFormat.QCOW2, True)):
        target = tmp_path / f"out.{image_format}"
        made = converted(folder / name, target, output_format=image_format, compress=compress)
        assert (made.digest, made.compressed) == (digest, compress)
        assert_identical(folder / "disk.raw", target, image_format)


@pytest.mark.parametrize(("target_format", "subformat"), TARGETS)
def test_every_format_that_is_written_is_the_disk(
    folder: Path, tmp_path: Path, target_format: str, subformat: str | None, digest: str
) -> None:
    """Read back by us, and by qemu with no options: its size is exact, and no tail is lost."""
    image_format = ImageFormat(target_format)
    target = tmp_path / f"out.{target_format}"
    made = converted(
        folder / "disk.qcow2",
        target,
        output_format=image_format,
        subformat=subformat,
        verify=True,
    )
    assert (made.digest, made.verified, made.subformat) == (digest, True, subformat or "")
    assert_identical(folder / "disk.raw", target, image_format)
    if subformat is not None:
        found = Diskwright(load(None)).inspect(str(target)).image
        assert (found.subformat, found.problems) == (subformat, ())


def test_blocks_that_a_vhdx_does_not_store_are_not_read(folder: Path) -> None:
    """QEMU calls all of it data. What the file system keeps as holes depends on this machine."""
    source = look(str(folder / "dynamic.vhdx"))
    with reading(source, QemuNbdExporter()) as reader:
        extents = list(reader.extents(0, reader.size))
    assert any(not e.is_data and e.start <= 4 * MIB and e.end >= 5 * MIB for e in extents)
    assert not any(e.is_data and e.start < 5 * MIB and e.end > 4 * MIB for e in extents)
    shown = content()
    for extent in extents:
        if not extent.is_data:
            assert not any(shown[extent.start : extent.end])
    blocks = {at // MIB for e in extents if e.is_data for at in range(e.start, e.end, 512)}
    assert blocks == {0, 1, 2, 3, 5}


@pytest.mark.parametrize("subformat", ["dynamic", "fixed"])
def test_a_vhd_s_size_is_exact_whoever_decides(
    folder: Path, tmp_path: Path, subformat: str
) -> None:
    target = tmp_path / "out.vhd"
    converted(folder / "disk.raw", target, output_format=ImageFormat.VHD, subformat=subformat)
    footer = target.read_bytes()[-512:]
    assert int.from_bytes(footer[48:56], "big") == len(content())
    for decided in ("", "force_size_calc=current_size,"):
        options = f"driver=vpc,{decided}file.driver=file,file.filename={target}"
        said = subprocess.run(
            ["qemu-img", "info", "--image-opts", options],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert f"({len(content())} bytes)" in said


@pytest.mark.parametrize(
    ("image_format", "subformat"),
    [(ImageFormat.RAW, None), (ImageFormat.QCOW2, None), (ImageFormat.VHD, "fixed")],
)
@pytest.mark.parametrize("multiple", [1 << 20, 5 << 20, 1536])
def test_a_disk_grows_to_a_whole_multiple_by_zeros(
    folder: Path,
    tmp_path: Path,
    image_format: ImageFormat,
    subformat: str | None,
    multiple: int,
    digest: str,
) -> None:
    target, longer = tmp_path / "out", tmp_path / "longer.raw"
    made = converted(
        folder / "disk.qcow2",
        target,
        output_format=image_format,
        subformat=subformat,
        size_multiple=multiple,
        verify=True,
    )
    size = -(-len(content()) // multiple) * multiple
    longer.write_bytes(content().ljust(size, b"\0"))
    assert_identical(longer, target, image_format)
    assert made.virtual_size == size
    grown = size != len(content())
    assert made.rounded_from == (len(content()) if grown else None)
    assert made.source_digest == (digest if grown else "")
    assert (made.digest != digest) == grown
    assert made.digest == converted(longer, tmp_path / "again").digest


def test_a_vhd_for_azure_is_whole_mebibytes_and_a_footer(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "azure.vhd"
    made = Diskwright(load(None)).convert(
        str(folder / "disk.raw"), str(target), profile="azure", verify=True
    )
    assert (made.format, made.subformat, made.compressed) == ("vhd", "fixed", False)
    assert made.rounded_from == len(content())
    assert (target.stat().st_size - 512) % MIB == 0
    assert target.stat().st_size - 512 == made.virtual_size == 6 * MIB
    longer = tmp_path / "longer.raw"
    longer.write_bytes(content().ljust(6 * MIB, b"\0"))
    assert_identical(longer, target, ImageFormat.VHD)
    verdict = Diskwright(load(None)).validate(str(target), profile="azure", data=True).verdict
    assert verdict.ready()
    assert [f.id for f in verdict.findings if f.result is not Result.PASS] == []


def test_what_azure_would_refuse_fails_with_what_mends_it(folder: Path, tmp_path: Path) -> None:
    odd, dynamic = tmp_path / "odd.vhd", tmp_path / "dynamic.vhd"
    converted(folder / "disk.raw", odd, output_format=ImageFormat.VHD, subformat="fixed")
    app = Diskwright(load(None))
    found = {f.id: f for f in app.validate(str(odd), profile="azure", data=True).verdict.findings}
    assert found["image.format"].result is Result.PASS
    assert found["image.size-multiple"].result is Result.FAIL
    assert "--profile azure" in found["image.size-multiple"].remedy
    app.convert(str(odd), str(dynamic), output_format=ImageFormat.VHD, subformat="dynamic")
    found = {
        f.id: f for f in app.validate(str(dynamic), profile="azure", data=True).verdict.findings
    }
    assert found["image.format"].result is Result.WARN
    assert found["image.format"].message.startswith("vhd/dynamic is not accepted as it is")
    by_default = app.validate(str(dynamic), profile="huawei-ims", data=True).verdict
    assert {f.result for f in by_default.findings if f.id == "image.size-multiple"} == {Result.PASS}
