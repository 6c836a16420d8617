"""An image that objcopy made of systemd's stub is read as objdump and bootctl read it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from diskwright.guest.initramfs import begin_initramfs
from diskwright.guest.pe import read_pe
from diskwright.guest.tree import GuestTree
from diskwright.guest.uki import read_uki
from diskwright.model.guest import InitramfsState
from support.bootctl import listed
from support.cpio_maker import archive
from support.fake_guest import FakeFs
from support.pe_maker import kernel

STUB = Path("/usr/lib/systemd/boot/efi/linuxx64.efi.stub")
LINE = re.compile(r"^ +\d+ (\S+) +([0-9a-f]{8})  [0-9a-f]+  [0-9a-f]+  ([0-9a-f]{8})", re.MULTILINE)
CONTENTS = {
    ".osrel": b'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\nVERSION="12 (bookworm)"\n',
    ".cmdline": b"root=UUID=u ro  quiet\n",
    ".uname": b"6.1.0-9-amd64",
    ".initrd": archive({"usr/lib/modules/6.1.0-9-amd64/kernel/virtio_blk.ko": bytes(70_000)}),
    ".linux": kernel(),
}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    if not STUB.exists() or shutil.which("objcopy") is None:
        pytest.skip("systemd-boot-efi or binutils is not installed")
    options, at = [], 0x2000_0000
    for name, content in CONTENTS.items():
        part = tmp_path / name.strip(".")
        part.write_bytes(content)
        options += ["--add-section", f"{name}={part}", "--change-section-vma", f"{name}={at:#x}"]
        at += 0x0100_0000
    made = tmp_path / "esp/EFI/Linux/debian-6.1.0-9.efi"
    made.parent.mkdir(parents=True)
    subprocess.run(["objcopy", *options, STUB, made], check=True, capture_output=True)
    return made


def tree(image: Path) -> GuestTree:
    return GuestTree(FakeFs({"/x.efi": image.read_bytes()}))


def test_sections_are_where_objdump_sees_them(image: Path) -> None:
    shown = subprocess.run(["objdump", "-h", image], check=True, capture_output=True, text=True)
    theirs = [(m[1], int(m[3], 16)) for m in LINE.finditer(shown.stdout)]
    found = read_pe(tree(image), "/x.efi")
    assert found is not None
    assert [(s.name, s.offset) for s in found.sections] == theirs
    assert set(CONTENTS) <= {name for name, _ in theirs}
    for name, content in CONTENTS.items():
        section = found.section(name)
        assert section is not None
        whole = image.read_bytes()[section.offset : section.offset + section.size]
        assert whole.rstrip(b"\0") == content.rstrip(b"\0")


def test_what_is_inside_is_read(image: Path) -> None:
    found = read_uki(tree(image), "/x.efi")
    assert found is not None
    assert (found.title, found.release) == ("Debian GNU/Linux", "6.1.0-9-amd64")
    assert found.command_line == "root=UUID=u ro quiet"
    initramfs = begin_initramfs(tree(image), "/x.efi")()
    assert (initramfs.state, initramfs.modules) == (InitramfsState.READ, ("virtio_blk",))


def test_bootctl_lists_it_as_we_do(image: Path) -> None:
    (theirs,) = listed(image.parents[2])
    found = read_uki(tree(image), "/x.efi")
    assert found is not None
    entry = found.entry("/EFI/Linux/debian-6.1.0-9.efi")
    assert (entry.title, entry.sort_key) == (theirs["title"], theirs["sortKey"])
    assert entry.version == theirs["version"]
    assert entry.options.split() == theirs["options"].split()
