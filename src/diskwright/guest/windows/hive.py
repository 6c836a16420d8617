"""Registry hives through python-registry, and what a hive may cost.

This is the only module that knows the library, which is imported late: most guests have no
registry. It trusts lengths, counts and links, so what is asked of it is bounded here, lists are
walked here, and whatever it raises is damage. Names have no case.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from diskwright.guest.reading import GuestReadError, Unreadable, damaged
from diskwright.guest.tree import GuestTree
from diskwright.model.units import KIB, MIB

if TYPE_CHECKING:
    from Registry import RegistryParse

MAX_HIVE = 256 * MIB  # a SOFTWARE of many years has 150
MAX_STEPS = 100_000  # keys and values of one hive that are looked at
MAX_VALUE = 64 * KIB
MAX_TEXT = 4096  # characters

_MAX_NAME = 512  # bytes: a key's name has 255 characters at most
_BASE_BLOCK = 4096
_STEP = 256  # bytes
_STRING, _EXPANDED, _NUMBER, _BIG_NUMBER, _STRINGS = 1, 2, 4, 5, 7


def open_hive(tree: GuestTree, path: str) -> Hive:
    """Raises GuestReadError, as does everything that is read of the hive later."""
    data = bytearray()
    wanted = _BASE_BLOCK
    for block in tree.stream(path, limit=MAX_HIVE):
        if not data:
            wanted = _size(block, path)
        data += block
        if len(data) >= wanted:
            break
    return Hive(memoryview(data), path)


def _size(head: bytes, path: str) -> int:
    """Of the hive whose first bytes these are: a large file that is none is not read."""
    if len(head) < _BASE_BLOCK or not head.startswith(b"regf"):
        raise Unreadable("damaged", "is no registry hive", path=path)
    return _BASE_BLOCK + int.from_bytes(head[40:44], "little")


class Hive:
    """`stale`: its logs (.LOG1, .LOG2) hold changes that are not seen here."""

    def __init__(self, data: memoryview, path: str) -> None:
        from Registry import RegistryParse

        self.path = path
        self._steps = MAX_STEPS
        with self.translated():
            if len(data) < _BASE_BLOCK:
                raise damaged("is no registry hive")
            header = RegistryParse.REGFBlock(data, 0, False)
            size = header.hbins_size() + _BASE_BLOCK
            if size > len(data):
                raise damaged(f"is a registry hive of {size} bytes and has {len(data)}")
            self.stale: bool = header.recovery_required().recover_data
            self.root = Key(self, header.first_key())

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Whatever the library raises, as damage of this file."""
        try:
            yield
        except GuestReadError as error:
            error.path = error.path or self.path
            raise
        except Exception as error:
            said = f"registry: {type(error).__name__}: {error}"[:200]
            raise Unreadable("damaged", said, path=self.path) from error

    @contextmanager
    def apart(self, steps: int) -> Iterator[None]:
        """What is read inside has so many steps of its own, and takes none from what follows."""
        kept, self._steps = self._steps, steps
        try:
            yield
        finally:
            self._steps = kept

    def step(self, length: int = 0) -> None:
        """A value of `length` bytes costs as much as several keys."""
        self._steps -= 1 + length // _STEP
        if self._steps < 0:
            raise Unreadable("budget", "has more keys than are looked at", path=self.path)


class Key:
    """One key. `None` stands for what is not there, or is of another type."""

    def __init__(self, hive: Hive, record: RegistryParse.NKRecord) -> None:
        self.hive = hive
        self._record = record
        self._keys: dict[str, Key] | None = None
        self._values: dict[str, RegistryParse.VKRecord] | None = None

    def key(self, path: str) -> Key | None:
        """The key below this one; a path has backslashes between its names."""
        here: Key | None = self
        for name in path.split("\\"):
            here = here.keys().get(name.lower()) if here is not None else None
        return here

    def keys(self) -> dict[str, Key]:
        """Those right below, by their names in lower case."""
        if self._keys is None:
            with self.hive.translated():
                self._keys = {_name(r): Key(self.hive, r) for r in self._children()}
        return self._keys

    def has(self, name: str) -> bool:
        return name.lower() in self.values()

    def number(self, name: str) -> int | None:
        raw = self._raw(name, _NUMBER, _BIG_NUMBER)
        if raw is None:
            return None
        kind, data = raw
        return int.from_bytes(data, "big" if kind == _BIG_NUMBER else "little")

    def text(self, name: str) -> str | None:
        """A string as it stands there: no `%NAME%` in it is replaced."""
        raw = self._raw(name, _STRING, _EXPANDED)
        return None if raw is None else _text(raw[1]).partition("\0")[0]

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Several strings, or the only one; empty ones are left out."""
        raw = self._raw(name, _STRINGS, _STRING, _EXPANDED)
        if raw is None:
            return None
        return tuple(text for text in _text(raw[1]).split("\0") if text)

    def values(self) -> dict[str, RegistryParse.VKRecord]:
        """By their names in lower case; the key's own value has an empty one."""
        if self._values is None:
            with self.hive.translated():
                found: dict[str, RegistryParse.VKRecord] = {}
                for record in self._listed():
                    self.hive.step()
                    if record.unpack_word(0x2) <= _MAX_NAME:  # none that is asked for is longer
                        found.setdefault(record.name().lower(), record)
                self._values = found
        return self._values

    def size(self, name: str) -> int:
        """Bytes of a value; 0 for one that is not there."""
        record = self.values().get(name.lower())
        if record is None:
            return 0
        with self.hive.translated():
            return int(record.data_length())

    def _raw(self, name: str, *kinds: int) -> tuple[int, bytes] | None:
        record = self.values().get(name.lower())
        if record is None:
            return None
        with self.hive.translated():
            kind = record.data_type()
            if kind not in kinds:
                return None
            length = record.data_length()
            if length > MAX_VALUE:
                raise Unreadable("too-large", f"has a value {name} of {length} bytes")
            self.hive.step(length)
            data = bytes(record.raw_data()[:length])
            if len(data) < length and kind != _STRINGS:
                raise damaged(f"has a value {name} that is cut off")
            return kind, data

    def _listed(self) -> Iterator[RegistryParse.VKRecord]:
        return self._record.values_list().values() if self._record.values_number() else iter(())

    def _children(self) -> Iterator[RegistryParse.NKRecord]:
        """A list may be a list of lists, once: deeper ones are made to keep a reader busy."""
        from Registry import RegistryParse

        if not self._record.subkey_number():
            return
        names = self._record.subkey_list()
        if not isinstance(names, RegistryParse.RIRecord):
            yield from self._direct(names)
            return
        for index in range(names._keys_len()):
            self.hive.step()
            offset = names.abs_offset_from_hbin_offset(names.unpack_dword(4 + 4 * index))
            inner = RegistryParse.HBINCell(names._buf, offset, names).child()
            if not isinstance(inner, RegistryParse.DirectSubkeyList):
                raise damaged("registry: a list of lists of keys in another")
            yield from self._direct(inner)

    def _direct(self, names: Any) -> Iterator[RegistryParse.NKRecord]:
        for record in names.keys():  # noqa: SIM118 - no dict
            self.hive.step()
            yield record


def _name(record: RegistryParse.NKRecord) -> str:
    if record.unpack_word(0x48) > _MAX_NAME:
        raise damaged("registry: a key has too long a name")
    name = record.name().lower()
    assert isinstance(name, str)
    return name


def _text(data: bytes) -> str:
    return data.decode("utf-16-le", "replace")[:MAX_TEXT]
