"""Changed files and links in a sound file system: texts as their parsers don't expect them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from support.fuzzing import changes
from support.fuzzing.guests.seed import GuestSeed, Slot
from support.fuzzing.guests.tree import PACKERS, initramfs_files, microcode

_TIMES = (1, 1, 2, 2, 4, 8)
_MIB = 1 << 20
_TOKENS: dict[str, tuple[bytes, ...]] = {
    r"grub|loader/": (
        b"{", b"}", b"'", b'"', b"$", b"${", b"}\n", b";", b"\\\n", b"set a=$a$a\n", b"set a=x\n",
        b"if [ a ]; then\n", b"fi\n", b"else\n", b"elif true; then\n", b"for i in a b; do\n",
        b"done\n", b"while true; do\n", b"function f {\n", b"f\n", b"source /boot/grub/grub.cfg\n",
        b"configfile $prefix/grub.cfg\n", b"menuentry x {\n", b"submenu y {\n", b"blscfg\n",
        b"set default=99999999999999999999\n", b"set default=a>b>c\n", b"set default=-1\n",
        b"linux /x root=/dev/sda1 root=UUID=\n", b"initrd\n", b"search --set\n", b"search -f x\n",
        b"(hd0,gpt1)/boot/", b"($root)/", b"/" * 300, b"../" * 100, b"load_env\n", b"title\n",
        b"version 9999999999.9\n", b"root=LABEL=\xff ", b"$default", b"[ -s ", b"#", b"options ",
    ),
    r"\.yaml|\.cfg$": (
        b"- ", b": ", b":\n", b"  ", b"\t", b"{", b"}", b"[", b"]", b"&a ", b"*a", b"!!python/x ",
        b"|\n", b">-\n", b"---\n", b"...\n", b"? ", b"'", b'"', b"<<: *a\n", b"#", b"%YAML 1.1\n",
        b"dhcp4: yes\n", b"addresses: []\n", b"match:\n", b"network:\n", b"ethernets:\n", b",",
        b"datasource_list: [", b"datasource_list:\n - a\n", b"\\", b"\xc2\x85", b"~",
    ),
    r"fstab": (
        b"UUID=", b"LABEL=", b"/dev/sda1", b"/dev/mapper/x", b"PARTUUID=1-2 / x x\n", b"\\040",
        b"UUID=x /boot ext4 ro 0 1\n", b"LABEL=root /etc ext4 x 0 0\n", b"none /usr tmpfs x 0 0\n",
        b"LABEL=root /a/b/c ext4 x\n", b"LABEL=root / btrfs subvol=@\n", b"/ / / /\n", b"\t", b"#",
        b"LABEL=root /boot/grub none bind\n", b"LABEL=root /../../x x\n", b",subvolid=0x5", b" ",
    ),
    r"ssh": (
        b"Include *\n", b"Include /etc/ssh/sshd_config\n",
        b"Include sshd_config.d/*\n", b"Match all\n",
        b"Match\n", b"PermitRootLogin\n", b"PermitRootLogin=no\n", b'PermitRootLogin "yes\n', b'"',
        b"Include /etc/*/x\n", b"Include [\n", b"Include " + b"*a" * 40 + b"\n", b"=", b"#", b" ",
    ),
    r"passwd|shadow": (
        b":", b"::", b"x", b"root::0:0:::\n", b"a:x:0:0::/root/../../etc:/bin/sh\n", b"!", b"*",
        b"b:x:0:0::/home/" + b"/" * 200 + b":\n", b"+::::::\n", b"c:\n", b"\0", b"-", b"#",
        b"d:x:0:0::/home/me/.ssh:/bin/sh\n",
    ),
    r"network|interfaces|ifcfg|NetworkManager|udev|\.link": (
        b"source *\n", b"source /etc/network/interfaces\n", b"source-directory .\n", b"iface\n",
        b"iface a inet dhcp\n", b"auto *\n", b"mapping x\n", b"[Match]\n", b"[", b"]\n", b"=", b'"',
        b"Name=*\n", b"MACAddress=\n", b"DHCP=maybe\n", b"BOOTPROTO='static\n", b"\\\n",
        b"IPADDR0=",
        b"[ipv4]\nmethod=auto\n", b"address1=\n", b'NAME="x", ATTR{address}==""\n', b"#", b";",
        b"source " + b"*a" * 60 + b"\n", b"[\x00", b"Address=192.0.2.1/99\n",
    ),
    r"lvm": (
        b"{", b"}", b"[", b"]", b'"', b"=", b",", b"0", b"-1", b"1", b"4294967296", b"1e3", b"#",
        b'"striped"', b'"mirror"', b'"thin"', b'"linear"', b'"raid1"', b'"VISIBLE"', b'"pv0"',
        b'"pv1"', b'"pv9", 0', b"segment2 {\n", b"root {\n", b"stripes = []\n",
        b"extent_count = 0\n",
        b"18446744073709551615", b"extent_size = 1\n", b"stripe_size = 0\n", b"pe_start = 9\n",
        b"logical_volumes {\n", b"id = \"a\"\n", b"seqno = 7\n", b"\\\"", b"start_extent = 3\n",
    ),
    r"os-release|dpkg|version|modules|machine": (
        b"ID=", b"ID_LIKE=", b'"', b"'", b"\\", b"$(x)", b"VERSION_ID=12\n", b"\n\n", b"Package: ",
        b"Package: cloud-init\n", b"Status: install ok installed\n", b"Version: ", b"1:", b"~",
        b"__VERSION__ = '", b"kernel/a/b.ko\n", b"../x.ko", b"uninitialized\n", b"\xff" * 9,
    ),
}  # fmt: skip
_ANY = (
    b"\0", b"\n", b"\r\n", b"\r", b" ", b"\t", b"\xff", b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80", b"\x1b[2J",
    b"\xe2\x80\xae", b"\xc2\x85", b"a" * 5000, b"9" * 400, b"-1", b"\n" * 300,
    b"\\" * 300, b"=" * 99,
    b"(" * 99, b"0x", b"%s%n", b"\xef\xbb\xbf", b"1e999", b"\xe2\x80\xa8", b"\x0c", b"\x0b",
)  # fmt: skip
# What a parser that calls itself runs out of, or one that tries again and again
_NESTED = (
    b"[", b"{", b"(", b"- ", b"? ", b"a: {", b"[{", b"if true; then\n", b"menuentry a {\n", b"${a",
    b"submenu b {\n", b"{ ", b"*a", b"(a|", b"\\", b"'\"", b"  ", b"!", b"&a [", b"for i in x; do ",
)  # fmt: skip
_TARGETS = (
    b"/", b".", b"..", b"../../../../etc/passwd", b"/proc/self/fd/0",
    b"os-release", b"../etc/os-release",
    b"/etc", b"/usr/bin", b"", b"\xff", b"a/" * 29, b"/bin", b"/root/links/out/..", b"/usr/lib/",
    b"//usr//lib/../lib/os-release", b"/boot/grub/grub.cfg", b"/usr/bin/sh", b"./bin",
)  # fmt: skip


def change(data: bytearray, base: GuestSeed, chance: random.Random) -> None:
    """One to three files, an initramfs among them in a quarter of all."""
    packed = [slot for slot in base.slots if "initrd" in slot.path]
    if chance.random() < 0.25:
        _initramfs(data, chance.choice(packed), base.packing, chance)
        return
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        slot = chance.choice(base.slots)
        if not slot.blocks:
            slot.put(data, chance.choice(_TARGETS))
        elif slot in packed or not _is_text(slot.content):
            slot.put(data, _bytes(slot.content, chance))
        else:
            slot.put(data, text(slot.path, slot.content, slot.room, chance))


def _is_text(content: bytes) -> bool:
    return b"\0" not in content


def _bytes(content: bytes, chance: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(chance.choice(_TIMES)):
        # of what is long, its beginning counts as much as all the rest
        most = len(data) if chance.random() < 0.5 else min(len(data), 64)
        ways = (changes.flip, changes.number, changes.nudge, changes.swap, changes.splice_own)
        chance.choice(ways)(data, chance.randrange(max(1, most)), chance)
    if chance.random() < 0.2:
        del data[chance.randrange(len(data) + 1) :]
    return bytes(data)


def text(path: str, content: bytes, room: int, chance: random.Random) -> bytes:
    """Changed as the parser of what is at `path` expects it least."""
    own = [token for form, some in _TOKENS.items() if re.search(form, path) for token in some]
    for _ in range(chance.choice(_TIMES)):
        content = chance.choice(_WAYS)(content, tuple(own) or _ANY, room, chance)
    return content


_Own = tuple[bytes, ...]


def _insert(content: bytes, own: _Own, room: int, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    token = chance.choice(own if chance.random() < 0.7 else _ANY)
    return content[:at] + token + content[at + chance.choice((0, 0, 0, 1, 5, 30)) :]


def _token(content: bytes, own: _Own, room: int, chance: random.Random) -> bytes:
    """In the place of a word."""
    words = list(re.finditer(rb"[^\s=:,]+", content))
    if not words:
        return _insert(content, own, room, chance)
    word = chance.choice(words)
    token = chance.choice(own if chance.random() < 0.7 else _ANY)
    return content[: word.start()] + token + content[word.end() :]


def _lines(content: bytes, own: _Own, room: int, chance: random.Random) -> bytes:
    """One goes, comes twice, or changes its place; two become one; all become many."""
    lines = content.split(b"\n")
    one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
    kind = chance.randrange(5)
    if kind == 0:
        del lines[one]
    elif kind == 1:
        lines.insert(two, lines[one])
    elif kind == 2:
        lines[one], lines[two] = lines[two], lines[one]
    elif kind == 3:
        lines[one : one + 2] = [chance.choice((b"", b" ", b"\\")).join(lines[one : one + 2])]
    else:
        lines[one : one + 1] = [lines[one]] * chance.choice((3, 100, 5000))
    return b"\n".join(lines)


def _nest(content: bytes, own: _Own, room: int, chance: random.Random) -> bytes:
    at = chance.choice((0, len(content), chance.randrange(len(content) + 1)))
    count = chance.choice((2, 20, 70, 1000, 20_000))
    if chance.random() < 0.3:
        stairs = b"".join(b" " * depth + b"a:\n" for depth in range(min(count, 250)))
        return content[:at] + stairs + content[at:]
    return content[:at] + (chance.choice((*_NESTED, *own)) * count)[:room] + content[at:]


def _raw(content: bytes, own: _Own, room: int, chance: random.Random) -> bytes:
    return _bytes(content, chance)


_WAYS: tuple[Callable[[bytes, _Own, int, random.Random], bytes], ...] = (
    _insert,
    _insert,
    _token,
    _token,
    _lines,
    _lines,
    _nest,
    _raw,
)


def _initramfs(data: bytearray, slot: Slot, packing: str, chance: random.Random) -> None:
    """Changed as it is packed, or before; or much that packs well."""
    kind, pack = chance.random(), PACKERS[packing]
    if kind < 0.35:
        content = _bytes(slot.content, chance)
    elif kind < 0.75:
        content = pack(_bytes(initramfs_files(), chance))
    elif kind < 0.8:
        content = microcode() + pack(bytes(chance.choice((1, 8, 24)) * _MIB))
    elif kind < 0.85:
        content = pack(initramfs_files()[:-200] * chance.choice((2, 300)))
    elif kind < 0.93:
        content = b"".join(
            PACKERS[chance.choice(sorted(PACKERS))](initramfs_files()) for _ in range(3)
        )
    else:
        content = pack(pack(initramfs_files()))
    slot.put(data, content)
