"""What a verb has made, as text: which object it is, what vouches for it, and the next step."""

from __future__ import annotations

from diskwright.model.outcome import Converted, Doctored, Prepared, Reopened, Restored
from diskwright.model.stored import StoreCapabilities
from diskwright.model.text import printable
from diskwright.model.units import format_size
from diskwright.report.import_request import ImportRequest, import_request, import_request_text

_KEY_WIDTH = 13


def converted_text(made: Converted, name: str) -> str:
    rows = [
        ("converted", made.source),
        ("to", name),
        ("format", _form(made.format, made.compressed)),
        ("disk", _size(made.virtual_size)),
        ("file", _size(made.stored_size)),
    ]
    if made.digest:
        rows.append(("disk digest", f"dw1 {made.digest}"))
    rows.append(("verified", "read back and compared" if made.verified else "not read back"))
    return _text(rows)


def prepared_text(made: Prepared, request: ImportRequest | None) -> str:
    """Ends with the next step: the import's request, or how a sealed image is opened."""
    word = "sealed" if made.sealed else "ready for import"
    stored = _size(made.stored_size)
    rows = [
        ("image", f"{made.name} ({word})"),
        ("id", made.image),
        ("at", f"{made.target.rstrip('/')}/{made.key}"),
        ("format", _form(made.format, made.compressed)),
        ("disk", _size(made.virtual_size)),
    ]
    if made.dry_run:
        rows.append(("object", f"at most {stored}; dry run, nothing was sent"))
        return _text(rows)
    rows += [
        ("object", stored),
        ("disk digest", f"dw1 {made.digest}"),
        ("object digest", made.object_digest),
        ("manifest", made.manifest_key),
    ]
    if made.sealed:
        rows.append(("next", "diskwright restore TARGET OUT --key KEY, or --to an open target"))
        return _text(rows)
    return _text(rows) + _request(request)


def restored_text(made: Restored) -> str:
    rows = [
        ("image", f"{made.name} ({'sealed' if made.sealed else 'plain'}) from {made.source}"),
        ("id", made.image),
        ("to", made.target),
        ("format", made.format),
        ("disk", _size(made.virtual_size)),
        ("file", _size(made.stored_size)),
        ("disk digest", f"dw1 {made.digest}"),
        ("verified", "read back and compared" if made.verified else "parts and object digest"),
    ]
    if made.staged_bytes:
        rows.append(("staged", f"{_size(made.staged_bytes)} beside the output, removed"))
    return _text(rows)


def opened_text(made: Reopened) -> str:
    rows = [
        ("image", f"{made.name} (ready for import), opened from {made.source}"),
        ("id", made.image),
        ("at", f"{made.target.rstrip('/')}/{made.key}"),
        ("format", made.format),
        ("disk", _size(made.virtual_size)),
        ("object", _size(made.stored_size)),
        ("disk digest", f"dw1 {made.digest}"),
        ("manifest", made.manifest_key),
    ]
    return _text(rows) + _request(import_request(made))


def doctored_text(found: Doctored) -> str:
    rows = [
        (tool.name, tool.version or f"not installed; needed for {tool.needed_for}")
        for tool in found.tools
    ]
    rows.append(("confinement", found.confinement))
    rows.append(("osinfo-db", found.os_database or "not installed: least memory is not known"))
    if found.target:
        rows.append(("target", found.target))
    if found.capabilities is not None:
        rows += _capabilities(found.capabilities)
    return _text(rows)


def _capabilities(able: StoreCapabilities) -> list[tuple[str, str]]:
    said = {True: "yes", False: "no", None: "not tried"}
    return [
        ("", f"{said[value]:<10}{words}")
        for words, value in (
            ("multipart uploads", able.multipart),
            ("put only if absent", able.conditional_put),
            ("copy of parts", able.part_copy),
            ("checksums verified", able.checksum_verified),
            ("list of open uploads", able.list_uploads),
        )
    ]


def _request(request: ImportRequest | None) -> str:
    return f"\n\nto import it:\n{import_request_text(request)}" if request is not None else ""


def _form(name: str, compressed: bool) -> str:
    return f"{name}, compressed" if compressed else name


def _size(size_bytes: int) -> str:
    return f"{format_size(size_bytes)} ({size_bytes} bytes)"


def _text(rows: list[tuple[str, str]]) -> str:
    width = max(_KEY_WIDTH, *(len(key) for key, _ in rows)) + 1
    return "\n".join(f"{printable(key):<{width}}{printable(value)}" for key, value in rows)
