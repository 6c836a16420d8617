"""What a verb has made, as text: which of the two it is, where, and the next step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from diskwright.model.outcome import Converted, Doctored, Prepared, Reopened, Restored
from diskwright.model.stored import EndpointFacts
from diskwright.model.text import printable
from diskwright.model.units import format_size
from diskwright.report.import_request import ImportRequest, import_request_text

_KEY_WIDTH = 13


def _rows(rows: Iterable[tuple[str, str]], *, width: int = _KEY_WIDTH) -> str:
    return "\n".join(f"{key:<{width}}{printable(value)}" for key, value in rows if value)


def _stored(format_name: str, compressed: bool, size: int, virtual_size: int) -> str:
    how = f"{format_name}, compressed" if compressed else format_name
    return f"{how}, {format_size(size)} for a disk of {format_size(virtual_size)}"


def _package(verified: bool | None) -> str:
    if verified is None:
        return ""
    return "digests verified" if verified else "not verified: a disk has no digest there"


def converted_text(made: Converted) -> str:
    name = f"{made.format}, {made.subformat}" if made.subformat else made.format
    size = _stored(name, made.compressed, made.stored_size, made.virtual_size)
    rows = [
        ("made", made.target),
        ("format", size),
        ("disk digest", f"dw1:{made.digest}" if made.digest else ""),
    ]
    equal = "read back, and equal to the source"
    if made.rounded_from is not None:
        rounded = f"from {made.rounded_from} bytes up to {made.virtual_size}, by zeros at its end"
        rows += [("rounded", rounded), ("source", f"dw1:{made.source_digest}")]
        equal = "read back, and equal to the source with the zeros behind it"
    if made.gpt_backup_inside:
        moved = "its backup is no longer at the disk's end; in the guest: sgdisk -e DISK"
        rows.append(("gpt", moved))
    rows.append(("verified", equal if made.verified else ""))
    rows.append(("package", _package(made.package_verified)))
    return _rows(rows)


def prepared_text(
    made: Prepared, request: ImportRequest | None, further: Sequence[ImportRequest] = ()
) -> str:
    """`request` for an import-ready image: the call that imports it; `further`: those that import a
    set's other disks.
    """
    if made.dry_run:
        kind = "a sealed image" if made.sealed else "an import-ready image"
        what = f"{kind}; nothing was sent (--dry-run), and sizes are upper bounds"
    elif made.sealed:
        what = "sealed image (not importable as it is)"
    else:
        what = "import-ready image"
    rows = [("plan" if made.dry_run else "made", what)]
    rows += [("image", f"{made.image}  {made.name}"), ("target", made.target)]
    for number, disk in enumerate(made.disks, 1):
        rows.append((f"disk {number}" if len(made.disks) > 1 else "disk", disk.name))
        size = _stored(disk.format, disk.compressed, disk.stored_size, disk.virtual_size)
        digest = f"dw1:{disk.digest}" if disk.digest else ""
        rows += [("object", disk.key), ("format", size), ("disk digest", digest)]
    rows.append(("manifest", "" if made.dry_run else made.manifest_key))
    rows.append(("package", _package(made.package_verified)))
    return _rows(rows) + "\n" + _next_step(made, request, further)


def _next_step(
    made: Prepared, request: ImportRequest | None, further: Sequence[ImportRequest]
) -> str:
    if made.dry_run:
        return "next: the same command without --dry-run"
    if request is None and not made.sealed:
        return f"next: give the object to the service of the profile {printable(made.profile)}"
    if request is None:
        return (
            f"next: diskwright restore {printable(made.target)} --image {made.image} --key KEY "
            "--to TARGET makes an import-ready object of it"
        )
    return _imports(request, further)


def _imports(request: ImportRequest, further: Sequence[ImportRequest]) -> str:
    """The calls to paste, each with its notes."""
    lines = "next: import it\n" + import_request_text(request).rstrip("\n")
    for number, one in enumerate(further, 2):
        lines += f"\nand disk {number}, as a data disk image\n"
        lines += import_request_text(one).rstrip("\n")
    return lines


def _digest(computed: str, by_manifest: str) -> str:
    return f"dw1:{computed}" if computed else f"dw1:{by_manifest} (by its manifest)"


def restored_text(made: Restored) -> str:
    staged = format_size(made.staged_bytes)
    return _rows(
        [
            ("made", made.target),
            ("image", f"{made.image}  {made.name}" + (" (was sealed)" if made.sealed else "")),
            ("disk", made.disk),
            ("format", _stored(made.format, False, made.stored_size, made.virtual_size)),
            ("disk digest", _digest(made.digest, made.manifest_digest)),
            ("verified", "read back as a disk, and equal" if made.verified else "every part"),
            ("staged", f"{staged} beside it for a while" if made.staged_bytes else ""),
            ("unreadable", ", ".join(made.passed_over)),
        ]
    )


def reopened_text(
    made: Reopened, request: ImportRequest | None, further: Sequence[ImportRequest] = ()
) -> str:
    rows = [
        ("made", "import-ready image"),
        ("image", f"{made.image}  {made.name}"),
        ("of", f"{made.opened} at {made.source}"),
        ("target", made.target),
    ]
    for number, disk in enumerate(made.disks, 1):
        rows.append((f"disk {number}" if len(made.disks) > 1 else "disk", disk.name))
        size = _stored(disk.format, False, disk.stored_size, disk.virtual_size)
        rows += [
            ("object", disk.key),
            ("format", size),
            ("disk digest", _digest("", disk.manifest_digest)),
        ]
    rows += [("manifest", made.manifest_key), ("unreadable", ", ".join(made.passed_over))]
    lines = _rows(rows)
    return lines if request is None else lines + "\n" + _imports(request, further)


def _endpoint(found: EndpointFacts | None) -> list[tuple[str, str]]:
    if found is None:
        return []
    trusted = f", trusting {found.ca_bundle}" if found.ca_bundle else ""
    skew = found.clock_skew_s
    clock = "not told" if skew is None else f"{abs(skew)} s {'ahead' if skew > 0 else 'behind'}"
    return [
        ("  endpoint", found.url),
        ("  addressing", found.addressing),
        ("  region", found.region),
        ("  transport", f"TLS{trusted}" if found.tls else "plain HTTP: nothing is encrypted"),
        ("  proxy", found.proxy or "none"),
        ("  clock here", "as there" if skew == 0 else clock),
    ]


def doctored_text(found: Doctored) -> str:
    rows = [
        (tool.name, tool.version or f"not installed: needed for {tool.needed_for}")
        for tool in found.tools
    ]
    rows.append(("confinement", found.confinement))
    rows.append(("os database", found.os_database or "not installed: minimum memory is unknown"))
    if found.capabilities is not None:
        seen = {True: "yes", False: "no", None: "not tried"}
        able = found.capabilities
        rows += [
            ("target", found.target),
            ("  write, read", "yes"),
            ("  multipart", seen[able.multipart]),
            ("  if absent", seen[able.conditional_put]),
            ("  part copy", seen[able.part_copy]),
            ("  checksums", seen[able.checksum_verified]),
            ("  open uploads", seen[able.list_uploads]),
            *_endpoint(able.endpoint),
        ]
    return _rows(rows, width=16)
