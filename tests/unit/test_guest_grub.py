"""grub.cfg is understood as far as its menu goes, and never run."""

import pytest

from diskwright.guest.boot_entries import parse_bls, parse_legacy, version_key
from diskwright.guest.grub import GrubPath, parse_grub, parse_grubenv, select
from diskwright.guest.grub_script import GrubScriptError, read_commands

UBUNTU = r"""
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="0"
fi
if [ x"${feature_menuentry_id}" = xy ]; then
  menuentry_id_option="--id"
else
  menuentry_id_option=""
fi
export menuentry_id_option
function savedefault {
  if [ -z "${boot_once}" ]; then
    saved_entry="${chosen}"
  fi
}
search --no-floppy --fs-uuid --set=root 1111-font
menuentry 'Ubuntu' --class ubuntu $menuentry_id_option 'gnulinux-simple-2222' {
	recordfail
	set root='hd0,gpt2'
	if [ x$feature_platform_search_hint = xy ]; then
		search --no-floppy --fs-uuid --set=root --hint-bios=hd0,gpt2 2222-root
	else
		search --no-floppy --fs-uuid --set=root 2222-root
	fi
	linux	/vmlinuz-6.8.0-45-generic root=UUID=3333 ro quiet $vt_handoff # comment
	initrd	/intel-ucode.img /initrd.img-6.8.0-45-generic
}
submenu 'Advanced options' $menuentry_id_option 'gnulinux-advanced' {
	menuentry 'Ubuntu, with Linux 6.8.0-45-generic' --id 'advanced-45' {
		search --fs-uuid --set=root 2222-root
		linux /vmlinuz-6.8.0-45-generic root=UUID=3333 ro
	}
	menuentry "Ubuntu, with \"Linux\" 6.8.0-40" --id='advanced-40' {
		linux ($root)/vmlinuz-6.8.0-40-generic \
			root=UUID=3333 ro "two words"
	}
}
menuentry 'UEFI Firmware Settings' { fwsetup; }
"""


def test_entries_of_the_menu_and_its_submenus_are_found() -> None:
    config = parse_grub(UBUNTU, {})
    first, second, third = config.entries()
    assert (first.title, first.id) == ("Ubuntu", "gnulinux-simple-2222")
    assert first.kernel == GrubPath("uuid:2222-root", "/vmlinuz-6.8.0-45-generic")
    assert first.arguments == "root=UUID=3333 ro quiet"
    assert [p.path for p in first.initrds] == [
        "/intel-ucode.img",
        "/initrd.img-6.8.0-45-generic",
    ]
    assert UBUNTU.split("\n")[first.line - 1].startswith("\tlinux")
    assert (second.id, third.id) == ("advanced-45", "advanced-40")
    assert third.title == 'Ubuntu, with "Linux" 6.8.0-40'
    assert third.kernel == GrubPath("uuid:1111-font", "/vmlinuz-6.8.0-40-generic")
    assert third.arguments == "root=UUID=3333 ro two words"


def test_the_first_entry_is_the_default_where_nothing_else_is_set() -> None:
    chosen = parse_grub(UBUNTU, {}).default_entry()
    assert chosen is not None
    assert chosen.title == "Ubuntu"


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        ("0", "gnulinux-simple-2222"),
        ("1", "advanced-45"),
        ("1>1", "advanced-40"),
        ("gnulinux-advanced>advanced-40", "advanced-40"),
        ("Advanced options>0", "advanced-45"),
        ("Ubuntu", "gnulinux-simple-2222"),
        ("77", "gnulinux-simple-2222"),
        ("nonsense", "gnulinux-simple-2222"),
        ("0>3>4", "gnulinux-simple-2222"),
    ],
)
def test_the_default_is_chosen_by_number_id_or_title(default: str, expected: str) -> None:
    chosen = select(parse_grub(UBUNTU, {}).items, default)
    assert chosen is not None
    assert chosen.id == expected


def test_a_saved_default_comes_from_the_environment_block() -> None:
    environment = parse_grubenv("# GRUB Environment Block\nsaved_entry=second\n#####")
    script = """
        set default="${saved_entry}"
        menuentry first --id first { linux /a root=/dev/sda1 }
        menuentry second --id second { linux /b root=/dev/sda1 }
    """
    chosen = parse_grub(script, environment).default_entry()
    assert chosen is not None
    assert chosen.id == "second"


def test_an_empty_menu_has_no_default() -> None:
    assert parse_grub("set timeout=5\n", {}).default_entry() is None


def test_a_stub_leads_on() -> None:
    config = parse_grub(
        "search.fs_uuid 2222 root hd0,gpt2\nset prefix=($root)'/boot/grub'\n"
        "configfile $prefix/grub.cfg\n",
        {},
    )
    assert config.chained == [GrubPath("uuid:2222", "/boot/grub/grub.cfg")]
    assert config.searched == ["uuid:2222"]


def test_bls_is_announced() -> None:
    config = parse_grub("search --set=root --fs-uuid 2222\nset boot=$root\nblscfg\n", {})
    assert config.uses_bls
    assert config.variables["boot"] == "uuid:2222"


@pytest.mark.parametrize("script", ["menuentry 'x {", 'set a="b', "menuentry \"x' { linux /a }"])
def test_an_open_quote_is_an_error(script: str) -> None:
    with pytest.raises(GrubScriptError):
        parse_grub(script, {})


@pytest.mark.parametrize("script", ["}}}}", "{{{{", "$", "${", "\\", "menuentry {", "linux", "set"])
def test_nonsense_is_no_menu(script: str) -> None:
    assert parse_grub(script, {}).entries() == []


def test_too_many_commands_are_refused() -> None:
    with pytest.raises(GrubScriptError):
        read_commands("a\n" * 100_002)


def test_deep_menus_end() -> None:
    script = "submenu x {\n" * 500 + "menuentry y { linux /z }\n" + "}\n" * 500
    assert parse_grub(script, {}).entries() == []


def test_bls_entries_take_variables() -> None:
    text = """title Rocky Linux (5.14) 9.3
version 5.14
linux /vmlinuz-5.14
initrd /initramfs-5.14.img $tuned_initrd
options root=UUID=3333 ro $kernelopts
options quiet
"""
    item = parse_bls(text, "abc-5.14", "uuid:2222", {"kernelopts": "crashkernel=1G"})
    assert item is not None
    assert item.kernel == GrubPath("uuid:2222", "/vmlinuz-5.14")
    assert [p.path for p in item.initrds] == ["/initramfs-5.14.img"]
    assert item.arguments == "root=UUID=3333 ro crashkernel=1G quiet"
    assert (item.id, item.title) == ("abc-5.14", "Rocky Linux (5.14) 9.3")
    assert parse_bls("title Windows\nefi /bootmgfw.efi\n", "w", "", {}) is None


def test_a_legacy_menu_is_read() -> None:
    text = """default=1
timeout 5
title Old
    root (hd0,0)
    kernel /vmlinuz-old ro root=/dev/sda2
title New (2.6.32)
    root (hd0,0)
    kernel --no-mem-option /vmlinuz-2.6.32 ro root=/dev/VolGroup/root
    initrd /initramfs-2.6.32.img
"""
    items, default = parse_legacy(text)
    chosen = select(items, default)
    assert chosen is not None
    assert chosen.title == "New (2.6.32)"
    assert chosen.kernel == GrubPath("hd0,1", "/vmlinuz-2.6.32")
    assert chosen.arguments == "ro root=/dev/VolGroup/root"
    assert chosen.initrds == [GrubPath("hd0,1", "/initramfs-2.6.32.img")]


def test_versions_sort_by_their_numbers() -> None:
    versions = ["6.1.0-9-amd64", "6.1.0-56-amd64", "5.10.0-30-amd64", "6.1.0-56-cloud-amd64"]
    ordered = sorted(versions, key=version_key)
    assert ordered[:2] == ["5.10.0-30-amd64", "6.1.0-9-amd64"]
