"""restore: an image that was prepared, back into a local file."""

from __future__ import annotations

import os

from diskwright._values import Struct
from diskwright.model.image import ImageFormat
from diskwright.model.outcome import Restored
from diskwright.ops.convert import Wanted, convert
from diskwright.ops.images import Found, find
from diskwright.ops.opening import look
from diskwright.ops.stored_file import RestoreTools, fetch, verify
from diskwright.ports import CancelToken, Progress


class RestoreRequest(Struct, frozen=True):
    target: str
    image: str | None = None  # id or name; None: the only one
    disk: int | None = None  # from 1; None: the only one
    output_format: ImageFormat | None = None  # None: the stored one
    verify: bool = False
    force: bool = False


def restore(
    request: RestoreRequest, *, tools: RestoreTools, progress: Progress, cancel: CancelToken
) -> Restored:
    """`target` appears whole and verified, or not at all."""
    found = find(tools.store, request.image, tools.wrapper, deltas=True).chosen(request.disk)
    return restored(found, request, tools=tools, progress=progress, cancel=cancel)


def restored(
    found: Found,
    request: RestoreRequest,
    *,
    tools: RestoreTools,
    progress: Progress,
    cancel: CancelToken,
) -> Restored:
    """As `restore`, of an image that was found: the disk that it means."""
    stored_format = ImageFormat(found.disk.format)
    target = os.path.abspath(request.target)
    wanted = request.output_format or stored_format
    staged_bytes = 0
    digest = ""
    if wanted is stored_format and not request.verify:
        fetch(found, target, request.force, tools, progress, cancel)
    else:
        with tools.local.staged(target, request.force) as staged:
            fetch(found, staged.path, True, tools, progress, cancel)
            if wanted is stored_format:
                digest = verify(found, staged.path, tools, progress, cancel)
                staged.commit()
            else:
                staged_bytes = os.stat(staged.path).st_size
                digest = verify(found, staged.path, tools, progress, cancel)
                _convert(found, staged.path, target, wanted, request, tools, progress, cancel)
    return Restored(
        source=tools.store.url,
        image=found.manifest.image,
        name=found.body.name,
        target=target,
        sealed=found.manifest.sealed,
        format=wanted.value,
        virtual_size=found.disk.virtual_size,
        stored_size=os.stat(target).st_size,
        digest=digest,
        manifest_digest=found.disk.digest,
        verified=bool(digest),
        staged_bytes=staged_bytes,
        passed_over=found.passed_over,
        disk=found.disk.name,
    )


def _convert(
    found: Found,
    staged: str,
    target: str,
    wanted: ImageFormat,
    request: RestoreRequest,
    tools: RestoreTools,
    progress: Progress,
    cancel: CancelToken,
) -> None:
    convert(
        look(staged, input_format=ImageFormat(found.disk.format)),
        target,
        Wanted(wanted, verify=request.verify, force=request.force),
        tools=tools.local,
        progress=progress,
        cancel=cancel,
    )
