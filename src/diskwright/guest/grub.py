"""grub.cfg: its menu, what each entry loads and from where, and which entry is the default.

Conditions are not evaluated: both branches count, and a variable that has a value keeps it when
the other branch would empty it. That reads what grub-mkconfig writes; a hand-written script
can mislead it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from diskwright._values import Struct, field
from diskwright.guest.grub_script import Command, GrubScriptError, read_commands

MAX_MENU_DEPTH = 20
MAX_VALUE = 4096  # of a variable: `set a=$a$a` doubles it
MAX_EXPANDED = 32 << 20

_KEYWORDS = frozenset(["then", "else", "do"])
_LINUX = frozenset(["linux", "linux16", "linuxefi"])
_INITRD = frozenset(["initrd", "initrd16", "initrdefi"])
# what normal mode sets before it reads a configuration
_INITIAL = {"menuentry_id_option": "--id", "feature_menuentry_id": "y"}
_SEARCH_KINDS = {
    "--fs-uuid": "uuid",
    "-u": "uuid",
    "--label": "label",
    "-l": "label",
    "--fs-label": "label",
    "--file": "file",
    "-f": "file",
}


class GrubPath(Struct, frozen=True):
    """`device` is GRUB's name of one (`hd0,gpt2`), `uuid:…`, `label:…`, `file:…`, or empty."""

    device: str
    path: str


class MenuItem(Struct):
    """An entry, or a submenu if `items` is not None. `line` is that of its kernel, if it has."""

    title: str
    id: str
    line: int
    items: list[MenuItem] | None = None
    kernel: GrubPath | None = None
    arguments: str = ""
    initrds: list[GrubPath] = field(default_factory=list)
    version: str = ""  # of the kernel, where the entry says it


class GrubConfig(Struct):
    """`chained`: configurations that it goes on with. `searched`: devices that it looks for."""

    items: list[MenuItem] = field(default_factory=list)
    default: str = "0"
    uses_bls: bool = False
    chained: list[GrubPath] = field(default_factory=list)
    searched: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    def entries(self) -> list[MenuItem]:
        """Those that load a kernel, in menu order, submenus opened."""
        return [item for item in _flatten(self.items) if item.kernel]

    def default_entry(self) -> MenuItem | None:
        return select(self.items, self.default)


def parse_grub(script: str, environment: Mapping[str, str]) -> GrubConfig:
    """`environment` holds the variables of grubenv. Raises GrubScriptError."""
    reader = _Reader(environment)
    for command in read_commands(script):
        reader.take(command)
    reader.config.variables = reader.variables
    return reader.config


def parse_grubenv(text: str) -> dict[str, str]:
    """The variables of an environment block: lines of key=value, filled up with `#`."""
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {key: value for key, equals, value in pairs if equals and len(value) <= MAX_VALUE}


def select(items: Sequence[MenuItem], default: str) -> MenuItem | None:
    """By number, id or title, `>` leading into a submenu; what is not there means the first."""
    here: Sequence[MenuItem] = items
    chosen: MenuItem | None = None
    for step in default.split(">")[:MAX_MENU_DEPTH]:
        if not here:
            break
        chosen = _pick(here, step) or here[0]
        here = chosen.items or ()
    while chosen and chosen.items:
        chosen = chosen.items[0]
    return chosen


def _pick(items: Sequence[MenuItem], name: str) -> MenuItem | None:
    if name.isdecimal() and len(name) < 6:
        return items[int(name)] if int(name) < len(items) else None
    return next((item for item in items if name in (item.id, item.title)), None)


def _flatten(items: Sequence[MenuItem]) -> Iterator[MenuItem]:
    for item in items:
        if item.items is None:
            yield item
        else:
            yield from _flatten(item.items)


class _Reader:
    """Takes commands in order. The stack holds what the open braces belong to."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.config = GrubConfig()
        self.variables = {**_INITIAL, **environment}
        self._stack: list[MenuItem | None] = []  # None: a block that is passed over
        self._outer_roots: list[str] = []
        self._expanded = 0

    def take(self, command: Command) -> None:
        words = command.expand(self.variables)
        self._expanded += sum(map(len, words))
        if self._expanded > MAX_EXPANDED:
            raise GrubScriptError(f"has more than {MAX_EXPANDED} characters")
        while words and words[0] in _KEYWORDS:
            words = words[1:]
        if not words:
            return
        if words[0] == "}":
            self._close()
        elif words[-1] == "{":
            self._open(words, command.line)
        elif None not in self._stack:
            self._run(words, command.line)

    def _open(self, words: list[str], line: int) -> None:
        if words[0] not in ("menuentry", "submenu") or None in self._stack:
            self._stack.append(None)
            return
        if len(self._stack) >= MAX_MENU_DEPTH:
            self._stack.append(None)
            return
        title, identity = _menu_names(words[1:-1])
        item = MenuItem(title, identity, line, [] if words[0] == "submenu" else None)
        here = self._item()
        siblings = self.config.items if here is None else here.items
        if siblings is not None:
            siblings.append(item)
        self._stack.append(item)
        self._outer_roots.append(self.variables.get("root", ""))

    def _close(self) -> None:
        if self._stack and self._stack.pop() is not None:
            self.variables["root"] = self._outer_roots.pop()

    def _item(self) -> MenuItem | None:
        return self._stack[-1] if self._stack else None

    def _run(self, words: list[str], line: int) -> None:
        name, arguments = words[0], words[1:]
        item = self._item()
        if name == "set" and arguments:
            self._assign(arguments[0])
        elif name.startswith("search"):
            self._search(name, arguments)
        elif name in _LINUX and arguments and item is not None:
            item.kernel = self._path(arguments[0])
            item.arguments = " ".join(arguments[1:])
            item.line = line
        elif name in _INITRD and item is not None:
            item.initrds += [self._path(argument) for argument in arguments]
        elif name == "blscfg":
            self.config.uses_bls = True
        elif name in ("configfile", "source", ".") and arguments:
            self.config.chained.append(self._path(arguments[0]))
        elif "=" in name and not arguments:
            self._assign(name)

    def _assign(self, assignment: str) -> None:
        key, _, value = assignment.partition("=")
        if not value or len(value) > MAX_VALUE:
            return
        self.variables[key] = value.strip("()") if key == "root" else value
        if key == "default" and self._item() is None:
            self.config.default = value

    def _search(self, name: str, arguments: list[str]) -> None:
        """`search [--no-floppy] --fs-uuid --set=root ID` and `search.fs_uuid ID root`."""
        kind = {"search.fs_uuid": "uuid", "search.fs_label": "label", "search.file": "file"}.get(
            name
        )
        variable = "root"
        plain: list[str] = []
        for at, argument in enumerate(arguments):
            if argument in _SEARCH_KINDS:
                kind = _SEARCH_KINDS[argument]
            elif argument.startswith("--set="):
                variable = argument[6:]
            elif not argument.startswith("-") and not (at and arguments[at - 1] == "--set"):
                plain.append(argument)
        if not plain:
            return
        wanted = plain[-1] if name == "search" else plain[0]
        device = f"{kind or 'file'}:{wanted}"
        self.variables[variable] = device
        self.config.searched.append(device)

    def _path(self, text: str) -> GrubPath:
        if text.startswith("(") and ")" in text:
            device, _, path = text[1:].partition(")")
            return GrubPath(device, path or "/")
        return GrubPath(self.variables.get("root", ""), text)


def _menu_names(arguments: Sequence[str]) -> tuple[str, str]:
    """Title and id of `menuentry TITLE --class X --id ID …`."""
    title, identity = "", ""
    rest = iter(arguments)
    for argument in rest:
        if argument == "--id":
            identity = next(rest, "")
        elif argument.startswith("--id="):
            identity = argument[5:]
        elif argument in ("--class", "--users", "--hotkey", "--source"):
            next(rest, None)
        elif not argument.startswith("--") and not title:
            title = argument
    return title, identity
