"""What the commands of a library, of its servers and of accounts print, for the JSON Schema.

Their results have no `facts` and no `findings`. One of several images that failed is `image` and
`error` only; where a command can't go on, the document's own `error` says why.
"""

from __future__ import annotations

from diskwright.model.care import Checked, Collected, Pruned, Version
from diskwright.model.library import Change, Entry, KnownLibrary, MemberState, Synced
from diskwright.model.outcome_copies import Delivered
from diskwright.model.recipient import Recipient
from diskwright.model.server import Server, ServerDisk
from diskwright.model.sharing import Account, Given
from diskwright.report.schema_of import (
    PLAIN,
    Definitions,
    Schema,
    any_of,
    described_object,
    list_of,
)

ENTRY: Schema = {"$ref": "#/$defs/entry"}
_TEXT, _NUMBER, _TRUTH, _NULL = (PLAIN[kind] for kind in (str, int, bool, type(None)))
_DRY_RUN = {**_TRUTH, "description": "What would be; nothing was done."}
_FAILED = described_object({"image": _TEXT, "error": {"$ref": "#/$defs/error"}})


def library_results(known: Definitions) -> dict[str, list[Schema]]:
    """The results of each command but `image create`; `entry` and `change` are defined."""
    who = known.but(Recipient, without={"wrapped_key", "params"})
    known.made["entry"] = known.but(
        Entry,
        without={"recipients"},
        beside={"recipients": list_of(who), "virtual_size": _NUMBER, "object_size": _NUMBER},
    )
    known.made["change"] = known.but(Change)
    return {**_images(known), **_libraries(known), **_servers(known), **_accounts(known)}


def _of_image(**needed: Schema) -> Schema:
    """`image` as it was named on the command line; where none was, its name or its id."""
    return described_object({"image": _TEXT, **needed, "error": _NULL})


def _of_none(**needed: Schema) -> Schema:
    return described_object({"image": _NULL, **needed, "error": _NULL})


def _images(known: Definitions) -> dict[str, list[Schema]]:
    what = {**_TEXT, "description": "In words; empty: nothing was to change."}
    changed = _of_image(changed=what, dry_run=_DRY_RUN, entry=ENTRY)
    shown = _of_image(entry=ENTRY)
    named = described_object({"id": _TEXT, "name": known.of(str | None)})
    base = any_of([named, _NULL])
    delivered = known.but(Delivered, beside={"image": _TEXT, "id": _TEXT, "error": _NULL})
    state = known.of(MemberState | None)
    received = described_object(
        {
            "image": _TEXT,
            "name": known.of(str | None),
            "origin": _TEXT,
            "state": state,
            "warnings": list_of(_TEXT),
        }
    )
    replica = _of_image(library=_TEXT, ways=list_of(_TEXT), dry_run=_DRY_RUN, entry=ENTRY)
    return {
        "image list": [shown],
        "image show": [_of_image(entry=ENTRY, base=base)],
        "image prove": [shown],
        "image history": [_of_image(changes=list_of({"$ref": "#/$defs/change"}))],
        **{
            f"image {verb}": [changed]
            for verb in ("set", "tag", "untag", "accept", "reject", "undelete")
        },
        **{f"image {verb}": [changed, _FAILED] for verb in ("share", "unshare", "delete")},
        "image shares": [_of_image(given=known.of(Given)), _of_image(received=received)],
        "image replicate": [replica],
        "image download": [delivered],
        "image export": [delivered],
    }


def _libraries(known: Definitions) -> dict[str, list[Schema]]:
    whole = _of_none(library=known.of(KnownLibrary))
    named = _of_none(library=described_object({"name": _TEXT}))
    sound = {**_TRUTH, "description": "Nothing is damaged or missing; else the exit code is 12."}
    synced = _of_none(synced=known.of(Synced), sound=sound)
    version = known.but(Version, without={"entry"}, beside={"entry": ENTRY})
    pruned = known.but(Pruned, without={"versions"}, beside={"versions": list_of(version)})
    return {
        **{f"library {verb}": [whole] for verb in ("init", "add", "follow", "list")},
        **{f"library {verb}": [named] for verb in ("default", "forget")},
        **{f"library {verb}": [synced] for verb in ("sync", "rebuild")},
        "library check": [_of_none(checked=known.of(Checked), sound=sound)],
        "library gc": [_of_none(collected=known.of(Collected))],
        "library prune": [_of_none(pruned=pruned)],
        "library report": [_of_none(report=_TEXT, images=_NUMBER)],
    }


def _servers(known: Definitions) -> dict[str, list[Schema]]:
    """Those of volumes are the same."""
    path = {**_TEXT, "description": "Empty of a server that would be made."}
    known.made["server"] = known.but(
        Server,
        without={"disks"},
        beside={
            "disks": list_of(known.but(ServerDisk, beside={"path": path})),
            "quick": _TRUTH,
            "virtual_size": _NUMBER,
        },
    )
    server = {"server": {"$ref": "#/$defs/server"}}
    shown = _of_image(**server)
    verbs = {
        "create": _of_image(**server, note=_TEXT, dry_run=_DRY_RUN),
        "list": shown,
        "show": shown,
        "flatten": _of_image(**server, dry_run=_DRY_RUN),
        "delete": _of_image(**server, kept=_TEXT, dry_run=_DRY_RUN),
    }
    return {
        f"{kind} {verb}": [result]
        for kind in ("server", "volume")
        for verb, result in verbs.items()
    }


def _accounts(known: Definitions) -> dict[str, list[Schema]]:
    whole = _of_none(account=known.of(Account))
    return {
        "account add": [whole],
        "account list": [whole],
        "account remove": [_of_none(account=described_object({"name": _TEXT}))],
    }
