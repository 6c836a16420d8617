"""Every format and variant that qemu-img writes: its guest bytes through us, or refused by name."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.errors import ImageRefused
from diskwright.formats.support import SUPPORT
from diskwright.model.units import MIB
from diskwright.ops.opening import reading
from support.opening import opener

# What is well formed and not read, and a word of the reason that the support table gives.
REFUSED = {
    "datafile.qcow2": ("unsupported", "data-file", "data file"),
    "luks.qcow2": ("unsupported", "encryption", "encryption"),
    "luks.luks": ("unsupported", "encryption", "encrypted"),
}
# What names other files, and is read (or refused for what it is) where the folder is allowed
NAMING = {
    "overlay.qcow2",
    "overlay-raw.qcow2",
    "flat.vmdk",
    "two-flat.vmdk",
    "two-sparse.vmdk",
    "datafile.qcow2",
}


@dataclass(frozen=True)
class Variant:
    file: str
    format: str
    virtual_size: int
    guest_sha256: str
    variant: str


@pytest.fixture(scope="session")
def variants(made: Path) -> dict[str, Variant]:
    with (made / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    return {
        row["file"]: Variant(**{**row, "virtual_size": int(row["virtual_size"])})  # type: ignore[arg-type]
        for row in rows
    }


def guest_bytes(path: Path, beneath: Path | None) -> tuple[int, str]:
    with (
        opener(beneath=beneath).source(str(path)) as source,
        reading(source, QemuNbdExporter()) as reader,
    ):
        digest = hashlib.sha256()
        for offset in range(0, reader.size, MIB):
            buffer = bytearray(min(MIB, reader.size - offset))
            reader.read_into(offset, memoryview(buffer))
            digest.update(buffer)
        return reader.size, digest.hexdigest()


def test_every_variant_is_read_identically_or_refused_by_name(
    made: Path, variants: dict[str, Variant]
) -> None:
    assert len(variants) == 48
    wrong: dict[str, object] = {}
    for name, variant in variants.items():
        wanted: object = (variant.virtual_size, variant.guest_sha256)
        if name in REFUSED:
            wanted = REFUSED[name][:2]
        try:
            got: object = guest_bytes(made / name, made if name in NAMING else None)
        except ImageRefused as refusal:
            got = (refusal.kind, refusal.code)
        if got != wanted:
            wrong[name] = got
    assert not wrong


@pytest.mark.parametrize("name", sorted(NAMING))
def test_what_names_other_files_is_unsafe_without_a_folder(made: Path, name: str) -> None:
    with pytest.raises(ImageRefused) as caught, opener().source(str(made / name)):
        pass
    assert (caught.value.kind, caught.value.code) == ("unsafe", "reference-outside")


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_the_support_table_gives_the_reason(
    made: Path, variants: dict[str, Variant], name: str
) -> None:
    kind, code, words = REFUSED[name]
    with pytest.raises(ImageRefused) as caught:
        guest_bytes(made / name, made)
    assert (caught.value.kind, caught.value.code) == (kind, code)
    (row,) = [row for row in SUPPORT if row.format.value == variants[name].format]
    assert words in row.note
