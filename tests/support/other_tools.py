"""What independent tools say of a raw disk: its table, its file systems, an initramfs in it.

None of them shares a line with the project. Answers are sorted lines in one form, so that ours can
be set against them.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from support.guest_disks import run

_MODULE = re.compile(r"(?:usr/)?lib/modules/[^/]+/.*\.ko(?:\.(?:xz|gz|zst|bz2))?")


@dataclass(frozen=True)
class Part:
    """A partition by sfdisk, or the whole disk (`number` 0); `start` and `length` in bytes."""

    number: int
    start: int
    length: int
    line: str = ""
    container: bool = False  # of logical partitions


def ask(tool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """A tool that may fail; one that is not installed skips the test by its name."""
    found = shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        pytest.skip(f"{tool} is not installed: scripts/test-images")
    return subprocess.run([found, *arguments], capture_output=True, text=True, check=False)


def partitions(disk: Path) -> list[Part]:
    """By `sfdisk --json`; empty where it sees no table."""
    done = ask("sfdisk", "--json", disk)
    if done.returncode:
        assert "does not contain a recognized partition table" in done.stderr, done.stderr
        return []
    table = json.loads(done.stdout)["partitiontable"]
    assert table["unit"] == "sectors"
    sector = table.get("sectorsize", 512)
    return [_part(entry, table, disk, sector) for entry in table.get("partitions", [])]


def _part(entry: dict, table: dict, disk: Path, sector: int) -> Part:
    number = int(entry["node"].removeprefix(str(disk)).lstrip("p"))
    start, length = entry["start"] * sector, entry["size"] * sector
    kind = entry["type"].lower()
    if table["label"] == "dos":  # the kernel's name of it: the disk's signature, and its number
        kind = kind.zfill(2)
        uuid = f"{int(table['id'], 16):08x}-{number:02x}"
    else:
        uuid = entry.get("uuid", "").lower()
    words = [f"{number}: {start}+{length}", kind, uuid, entry.get("name", "")]
    words += ["active"] if entry.get("bootable") else []
    container = table["label"] == "dos" and kind in ("05", "0f", "85")
    return Part(number, start, length, " ".join(filter(None, words)), container)


def places(disk: Path) -> list[Part]:
    """Where a file system can be: each partition, or the whole disk."""
    found = [part for part in partitions(disk) if not part.container]
    return found or [Part(0, 0, disk.stat().st_size)]


def file_system(disk: Path, start: int, length: int) -> str | None:
    """`TYPE UUID LABEL` by blkid, without what is not there; None where it sees none."""
    where = ("-O", str(start), "-S", str(length))
    done = ask("blkid", "-p", "-o", "export", *where, disk)
    if done.returncode == 2 and not done.stdout:
        return None
    if done.returncode == 8:
        return "ambivalent"
    assert done.returncode == 0, done.stderr
    said = dict(shlex.split(line)[0].partition("=")[::2] for line in done.stdout.splitlines())
    if "TYPE" not in said:
        return None
    label = said.get("LABEL", "")
    uuid = said.get("UUID") or ("-" if label else "")
    return " ".join(filter(None, (said["TYPE"], uuid, label)))


@dataclass(frozen=True)
class Listing:
    """Names of modules, with underscores: files of an initramfs, and what its kernel has built in
    by the list in it. Or the last line of a complaint."""

    files: frozenset[str] = frozenset()
    built_in: frozenset[str] = frozenset()
    complaint: str = ""


def listing(initramfs: Path, work: Path) -> Listing:
    """By lsinitramfs; the list is taken out by unmkinitramfs."""
    done = ask("lsinitramfs", initramfs)
    if done.returncode or done.stderr:
        return Listing(complaint=(done.stderr.strip().splitlines() or ["it failed"])[-1])
    names = [line.removeprefix("./") for line in done.stdout.splitlines()]
    files = _module_names(name for name in names if _MODULE.fullmatch(name))
    if not any(name.endswith("/modules.builtin") for name in names):
        return Listing(files)
    unpacked = work / "unpacked"
    run("unmkinitramfs", initramfs, unpacked)
    lists = [path.read_text() for path in unpacked.rglob("modules.builtin")]
    shutil.rmtree(unpacked)
    return Listing(files, _module_names("\n".join(lists).splitlines()))


def _module_names(paths: Iterable[str]) -> frozenset[str]:
    names = (PurePosixPath(path).name.partition(".ko")[0] for path in paths)
    return frozenset(name.replace("-", "_") for name in names)


def fetched(disk: Path, path: str, work: Path) -> Path | None:
    """The guest's file at `path`, by readers of each file system's own authors; None where none of
    the disk's file systems has it. A file of /boot may be on one that is mounted there.
    """
    for part in places(disk):
        kind = (file_system(disk, part.start, part.length) or "").partition(" ")[0]
        reader = _READERS.get(kind)
        if reader is None:
            continue
        alone = work / f"part{part.number}"
        options = f"driver=raw,offset={part.start},size={part.length},file.filename={disk}"
        run("qemu-img", "convert", "--image-opts", options, "-O", "raw", alone)
        for name in dict.fromkeys((path, path.removeprefix("/boot"))):
            found = reader(alone, name, work)
            if found is not None:
                return found
        alone.unlink()
    return None


def _from_ext(part: Path, path: str, work: Path) -> Path | None:
    out = work / "from-ext"
    run("debugfs", "-R", f'dump "{path}" {out}', part)
    if not out.exists() or not out.stat().st_size:
        return None
    return out


def _from_xfs(part: Path, path: str, work: Path) -> Path | None:
    """xfs_db says where it lies; the bytes are copied from there."""
    commands = ("-c", f"path {path}", "-c", "print core.size", "-c", "bmap")
    done = ask("xfs_db", "-r", "-f", *commands, part)
    size = re.search(r"core\.size = (\d+)", done.stdout)
    if size is None:
        return None
    block = int(re.findall(r"blocksize = (\d+)", _xfs_db(part, "sb 0", "print blocksize"))[0])
    out = work / "from-xfs"
    with part.open("rb") as source, out.open("wb") as target:
        for at, first, count in _xfs_extents(done.stdout):
            told = _xfs_db(part, f"convert fsblock {first} byte")
            source.seek(int(re.findall(r"\((\d+)\)", told)[0]))
            target.seek(at * block)
            target.write(source.read(count * block))
        target.truncate(int(size[1]))
    return out


def _xfs_db(part: Path, *commands: str) -> str:
    words = [word for command in commands for word in ("-c", command)]
    return run("xfs_db", "-r", "-f", *words, part)


def _xfs_extents(told: str) -> Iterator[tuple[int, int, int]]:
    """Offset in the file, first block, count."""
    for found in re.finditer(r"offset (\d+) startblock (\d+) \(\S+\) count (\d+)", told):
        yield int(found[1]), int(found[2]), int(found[3])


def _from_btrfs(part: Path, path: str, work: Path) -> Path | None:
    """In the subvolume that is mounted where nothing else is asked for."""
    told = run("btrfs", "inspect-internal", "dump-tree", "-t", "root", part)
    item = r"location key \((\d+) ROOT_ITEM [^)]*\) type DIR\n[^\n]*\n\s+name: default\n"
    default = re.search(item, told)
    root = ["-r", default[1]] if default and default[1] != "5" else []
    out = work / "from-btrfs"
    out.mkdir(exist_ok=True)
    first, *others = path.strip("/").split("/")
    pattern = ""
    for name in reversed(others):
        pattern = f"(|/{re.escape(name)}{pattern})"
    pattern = f"^/(|{re.escape(first)}{pattern})$"
    run("btrfs", "restore", *root, "--path-regex", pattern, part, out)
    found = out / path.strip("/")
    return found if found.is_file() else None


_READERS = {
    "ext2": _from_ext,
    "ext3": _from_ext,
    "ext4": _from_ext,
    "xfs": _from_xfs,
    "btrfs": _from_btrfs,
}
