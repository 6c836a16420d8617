"""extlinux.conf and syslinux.cfg: what SYSLINUX would start (its doc/syslinux.txt and menu.txt).

Nothing is run: a menu is taken to start its default entry, what a module would do is not known.
Submenus are read as if their entries stood in the menu itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from diskwright._values import Struct, field

MAX_LINES = 50_000  # of all files together
MAX_FILES = 32
MAX_DEPTH = 8
MAX_LABELS = 500
MAX_INITRDS = 64

_MODULE = re.compile(r".*\.(?:c32|com|cbt|bss|bin|bs|img|0)", re.IGNORECASE)

# A file that is included: its text and the path that evidence names; None where it is not there
Include = Callable[[str], tuple[str, str] | None]


class Label(Struct):
    """An entry; `kernel` is a path as the configuration has it, or empty."""

    name: str
    title: str = ""
    file: str = ""
    line: int = 1
    kernel: str = ""
    initrds: list[str] = field(default_factory=list)
    append: str | None = None

    @property
    def loads(self) -> list[str]:
        """Every initramfs: its own, or those that the command line names."""
        named = [w[7:] for w in (self.append or "").split() if w.startswith("initrd=")]
        said = self.initrds or named[-1:]
        return [path for one in said for path in one.split(",") if path][:MAX_INITRDS]


class SyslinuxConfig(Struct):
    labels: list[Label] = field(default_factory=list)
    default: str = ""  # DEFAULT: a label, or a command line
    ui: str = ""
    menu_default: str | None = None
    on_timeout: str = ""

    @property
    def waits(self) -> bool:
        """At its prompt, for ever."""
        return not self.default and not self.ui and self.default_label() is None

    def default_label(self) -> Label | None:
        """What is started when nobody is there; None where it waits at its prompt for ever."""
        if self.on_timeout and self._named(self.on_timeout):
            return self._named(self.on_timeout)
        if self.ui or _MODULE.fullmatch(_first(self.default)):
            chosen = self._named(self.menu_default or "") or self._named(self.default)
            return chosen or (self.labels[0] if self.labels else None)
        return self._named(self.default)

    def _named(self, name: str) -> Label | None:
        wanted = _first(name)
        return next((label for label in self.labels if label.name == wanted), None)


def parse_syslinux(text: str, path: str, include: Include) -> SyslinuxConfig:
    """Of the file at `path`; what it includes is read too, within bounds."""
    reader = _Reader(include)
    reader.read(text, path, 0)
    return reader.finished()


class _Reader:
    def __init__(self, include: Include) -> None:
        self._config = SyslinuxConfig()
        self._include = include
        self._label: Label | None = None
        self._append = ""  # for labels that have none
        self._default_at = ("", 1)
        self._lines = self._files = 0

    def read(self, text: str, path: str, depth: int) -> None:
        for number, line in enumerate(text.split("\n"), start=1):
            self._lines += 1
            if self._lines > MAX_LINES:
                return
            key, value = _split(line)
            if key == "menu":
                key, value = _split(value)
                key = f"menu {key}"
            if key in ("include", "menu include"):
                self._follow(_first(value), depth)
            elif key == "label":
                self._open(value, path, number)
            else:
                self._take(key, value, number)
            if key == "default":
                self._default_at = (path, number)

    def finished(self) -> SyslinuxConfig:
        config = self._config
        words = config.default.split(None, 1)
        for label in config.labels:
            if label.append is None:
                label.append = self._append
            label.append = "" if label.append == "-" else label.append
        known = {label.name for label in config.labels}
        if words and words[0] not in known and not _MODULE.fullmatch(words[0]) and not config.ui:
            rest = words[1] if len(words) > 1 else self._append
            file, line = self._default_at
            config.labels.insert(0, Label(words[0], words[0], file, line, words[0], [], rest))
        return config

    def _follow(self, name: str, depth: int) -> None:
        if depth >= MAX_DEPTH or self._files >= MAX_FILES or not name:
            return
        self._files += 1
        found = self._include(name)
        if found is not None:
            self.read(*found, depth + 1)

    def _open(self, name: str, path: str, number: int) -> None:
        if len(self._config.labels) < MAX_LABELS:
            self._label = Label(name=name, title=name, file=path, line=number)
            self._config.labels.append(self._label)
        else:
            self._label = Label(name)  # passed over

    def _take(self, key: str, value: str, number: int) -> None:
        label, config = self._label, self._config
        if key == "default":
            config.default = value
        elif key == "ui":
            config.ui = value
        elif key == "ontimeout":
            config.on_timeout = value
        elif key == "append" and label is None:
            self._append = value
        elif label is None:
            return
        elif key in ("linux", "kernel"):
            label.line = number
            words = value.split(None, 1)
            # KERNEL goes by the extension
            is_kernel = bool(words) and (key == "linux" or not _MODULE.fullmatch(words[0]))
            label.kernel = words[0] if is_kernel else ""
        elif key == "initrd":
            label.initrds.append(value.strip())
        elif key == "append":
            label.append = " ".join(value.split())
        elif key == "menu label":
            label.title = value.replace("^", "")
        elif key == "menu default":
            config.menu_default = label.name


def _split(line: str) -> tuple[str, str]:
    """A keyword in small letters, and the rest; both empty for a comment."""
    words = line.strip().split(None, 1)
    if not words or words[0].startswith("#"):
        return "", ""
    return words[0].lower(), words[1] if len(words) > 1 else ""


def _first(text: str) -> str:
    words = text.split(None, 1)
    return words[0] if words else ""
