"""systemd-boot's entries, wherever they lie, in its order and with its default."""

import pytest

from diskwright.guest.systemd_boot import MAX_ENTRY
from diskwright.model.guest import Bootloader, NamedBy
from support.boot_guest import SYSTEMD_BOOT, read_boot, table
from support.fake_guest import Broken, Content, Sparse
from support.pe_maker import pe

FALLBACK: dict[str, Content] = {"/EFI/BOOT/BOOTX64.EFI": SYSTEMD_BOOT}
ENTRY = """title Debian
version {0}
sort-key debian
linux /{0}/linux
initrd /{0}/ucode.img
initrd /{0}/initrd
options root=UUID=root-uuid ro
"""


def files(*versions: str, **others: Content) -> dict[str, Content]:
    """An ESP with kernels of these versions, and files named like `loader.conf`."""
    found = dict(FALLBACK)
    for version in versions:
        found[f"/loader/entries/deb-{version}.conf"] = ENTRY.format(version)
        for name in ("linux", "ucode.img", "initrd"):
            found[f"/{version}/{name}"] = b"x"
    return {**found, **{f"/loader/{name}": content for name, content in others.items()}}


def default(loader: Bootloader) -> str:
    (entry,) = [entry for entry in loader.entries if entry.default]
    return entry.version


def test_an_entry_says_what_is_started() -> None:
    found, reason = read_boot({"/x": ""}, esp=files("6.1.0-9"))
    assert reason == ""
    assert (found.name, found.config) == ("systemd-boot", "/efi/loader/entries")
    assert (found.uefi, found.esp_fallback) == (True, "EFI/BOOT/BOOTX64.EFI")
    (entry,) = found.entries
    assert str(entry.location) == "/efi/loader/entries/deb-6.1.0-9.conf:4"
    assert (entry.title, entry.version, entry.default) == ("Debian", "6.1.0-9", True)
    assert (entry.kernel, entry.kernel_exists) == ("/efi/6.1.0-9/linux", True)
    assert entry.initrds == ("/efi/6.1.0-9/ucode.img", "/efi/6.1.0-9/initrd")
    assert entry.initrds_exist is True
    assert (entry.root, entry.root_named_by) == ("UUID=root-uuid", NamedBy.UUID)
    assert entry.root_on_disk is True


def test_the_newest_is_the_default_where_none_is_chosen() -> None:
    for chosen in ("", "timeout 3\n", "default @saved\n", "default nothing-like-it*\n"):
        found, _ = read_boot(
            {"/x": ""}, esp=files("6.1.0-9", "6.1.0-56", **{"loader.conf": chosen})
        )
        assert [entry.version for entry in found.entries] == ["6.1.0-56", "6.1.0-9"]
        assert default(found) == "6.1.0-56"
        assert found.config == "/efi/loader/loader.conf"


@pytest.mark.parametrize(
    "chosen",
    [
        "default deb-6.1.0-9.conf\n",
        "default\t deb-*-9.conf \n",
        "default DEB-6.1.0-?.conf\n",
        "#default deb-6.1.0-56.conf\ndefault deb-6.1.0-[0-9].conf\n",
        "default deb-6.1.0-56.conf\ndefault deb-6.1.0-9.conf\n",
    ],
)
def test_loader_conf_chooses_by_a_pattern(chosen: str) -> None:
    found, _ = read_boot({"/x": ""}, esp=files("6.1.0-9", "6.1.0-56", **{"loader.conf": chosen}))
    assert default(found) == "6.1.0-9"


def test_an_entry_whose_kernel_is_missing_is_no_default() -> None:
    esp = files("6.1.0-9", "6.1.0-56", **{"loader.conf": "default deb-*\n"})
    del esp["/6.1.0-56/linux"]
    found, _ = read_boot({"/x": ""}, esp=esp)
    assert [entry.kernel_exists for entry in found.entries] == [False, True]
    assert default(found) == "6.1.0-9"
    del esp["/6.1.0-9/linux"]
    found, _ = read_boot({"/x": ""}, esp=esp)
    assert default(found) == "6.1.0-56"


def test_an_entry_that_never_came_up_is_no_default() -> None:
    esp = files("6.1.0-9", "6.1.0-56")
    esp["/loader/entries/deb-6.1.0-56+0-3.conf"] = esp.pop("/loader/entries/deb-6.1.0-56.conf")
    found, _ = read_boot({"/x": ""}, esp=esp)
    assert default(found) == "6.1.0-9"
    assert found.entries[1].location.file == "/efi/loader/entries/deb-6.1.0-56+0-3.conf"


def test_entries_for_other_machines_are_not_in_the_menu() -> None:
    esp = files("6.1.0-9")
    esp["/loader/entries/arm.conf"] = "sort-key a\narchitecture aa64\nlinux /6.1.0-9/linux\n"
    esp["/loader/entries/own.conf"] = "sort-key b\narchitecture X64\nlinux /6.1.0-9/linux\n"
    esp["/loader/entries/none.conf"] = "sort-key c\ntitle Nothing\n"
    found, _ = read_boot({"/x": ""}, esp=esp)
    assert [entry.title for entry in found.entries] == ["own.conf", "Debian"]


def test_entries_on_the_extended_partition_lead_to_files_there() -> None:
    boot = files("6.1.0-9")
    found, _ = read_boot({"/x": ""}, esp={**FALLBACK}, boot=boot, xbootldr=True)
    assert (found.name, found.config) == ("systemd-boot", "/boot/loader/entries")
    assert (found.entries[0].kernel, found.entries[0].kernel_exists) == (
        "/boot/6.1.0-9/linux",
        True,
    )
    plain, _ = read_boot({"/x": ""}, esp={**FALLBACK}, boot=boot)
    assert (plain.name, plain.config, plain.entries) == ("systemd-boot", None, ())


def test_both_partitions_make_one_menu() -> None:
    found, _ = read_boot({"/x": ""}, esp=files("6.1.0-9"), boot=files("6.1.0-10"), xbootldr=True)
    assert [e.kernel for e in found.entries] == ["/boot/6.1.0-10/linux", "/efi/6.1.0-9/linux"]


def test_what_grub_left_behind_does_not_count_unless_bios_starts_it() -> None:
    old: dict[str, Content] = {"/boot/grub/grub.cfg": "menuentry x { linux /boot/k }"}
    found, _ = read_boot(old, esp=files("6.1.0-9"))
    assert found.name == "systemd-boot"
    both, _ = read_boot(old, esp=files("6.1.0-9"), disk=table(boot_code=True, bios_core=True))
    assert both.name == "grub2"
    bare, _ = read_boot(old, esp={**FALLBACK})
    assert (bare.name, bare.config) == ("systemd-boot", None)


def test_another_loader_in_the_fallback_s_place_reads_its_own() -> None:
    esp = files("6.1.0-9") | {"/EFI/BOOT/BOOTX64.EFI": b"MZ shim", "/EFI/debian/grubx64.efi": b"MZ"}
    old: dict[str, Content] = {"/boot/grub/grub.cfg": "menuentry x { linux /boot/k }"}
    assert read_boot(old, esp=esp)[0].name == "grub2"


def test_what_grub_s_stub_leads_to_does_not_matter() -> None:
    stub: Content = "search.fs_uuid gone root\nconfigfile $prefix/grub.cfg\n"
    esp = files("6.1.0-9") | {"/EFI/debian/grub.cfg": stub, "/EFI/debian/grubx64.efi": b"MZ"}
    assert read_boot({"/x": ""}, esp=esp)[0].problems == ()
    esp["/EFI/BOOT/BOOTX64.EFI"] = b"MZ shim"
    assert len(read_boot({"/x": ""}, esp=esp)[0].problems) == 1


def test_without_a_fallback_its_name_tells_where_it_is_alone() -> None:
    old: dict[str, Content] = {"/boot/grub/grub.cfg": "menuentry x { linux /boot/k }"}
    esp = files("6.1.0-9") | {"/EFI/systemd/systemd-bootx64.efi": b"MZ"}
    del esp["/EFI/BOOT/BOOTX64.EFI"]
    assert read_boot(old, esp=esp)[0].name == "systemd-boot"
    esp["/EFI/debian/grubx64.efi"] = b"MZ"
    assert read_boot(old, esp=esp)[0].name == "grub2"


def test_an_entry_that_can_not_be_read_is_a_reason() -> None:
    esp = files("6.1.0-9") | {"/loader/entries/x.conf": Broken()}
    found, reason = read_boot({"/x": ""}, esp=esp)
    assert (found.name, default(found)) == ("systemd-boot", "6.1.0-9")
    assert reason.startswith("/efi/loader/entries/x.conf")
    del esp["/loader/entries/deb-6.1.0-9.conf"]
    found, reason = read_boot({"/x": ""}, esp=esp)
    assert (found.name, found.config) == ("systemd-boot", None)
    assert reason.startswith("/efi/loader/entries/x.conf")


def test_what_is_too_long_or_no_file_hides_no_entry() -> None:
    esp = files("6.1.0-9") | {"/loader/entries/zz.conf/x": b"", "/EFI/Linux/zz.efi/x": b""}
    found, reason = read_boot({"/x": ""}, esp=esp)
    assert (default(found), reason) == ("6.1.0-9", "")
    esp["/loader/entries/zy.conf"] = Sparse(MAX_ENTRY + 1)
    found, reason = read_boot({"/x": ""}, esp=esp)
    assert default(found) == "6.1.0-9"
    assert reason.startswith("/efi/loader/entries/zy.conf: has 65537 bytes")


def test_what_a_shim_starts_reads_its_own() -> None:
    grub: dict[str, Content] = {"/boot/grub2/grub.cfg": "menuentry x { linux /boot/k }"}
    esp = files("6.1.0-9") | {"/EFI/BOOT/BOOTX64.EFI": pe({".sbat": b"shim"})}
    for name in ("grubx64.efi", "grub.efi", "GRUBX64.EFI"):
        found, _ = read_boot(grub, esp={**esp, f"/EFI/BOOT/{name}": SYSTEMD_BOOT})
        assert (found.name, default(found)) == ("systemd-boot", "6.1.0-9")
    for path in ("BOOT/fbx64.efi", "systemd/grubx64.efi"):
        found, _ = read_boot(grub, esp={**esp, f"/EFI/{path}": SYSTEMD_BOOT})
        assert found.name == "grub2"


def test_a_default_that_is_no_kernel_of_linux_is_told() -> None:
    fw = {"entries/fw.conf": "title Firmware\nefi /EFI/tools/fw.efi\n"}
    for chosen in ("fw.conf", "f*", "*w.conf"):
        loader = {"loader.conf": f"default {chosen}\n"}
        found, _ = read_boot({"/x": ""}, esp=files("6.1.0-9", **fw, **loader))
        assert (found.starts_other, [e.default for e in found.entries]) == ("Firmware", [False])
    found, _ = read_boot({"/x": ""}, esp=files("6.1.0-9", **{**fw, "loader.conf": "default deb*"}))
    assert (found.starts_other, default(found)) == (None, "6.1.0-9")


def test_a_pattern_that_is_too_long_is_a_reason() -> None:
    chosen = "default " + "*a" * 300_000
    found, reason = read_boot({"/x": ""}, esp=files("6.1.0-9", **{"loader.conf": chosen}))
    assert (found.config, found.entries) == (None, ())
    assert "255 characters" in reason
