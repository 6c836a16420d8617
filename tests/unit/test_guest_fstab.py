"""fstab is read as mount(8) reads it, with the lines it stands on."""

import pytest

from diskwright.guest.devices import DiskNames
from diskwright.guest.fstab import MAX_ENTRIES, parse_fstab, read_fstab
from diskwright.guest.reading import NotThere, Unreadable
from diskwright.model.guest import FileSystem, NamedBy
from support.fake_guest import Broken, Sparse, tree_of

DISK = DiskNames((FileSystem("ext4", None, True, uuid="aaaa-bbbb"),), None)


def test_fields_options_and_lines() -> None:
    text = "# comment\n\nUUID=aaaa-bbbb  /\text4 defaults,errors=remount-ro 0 1\nproc /proc proc\n"
    root, proc = parse_fstab(text, DISK)
    assert (root.location.line, root.mount_point, root.type) == (3, "/", "ext4")
    assert root.options == ("defaults", "errors=remount-ro")
    assert (root.named_by, root.on_disk) == (NamedBy.UUID, True)
    assert (proc.location.line, proc.options, proc.on_disk) == (4, ("defaults",), None)
    assert proc.named_by is NamedBy.PSEUDO


def test_octal_escapes_are_characters() -> None:
    (entry,) = parse_fstab(r"LABEL=my\040disk /mnt/my\011disk\134x auto nofail", DISK)
    assert (entry.spec, entry.mount_point) == ("LABEL=my disk", "/mnt/my\tdisk\\x")


def test_missing_fields_have_defaults_and_short_lines_are_passed_over() -> None:
    entries = parse_fstab("UUID=aaaa-bbbb /data\nlonely\nUUID=aaaa-bbbb /b ext4\n", DISK)
    assert [(e.type, e.options) for e in entries] == [
        ("auto", ("defaults",)),
        ("ext4", ("defaults",)),
    ]


def test_a_bind_mount_is_no_device() -> None:
    (entry,) = parse_fstab("/srv /export none bind 0 0", DISK)
    assert entry.named_by is NamedBy.PSEUDO


@pytest.mark.parametrize(
    ("content", "code"),
    [(Sparse(4 << 30), "too-large"), (Broken(), "damaged"), ("a /b\n" * 5000, "too-large")],
)
def test_what_can_not_be_read_says_why(content: Sparse | Broken | str, code: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_fstab(tree_of({"/etc/fstab": content}), DISK)
    assert caught.value.code == code
    assert caught.value.path == "/etc/fstab"


def test_the_most_entries_are_still_read() -> None:
    text = "a /b\n" * MAX_ENTRIES
    assert len(read_fstab(tree_of({"/etc/fstab": text}), DISK)) == MAX_ENTRIES


def test_no_fstab_is_not_there() -> None:
    with pytest.raises(NotThere):
        read_fstab(tree_of({}), DISK)
