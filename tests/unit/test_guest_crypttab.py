"""crypttab(5), and what the kernel's command line names besides its root."""

from __future__ import annotations

import pytest

from diskwright.guest.crypttab import MAX_ENTRIES, parse_crypttab, read_crypttab
from diskwright.guest.devices import DiskNames
from diskwright.guest.inspect import facts_of
from diskwright.guest.probe import Probe
from diskwright.guest.reading import Unreadable
from diskwright.model.guest import BootEntry, CryptEntry, FileSystem, NamedBy, Section
from support.boot_guest import FILESYSTEMS, read_boot, table
from support.fake_guest import Broken, Content, FakeFs, tree_of

DISK = DiskNames((*FILESYSTEMS, FileSystem("crypto_LUKS", 9, False, uuid="luks-uuid")), table())
PLAIN = DiskNames(FILESYSTEMS, table())
TEXT = """# name device key options
root UUID=luks-uuid none luks,discard,x-initrd.attach
swap\t/dev/sda2 /dev/urandom swap,cipher=aes-xts-plain64

data  PARTUUID=1234  -
short
file /var/secret.img /etc/key
"""


def parse(text: str, disk: DiskNames = DISK) -> tuple[CryptEntry, ...]:
    return parse_crypttab(text, disk)


def test_every_field_of_a_line() -> None:
    root, swap, data, file = parse(TEXT)
    assert str(root.location) == "/etc/crypttab:2"
    assert (root.name, root.spec, root.named_by) == ("root", "UUID=luks-uuid", NamedBy.UUID)
    assert (root.key, root.on_disk) == (None, True)
    assert root.options == ("luks", "discard", "x-initrd.attach")
    assert (swap.named_by, swap.key, swap.on_disk) == (NamedBy.DEVICE, "/dev/urandom", True)
    assert (data.key, data.options, data.on_disk) == (None, (), False)
    assert (file.named_by, file.on_disk) == (NamedBy.OTHER, None)


def test_what_is_not_on_this_disk() -> None:
    (entry,) = parse("x UUID=gone\n", PLAIN)
    assert (entry.on_disk, entry.key, entry.options) == (False, None, ())
    (hidden,) = parse("x UUID=gone\n")  # may be inside what is encrypted
    assert hidden.on_disk is None


def test_a_file_of_too_many_lines_is_refused() -> None:
    tree = tree_of({"/etc/crypttab": "a b\n" * (MAX_ENTRIES + 1)})
    with pytest.raises(Unreadable, match="entries"):
        read_crypttab(tree, DISK)


def test_it_is_a_section_of_its_own() -> None:
    def facts(content: Content | None) -> tuple[object, bool]:
        files: dict[str, Content] = {"/etc/os-release": "ID=x\n", "/bin/sh": b"", "/etc/fstab": ""}
        if content is not None:
            files["/etc/crypttab"] = content
        found = facts_of(table(), [Probe(FileSystem("ext4", 3, True), FakeFs(files))])
        return found.crypttab, bool(found.why_unread(Section.CRYPTTAB))

    assert facts(None) == ((), False)
    assert facts("") == ((), False)
    assert facts(Broken()) == (None, True)
    assert facts("swap /dev/sda4 /dev/urandom swap\n")[0] != ()


def entry(arguments: str) -> BootEntry:
    config = f"menuentry x {{ linux /boot/k {arguments} }}"
    found, _ = read_boot({"/boot/grub/grub.cfg": config, "/boot/k": b""})
    return found.entries[0]


@pytest.mark.parametrize(
    ("arguments", "resume", "named_by", "on_disk"),
    [
        ("root=UUID=root-uuid", None, None, None),
        ("resume=UUID=swap-uuid", "UUID=swap-uuid", NamedBy.UUID, True),
        ("resume=UUID=a resume=UUID=swap-uuid", "UUID=swap-uuid", NamedBy.UUID, True),
        ("resume=UUID=gone", "UUID=gone", NamedBy.UUID, False),
        ("resume=/dev/sda4", "/dev/sda4", NamedBy.DEVICE, True),
        ("resume=/dev/mapper/vg0-swap", "/dev/mapper/vg0-swap", NamedBy.MAPPER, False),
        ("resume=UUID=gone noresume", None, None, None),
        ("resume=none", None, None, None),
        ("resume=", None, None, None),
        ("resume_offset=34816", None, None, None),
    ],
)
def test_what_the_kernel_resumes_from(
    arguments: str, resume: str | None, named_by: NamedBy | None, on_disk: bool | None
) -> None:
    found = entry(arguments)
    assert (found.resume, found.resume_by, found.resume_on_disk) == (resume, named_by, on_disk)


def test_consoles() -> None:
    found = entry("console=tty0 quiet console=ttyS0,115200n8 netconsole=x")
    assert found.consoles == ("tty0", "ttyS0,115200n8")
    assert len(entry("console=ttyS0 " * 100).consoles) == 16
