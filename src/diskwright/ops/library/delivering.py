"""An image's disks to files or objects of their own, the SHA-256 of each beside it.

sealed, as it lies; or opened, in the stored format     forward, hashed on the way
another format, a delta, or to be read back             a local file first, then hashed
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

from diskwright._values import replace
from diskwright.blockio.placing import check_target
from diskwright.errors import OutputNotWritable, output_error, writing
from diskwright.model.image import ImageFormat
from diskwright.model.outcome_copies import Delivered
from diskwright.model.stored import Chunk, Layout
from diskwright.ops.fetch import stored_chunks, with_holes
from diskwright.ops.library.deliver import DeliverRequest, Piece
from diskwright.ops.library.deltas import Flattened
from diskwright.ops.library.exact_upload import ExactUpload, check_absent
from diskwright.ops.restore import RestoreRequest, restored
from diskwright.ops.stored_file import RestoreTools, counted, passing
from diskwright.ports import CancelToken, ObjectStore, Progress

_PIECE = 8 << 20


def download(
    pieces: Sequence[Piece],
    request: DeliverRequest,
    *,
    tools: RestoreTools,
    progress: Progress,
    cancel: CancelToken,
) -> tuple[Delivered, ...]:
    """The files and their digests appear when all are whole and verified.

    Raises TargetExists without `force`, DataTampered, DiskFull, OutputNotWritable.
    """
    made = []
    with ExitStack() as stack:
        staged = []
        for one in pieces:
            targets = one.told.target, one.told.digest_target
            file, digest = (
                stack.enter_context(tools.local.staged(target, request.force)) for target in targets
            )
            told = _into_file(one, file.path, request, tools, progress, cancel)
            _write(digest.path, iter([Chunk(0, digest_line(told))]), tools)
            made.append(told)
            staged += [file, digest]
        for ready in staged:
            ready.commit()
    return tuple(made)


def export(
    pieces: Sequence[Piece],
    request: DeliverRequest,
    *,
    store: ObjectStore,
    tools: RestoreTools,
    progress: Progress,
    cancel: CancelToken,
) -> tuple[Delivered, ...]:
    """Objects of exactly these keys: a target's last segment is its key in `store`.

    Without `force` nothing is overwritten, and nothing stays where any of them fails. Raises
    TargetExists, DataTampered, and what the stores raise.
    """
    made = []
    with ExitStack() as undo:
        for one in pieces:
            key = one.told.target.rpartition("/")[2]
            with _forward(one, request, tools, progress, cancel) as (file, verified):
                upload = undo.enter_context(
                    ExactUpload(store, key, file.layout, force=request.force, cancel=cancel)
                )
                digest = hashlib.sha256()
                with closing(file.chunks):
                    for chunk in file.chunks:
                        digest.update(chunk.data)
                        upload.write(chunk)
                told = replace(
                    one.told, sha256=digest.hexdigest(), verified=verified, dry_run=False
                )
                size = upload.finish(digest_line(told))
            made.append(replace(told, size=size))
        undo.pop_all()
    return tuple(made)


def rehearse(
    pieces: Sequence[Piece], request: DeliverRequest, *, store: ObjectStore | None
) -> tuple[Delivered, ...]:
    """What would be made; `store` None: files. Raises what is known to stand against it already:
    TargetExists, OutputNotWritable, BucketMissing and what else the store says."""
    for one in pieces:
        for target in (one.told.target, one.told.digest_target):
            if store is not None:
                key = target.rpartition("/")[2]
                next(iter(store.list(key)), None)  # that the bucket is there
                check_absent(store, key, force=request.force)
                continue
            check_target(target, force=request.force)
            folder = os.path.dirname(os.path.abspath(target))
            if not os.path.isdir(folder):
                raise output_error(target, FileNotFoundError(errno.ENOENT, ""))
            if not os.access(folder, os.W_OK | os.X_OK):
                raise OutputNotWritable(target, os.strerror(errno.EACCES))
    return tuple(one.told for one in pieces)


def digest_line(told: Delivered) -> bytes:
    """As sha256sum writes it, and reads it with `-c`: of a name with a backslash or the end of a
    line escaped."""
    name = os.fsencode(told.target.rpartition("/")[2])
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    mark = b"\\" if escaped != name else b""
    return mark + told.sha256.encode() + b"  " + escaped + b"\n"


def _into_file(
    piece: Piece,
    path: str,
    request: DeliverRequest,
    tools: RestoreTools,
    progress: Progress,
    cancel: CancelToken,
) -> Delivered:
    digest, verified = hashlib.sha256(), False
    if piece.is_forward(request):
        with _as_stored(piece, tools, progress, cancel) as file:
            _write(path, with_holes(_hashed(file.chunks, digest), file.layout.size_limit), tools)
    else:
        verified = _restore(piece, path, request, tools, progress, cancel)
        with closing(_read(path, progress, cancel)) as chunks:
            for chunk in chunks:
                digest.update(chunk.data)
    return replace(
        piece.told,
        size=os.stat(path).st_size,
        sha256=digest.hexdigest(),
        verified=verified,
        dry_run=False,
    )


@contextmanager
def _forward(
    piece: Piece,
    request: DeliverRequest,
    tools: RestoreTools,
    progress: Progress,
    cancel: CancelToken,
) -> Iterator[tuple[Flattened, bool]]:
    """The file, from its first byte to its last, and whether it was read back."""
    if piece.is_forward(request):
        with _as_stored(piece, tools, progress, cancel) as file:
            yield file, False
        return
    with tools.local.scratch() as folder:
        path = os.path.join(folder, "disk")
        verified = _restore(piece, path, request, tools, progress, cancel)
        size = os.stat(path).st_size
        layout = Layout(piece.told.format, piece.told.virtual_size, size, size)
        with closing(_read(path, progress, cancel)) as chunks:
            yield Flattened(layout, chunks), verified


@contextmanager
def _as_stored(
    piece: Piece, tools: RestoreTools, progress: Progress, cancel: CancelToken
) -> Iterator[Flattened]:
    if piece.found is not None:
        with passing(piece.found, tools, "fetch", progress, cancel) as file:
            yield file
        return
    size = piece.stored.size
    progress.phase("fetch", size)
    layout = Layout(piece.told.format, piece.told.virtual_size, size, size)
    with closing(counted(stored_chunks(tools.store, piece.stored), progress, cancel)) as chunks:
        yield Flattened(layout, chunks)


def _restore(
    piece: Piece,
    path: str,
    request: DeliverRequest,
    tools: RestoreTools,
    progress: Progress,
    cancel: CancelToken,
) -> bool:
    """In the format that is wanted, whole and verified. Whether it was read back as well."""
    assert piece.found is not None
    wanted = RestoreRequest(
        path, output_format=ImageFormat(piece.told.format), verify=request.verify, force=True
    )
    restored(piece.found, wanted, tools=tools, progress=progress, cancel=cancel)
    return request.verify


def _write(path: str, chunks: Iterator[Chunk], tools: RestoreTools) -> None:
    """Into a file that was made for it beforehand."""
    sink = tools.local.file_sink(path, True)
    try:
        for chunk in chunks:
            sink.write(chunk)
        sink.finish()
    except BaseException:
        sink.abort()
        raise


def _read(path: str, progress: Progress, cancel: CancelToken) -> Generator[Chunk, None, None]:
    """A file of ours, forward."""
    with writing(path), open(path, "rb") as file:
        progress.phase("digest", os.fstat(file.fileno()).st_size)
        at = 0
        while data := file.read(_PIECE):
            cancel.check()
            yield Chunk(at, data)
            at += len(data)
            progress.advance(len(data))


def _hashed(chunks: Iterator[Chunk], digest: hashlib._Hash) -> Iterator[Chunk]:
    for chunk in chunks:
        digest.update(chunk.data)
        yield chunk
