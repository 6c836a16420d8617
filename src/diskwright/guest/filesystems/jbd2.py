"""Replay of a jbd2 journal in memory: which block of the log stands for which of the file system.

Nothing is written. Only whole transactions count: those up to the last commit block that follows
on. What a later transaction revoked is left alone, as the kernel's recovery does.
"""

from __future__ import annotations

from collections.abc import Callable

from diskwright._values import Struct, field
from diskwright.guest.filesystems.jbd2_layout import (
    BlockType,
    JournalSuperblock,
    Tag,
    begins_fast_commit,
    checksum_right,
    parse_header,
    parse_revokes,
    parse_superblock,
    parse_tags,
)
from diskwright.guest.reading import Unreadable, damaged

MAX_CONTROL_BLOCKS = 8192  # descriptor, revoke and commit blocks: each is summed in Python
MAX_REPLAYED = 500_000


class Replayed(Struct, frozen=True):
    """Stands for a block of the file system: `log_block` of the journal, maybe escaped."""

    log_block: int
    escaped: bool


class Replay(Struct, frozen=True):
    """`blocks` by their number in the file system. `fast_commits`: newer changes that were left."""

    blocks: dict[int, Replayed]
    transactions: int
    fast_commits: bool


class _Transaction(Struct):
    tags: list[tuple[Tag, int]] = field(default_factory=list)  # with the block of the log
    revoked: list[int] = field(default_factory=list)
    torn: bool = False  # a block of it has a wrong checksum


def replay(read: Callable[[int], bytes], block_size: int) -> Replay:
    """`read` gives a block of the journal by its number in the journal."""
    sb = parse_superblock(read(0), block_size)
    if not sb.start:
        return Replay({}, 0, fast_commits=False)
    transactions = _scan(read, sb)
    after = _sequence(sb, len(transactions))
    fast = sb.fast_commit_blocks > 0 and any(
        begins_fast_commit(read(block), after)
        for block in range(sb.last, min(sb.last + 2, sb.length))
    )
    return Replay(_overlay(transactions), len(transactions), fast)


def _scan(read: Callable[[int], bytes], sb: JournalSuperblock) -> list[_Transaction]:
    """The committed transactions, oldest first."""
    done: list[_Transaction] = []
    current = _Transaction()
    ring = sb.last - sb.first
    position, walked, control, tags = sb.start, 0, 0, 0
    while walked < ring:
        block = read(position)
        header = parse_header(block)
        if header is None or header[1] != _sequence(sb, len(done)):
            break
        control += 1
        if control > MAX_CONTROL_BLOCKS:
            raise Unreadable("budget", "journal with more transactions than are replayed")
        kind = header[0]
        step = 1
        right = kind == BlockType.COMMIT or checksum_right(block, kind, sb)
        current.torn = current.torn or not right
        if kind == BlockType.DESCRIPTOR:
            for tag in parse_tags(block, sb):
                current.tags.append((tag, _after(position, step, sb)))
                step += 1
            tags += step
            if tags > MAX_REPLAYED:
                raise Unreadable("budget", "journal with more blocks than are replayed")
        elif kind == BlockType.REVOKE:
            if right:
                current.revoked += parse_revokes(block, sb)
        elif kind == BlockType.COMMIT:
            # A torn transaction without a commit was cut off by the crash; with one it is damage.
            if current.torn or not checksum_right(block, kind, sb):
                raise damaged("checksum in a committed transaction of the journal")
            done.append(current)
            current = _Transaction()
        else:
            break
        position = _after(position, step, sb)
        walked += step
    return done


def _overlay(transactions: list[_Transaction]) -> dict[int, Replayed]:
    last_revoked: dict[int, int] = {}
    for number, transaction in enumerate(transactions):
        last_revoked.update(dict.fromkeys(transaction.revoked, number))
    blocks: dict[int, Replayed] = {}
    for number, transaction in enumerate(transactions):
        for tag, log_block in transaction.tags:
            if last_revoked.get(tag.block, -1) < number:
                blocks[tag.block] = Replayed(log_block, tag.escaped)
    return blocks


def _sequence(sb: JournalSuperblock, number: int) -> int:
    return sb.sequence + number & 0xFFFFFFFF


def _after(position: int, steps: int, sb: JournalSuperblock) -> int:
    return sb.first + (position - sb.first + steps) % (sb.last - sb.first)
