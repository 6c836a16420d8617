"""Whatever a guest's files say, their readers answer, or raise what they promise; nothing else."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diskwright.adapters.guest_child import understood
from diskwright.guest.answer import Answer
from diskwright.guest.bls import menu_order, parse_entry
from diskwright.guest.boot_entries import parse_bls, parse_legacy
from diskwright.guest.crypttab import parse_crypttab
from diskwright.guest.devices import DiskNames, name_device
from diskwright.guest.fstab import parse_fstab
from diskwright.guest.grub import parse_grub, parse_grubenv
from diskwright.guest.grub_script import GrubScriptError
from diskwright.guest.initramfs import begin_initramfs
from diskwright.guest.inspect import facts_of
from diskwright.guest.kernel_image import release_of
from diskwright.guest.keyfile import parse_keyfile
from diskwright.guest.modules import builtin_modules, config_builtins
from diskwright.guest.os_release import parse_os_release
from diskwright.guest.probe import Probe
from diskwright.guest.reading import GuestReadError
from diskwright.guest.syslinux_config import parse_syslinux
from diskwright.guest.udev import pinning_lines
from diskwright.guest.uki import read_uki
from diskwright.guest.yaml_subset import YamlRefused, parse_yaml
from diskwright.model.codec import encode
from diskwright.model.guest import FileSystem, InitramfsState
from support.cpio_maker import archive
from support.fake_guest import Content, FakeFs, Link, tree_of
from support.pe_maker import uki

DISK = DiskNames((FileSystem("ext4", 1, True, uuid="u"),), None)
PIECES = st.sampled_from(
    [
        "menuentry",
        "submenu",
        "linux",
        "initrd",
        "set",
        "search",
        "--set=root",
        "--fs-uuid",
        "root=",
        "UUID=u",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "$",
        "${a}",
        "$a",
        "a=$a$a",
        "'q'",
        '"',
        "'",
        "\\",
        "#",
        ";",
        ":",
        "-",
        ",",
        "=",
        "&",
        "*",
        "|",
        ">",
        "\n",
        "\t",
        "/",
        "../",
        "iface",
        "eth0",
        "inet",
        "dhcp",
        "source",
        "auto",
        "network:",
        "ethernets:",
        "addresses:",
        "title",
        "kernel",
        "options",
        "NAME=",
        "ATTR{address}==",
        "/dev/sda1",
        "Match",
        "User",
        "Include",
        "/etc/ssh/*",
        "PermitRootLogin",
        "### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in",
        "<port port='22' protocol='tcp'/>",
        "<!--",
        "root::0:0::/root:/bin/sh",
        "\\040",
        "\x00",
        "é",
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=60).map(" ".join)

READERS: dict[str, Callable[[str], object]] = {
    "bls": lambda text: parse_bls(text, "x", "", {"a": "b"}),
    "loader entry": lambda text: menu_order([parse_entry(text, "a"), parse_entry(text, text)]),
    "legacy": parse_legacy,
    "syslinux": lambda text: parse_syslinux(text, "/x", lambda n: (text, n)).default_label(),
    "fstab": lambda text: parse_fstab(text, DISK),
    "crypttab": lambda text: parse_crypttab(text, DISK),
    "device": name_device,
    "on disk": DISK.has,
    "grub": lambda text: parse_grub(text, parse_grubenv(text)).default_entry(),
    "keyfile": parse_keyfile,
    "builtin": builtin_modules,
    "config": config_builtins,
    "os-release": parse_os_release,
    "udev": pinning_lines,
    "yaml": lambda text: parse_yaml(text).texts(),
}
PROMISED = (GrubScriptError, YamlRefused)


@pytest.mark.parametrize("name", READERS)
@given(text=TEXTS)
@settings(max_examples=60, deadline=None)
def test_any_text_is_answered(name: str, text: str) -> None:
    with contextlib.suppress(*PROMISED):
        READERS[name](text)


# Each would take minutes, or all of the memory, if its reader did more than pass over it a few
# times: the suite's own limit on time is what would tell.
COSTLY = {
    "spaces": " " * 250_000,
    "a value and spaces": "A=" + " " * 250_000 + "x",
    "a key and spaces": "a" + " " * 250_000 + "x",
    "backslashes": "a\\\n" * 100_000,
    "open brackets": "a: [" + "[" * 100_000,
    "items": "a: [" + "x," * 100_000 + "]",
    "doubling": "set a=xxxxxxxx\n" + "set a=$a$a\n" * 60 + "linux $a$a$a$a",
    "many uses": "set a=" + "x" * 4000 + "\nmenuentry $a {\nlinux " + "$a " * 100_000 + "\n}",
    "quotes": "'a'" * 80_000,
    "submenus": "submenu x {\n" * 20_000,
    "dashes": "- " * 100_000,
}


@pytest.mark.parametrize("text", COSTLY.values(), ids=COSTLY)
@pytest.mark.parametrize("name", READERS)
def test_no_text_costs_more_than_a_few_passes(name: str, text: str) -> None:
    with contextlib.suppress(*PROMISED):
        READERS[name](text)


@given(
    start=st.integers(0, 2000), flips=st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 255)))
)
@settings(max_examples=80, deadline=None)
def test_a_damaged_initramfs_has_a_state(start: int, flips: list[tuple[int, int]]) -> None:
    plain = archive({f"lib/modules/6/m{n}.ko": bytes(n) for n in range(20)})
    for whole in (plain, gzip.compress(plain)):
        data = bytearray(whole)
        for at, bits in flips:
            data[at % len(data)] ^= bits
        found = begin_initramfs(tree_of({"/i": bytes(data[start % len(data) :])}), "/i")()
        assert found.path == "/i"
        assert found.state in InitramfsState
        assert set(found.modules) <= {f"m{n}" for n in range(20)} or flips


@given(
    flips=st.lists(st.tuples(st.integers(0, 800), st.integers(1, 255)), max_size=12),
    end=st.integers(0, 20_000),
)
@settings(max_examples=150, deadline=None)
def test_a_damaged_image_is_answered_or_unreadable(flips: list[tuple[int, int]], end: int) -> None:
    data = bytearray(uki())
    for at, bits in flips:
        data[at] ^= bits
    tree = tree_of({"/x.efi": bytes(data[:end])})
    with contextlib.suppress(GuestReadError):
        read_uki(tree, "/x.efi")
    with contextlib.suppress(GuestReadError):
        release_of(tree, "/x.efi")
    assert begin_initramfs(tree, "/x.efi")().state in InitramfsState


PATHS = st.sampled_from(
    (
        "/etc/os-release",
        "/etc/fstab",
        "/etc/crypttab",
        "/boot/grub/grub.cfg",
        "/boot/grub/grubenv",
        "/boot/grub/menu.lst",
        "/boot/loader/entries/a.conf",
        "/boot/extlinux.conf",
        "/boot/ldlinux.sys",
        "/boot/vmlinuz-6",
        "/boot/config-6",
        "/boot/initrd.img-6",
        "/etc/network/interfaces",
        "/etc/netplan/a.yaml",
        "/etc/systemd/network/a.network",
        "/etc/systemd/network/a.link",
        "/etc/udev/rules.d/a.rules",
        "/etc/cloud/cloud.cfg",
        "/usr/bin/cloud-init",
        "/var/lib/dpkg/status",
        "/sbin/init",
        "/usr/sbin/sshd",
        "/etc/ssh/sshd_config",
        "/etc/ssh/ssh_host_rsa_key",
        "/etc/passwd",
        "/etc/shadow",
        "/etc/machine-id",
        "/var/lib/dbus/machine-id",
        "/root/.ssh/id_rsa",
        "/root/.docker/config.json",
        "/etc/systemd/system/ssh.service",
        "/usr/lib/systemd/system/ufw.service",
        "/usr/lib/systemd/system/firewalld.service",
        "/usr/lib/systemd/system/nftables.service",
        "/etc/ufw/user.rules",
        "/etc/firewalld/zones/public.xml",
        "/etc/firewalld/services/ssh.xml",
        "/etc/firewalld/direct.xml",
        "/etc/nftables.conf",
        "/etc/selinux/config",
    )
)
CONTENTS: st.SearchStrategy[Content] = st.one_of(
    TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")),
    PATHS.map(Link),
    st.just(Link("../../../../etc/passwd")),
    st.just(Link("/dev/null")),
)


@given(files=st.dictionaries(PATHS, CONTENTS, max_size=8))
@settings(max_examples=150, deadline=None)
def test_any_guest_has_facts_that_pass_the_border(files: dict[str, Content]) -> None:
    probe = Probe(FileSystem("ext4", None, True, uuid="u"), FakeFs({"/bin/sh": b"", **files}))
    facts = facts_of(None, [probe])
    assert understood(json.dumps(encode(Answer(facts))).encode()).facts == facts
