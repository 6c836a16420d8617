"""An ISO, read in a confined child that has one open descriptor and no other right."""

from __future__ import annotations

from diskwright._child import Child, NoAnswer, NotInTime, Question, Reader
from diskwright._ways import Choice
from diskwright.errors import ImageBroken, ImageUnsafe, ImageUnsupported, ToolStalled, UsageError
from diskwright.formats import limits
from diskwright.formats.iso.answer import (
    ENTRIES,
    FACTS,
    FUNCTION,
    Refused,
    Told,
    unpacked,
)
from diskwright.formats.support import readable_hint
from diskwright.model.canonical import NotCanonical
from diskwright.model.canonical import encode as encode_canonical
from diskwright.model.codec import DecodeError, encode
from diskwright.model.image import FileIdentity
from diskwright.model.iso import IsoFacts, IsoTree, ListedIso
from diskwright.model.nulls import NeverCancelled
from diskwright.ports import CancelToken

_TOOL = "the ISO reader"
_LIMITS = {"AS": limits.READER_BYTES, "CPU": limits.READER_CPU_S, "FSIZE": 0, "NOFILE": 32}


class ConfinedIsoReader:
    """`IsoReader`. What a file does to its reader (a crash, a hang, nonsense) is its refusal."""

    def __init__(
        self,
        *,
        unconfined: bool = False,
        confinement: Choice = "auto",
        time_limit_s: float = limits.READER_S,
        cancel: CancelToken | None = None,
    ) -> None:
        self._unconfined = unconfined
        self._confinement = confinement
        self._time_limit_s = time_limit_s
        self._cancel = cancel or NeverCancelled()

    def facts(self, fd: int, identity: FileIdentity) -> IsoFacts:
        """Of the open file `fd`. Raises ImageRefused, ToolError."""
        facts = self._ask(fd, identity, FACTS, None).answer.facts
        if facts is None:
            raise _nonsense(identity, "no facts in it")
        return facts

    def entries(self, fd: int, identity: FileIdentity, tree: IsoTree | None) -> ListedIso:
        """Of one tree, or of the preferred one. Raises UsageError where that tree is not there."""
        told = self._ask(fd, identity, ENTRIES, tree)
        if told.answer.tree is None:
            there = ", ".join(tree.value for tree in told.answer.trees)
            raise UsageError(f"{identity.path}: has no {tree} tree", f"it has: {there}")
        return ListedIso(identity.path, told.answer.tree, told.entries)

    def _ask(self, fd: int, identity: FileIdentity, asked: str, tree: IsoTree | None) -> Told:
        question = Question(
            [identity.size, asked, tree.value if tree is not None else ""],
            path=identity.path,
            time_limit_s=self._time_limit_s,
            answer_bytes=limits.ISO_ANSWER_BYTES,
        )
        child = Child(Reader(FUNCTION, _TOOL, _LIMITS, self._unconfined, self._confinement))
        try:
            return self.judged(
                understood(child.ask(question, fd, check=self._cancel.check)), identity
            )
        except NotInTime:
            raise ToolStalled(_TOOL, self._time_limit_s) from None
        except NoAnswer as reason:
            raise ImageBroken(identity.path, "unreadable", str(reason)) from None
        except DecodeError as error:
            raise _nonsense(identity, str(error)) from error

    def judged(self, told: Told, identity: FileIdentity) -> Told:
        """What was told, unless it is a refusal: then that is raised."""
        if told.answer.refused is not None:
            raise _refusal(told.answer.refused, identity)
        return told


def understood(document: bytes) -> Told:
    """A child's answer, which is not trusted. Raises DecodeError."""
    told = unpacked(document)
    try:
        encode_canonical(encode(told.answer))  # numbers that other readers of JSON keep too
    except NotCanonical as error:
        raise DecodeError(str(error)) from error
    return told


def _refusal(said: Refused, identity: FileIdentity) -> ImageBroken | ImageUnsafe | ImageUnsupported:
    path = identity.path
    if said.kind == ImageUnsafe.kind:
        return ImageUnsafe(path, said.code, said.detail, said.offset)
    if said.kind == ImageUnsupported.kind:
        return ImageUnsupported(path, said.code, said.detail, said.offset, readable_hint())
    return ImageBroken(path, said.code, said.detail, said.offset)


def _nonsense(identity: FileIdentity, why: str) -> ImageBroken:
    return ImageBroken(
        identity.path, "unreadable", f"its reader's answer is not to be understood: {why}"
    )
