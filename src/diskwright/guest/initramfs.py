"""What an initramfs holds: its modules, and rules that tie network names to hardware.

It is a chain of cpio archives with zeros between them, each plain or compressed: first perhaps
microcode, then the tree (kernel, Documentation/driver-api/early-userspace/buffer-format.rst).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from diskwright._values import Struct, field
from diskwright.formats.packed.codecs import (
    MAGIC_BYTES,
    CodecError,
    CodecUnsupported,
    decompress,
    sniff,
)
from diskwright.formats.packed.feed import Feed
from diskwright.guest.aside import Aside
from diskwright.guest.cpio import MAGICS, CpioEntry, CpioError, read_archive
from diskwright.guest.modules import builtin_modules, module_name
from diskwright.guest.pe import read_pe
from diskwright.guest.reading import GuestReadError, NotThere, Unreadable
from diskwright.guest.tree import GuestTree
from diskwright.guest.udev import pins_a_name
from diskwright.guest.walking import show
from diskwright.model.guest import Initramfs, InitramfsState

MAX_OUTPUT = 512 << 20
MAX_ENTRIES = 200_000
MAX_CONTENT = 256 << 10  # of a file whose content counts
BLOCK = 256 << 10

_RULES = re.compile(rb"(?:\./)?(?:etc|usr/lib|lib)/udev/rules\.d/[^/]+\.rules")
_BUILTIN = re.compile(rb"(?:\./)?(?:usr/)?lib/modules/[^/]+/modules\.builtin")
_OF_VERSION = re.compile(r"(?:\.?/)?(?:usr/)?lib/modules/([^/]+)/.+")


class _TooMuch(Exception):
    """Past a bound; the text says which."""


class _Listing(Struct):
    """What was seen so far. `is_loaded`: of which versions the kernel loads modules, if known."""

    is_loaded: Callable[[str], bool] | None
    compression: str | None = None
    entries: int = 0
    output: int = 0
    modules: set[str] = field(default_factory=set)
    rules: list[str] = field(default_factory=list)

    def add(self, entry: CpioEntry) -> None:
        self.entries += 1
        if self.entries > MAX_ENTRIES:
            raise _TooMuch(f"holds more than {MAX_ENTRIES} files")
        if not entry.is_file:
            return
        name = show(entry.name)
        version = _OF_VERSION.fullmatch(name)
        own = version is not None and (self.is_loaded is None or self.is_loaded(version[1]))
        module = module_name(name)
        if module and own:
            self.modules.add(module)
        if entry.content is None:
            return
        text = show(entry.content)
        if _BUILTIN.fullmatch(entry.name):
            self.modules.update(builtin_modules(text) if own else ())
        elif pins_a_name(text):
            self.rules.append("/" + name.removeprefix("./"))

    def counted(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self.output += len(block)
            if self.output > MAX_OUTPUT:
                raise _TooMuch(f"has more than {MAX_OUTPUT >> 20} MiB unpacked")
            yield block


def begin_initramfs(
    tree: GuestTree, path: str, is_loaded: Callable[[str], bool] | None = None
) -> Callable[[], Initramfs]:
    """The file at `path`, which may be a unified kernel image, is read; its listing is made while
    other files are read, and waited for by a call of what is returned. What can't be read is a
    state of the answer, no error.

    Only modules under lib/modules/<version>/ count, of versions that `is_loaded` accepts; without
    it, of any.
    """
    seen = _Listing(is_loaded)
    return Aside(_blocks(tree, path), lambda blocks: _listed(path, blocks, seen)).result


def _blocks(tree: GuestTree, path: str) -> Iterator[bytes]:
    yield from tree.stream(path, BLOCK, part=_part(tree, path))


def _listed(path: str, blocks: Iterator[bytes], seen: _Listing) -> Initramfs:
    state, detail = InitramfsState.READ, ""
    try:
        _list(Feed(blocks), seen)
        if not seen.entries:
            state, detail = InitramfsState.CORRUPT, "is empty"
    except NotThere:
        state, detail = InitramfsState.MISSING, "is not there"
    except (CodecError, CpioError) as error:
        state, detail = InitramfsState.CORRUPT, str(error)
    except CodecUnsupported as error:
        state, detail = InitramfsState.UNREAD, f"{error} is not read yet"
    except _TooMuch as error:
        state, detail = InitramfsState.UNREAD, str(error)
    except Unreadable as error:
        damaged = error.code == "damaged"
        state = InitramfsState.CORRUPT if damaged else InitramfsState.UNREAD
        detail = error.detail
    except GuestReadError as error:
        state, detail = InitramfsState.UNREAD, error.detail
    return Initramfs(
        path=path,
        state=state,
        compression=seen.compression,
        entries=seen.entries,
        modules=tuple(sorted(seen.modules)),
        persistent_net_rules=tuple(seen.rules),
        detail=detail,
    )


def _part(tree: GuestTree, path: str) -> tuple[int, int] | None:
    """Where the initramfs is in a unified kernel image; None for a file that is one as a whole."""
    pe = read_pe(tree, path)
    if pe and pe.damage:
        raise Unreadable("damaged", pe.damage, path=path)
    section = pe.section(".initrd") if pe else None
    return (section.offset, section.size) if section else None


def _list(feed: Feed, seen: _Listing) -> None:
    """Every archive of the chain; compression is never nested."""
    while _next_archive(feed, seen):
        name = sniff(feed.peek(MAGIC_BYTES))
        if name is None:
            raise CpioError("holds what is neither cpio nor a known compression")
        seen.compression = name
        if _next_archive(Feed(seen.counted(decompress(name, feed))), seen):
            raise CpioError(f"holds what is no cpio inside {name}")


def _next_archive(feed: Feed, seen: _Listing) -> bool:
    """Read plain archives and the zeros between them; whether anything else follows."""
    feed.skip_zeros()
    while feed.peek(MAGIC_BYTES).startswith(MAGICS):
        for entry in read_archive(feed, _is_wanted, MAX_CONTENT):
            seen.add(entry)
        feed.skip_zeros()
    return bool(feed.peek(1))


def _is_wanted(name: bytes) -> bool:
    return bool(_RULES.fullmatch(name) or _BUILTIN.fullmatch(name))
