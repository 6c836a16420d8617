"""The filled-in request that imports an uploaded object into Huawei Cloud IMS.

Fields: Huawei Cloud, Image Management Service API, "Creating an Image Using a File"
(POST /v2/cloudimages/action) and "Creating a Data Disk Image Using a File"
(POST /v1/cloudimages/dataimages/action); "Importing an Image File Quickly"
(POST /v2/cloudimages/quickimport/action). The endpoint and the token are the reader's own.
"""

from __future__ import annotations

import json
import re
import shlex

from diskwright._values import Struct
from diskwright.model.attributes import ImportAttributes
from diskwright.model.outcome import Prepared, Reopened
from diskwright.model.text import printable

ENDPOINT = "IMS_ENDPOINT"  # as ims.eu-de.otc.t-systems.com
TOKEN = "TOKEN"  # noqa: S105 - a placeholder: X-Auth-Token, from the identity service
BUCKET = "BUCKET"
OS_VERSION = "OS_VERSION"

_SYSTEM_PATH = "/v2/cloudimages/action"
_FAST_PATH = "/v2/cloudimages/quickimport/action"
_DATA_PATH = "/v1/cloudimages/dataimages/action"
_NAME_LIMIT = 128
# Of profiles whose objects are imported by such a request
_NORMAL, _CONFIGURED, _FAST = "ims", "ims-auto-config", "ims-fast"


class ImportRequest(Struct, frozen=True):
    """`body` is the JSON object to send; `notes` say what the reader has to fill in."""

    method: str
    path: str
    body: dict[str, str | int]
    notes: tuple[str, ...]


def import_request(made: Prepared | Reopened, service: str) -> ImportRequest | None:
    """For the first object of an image that is ready for import; None where its attributes are not
    known, or it was prepared for another `service` (of its profile).
    """
    return _at_target(made.target, made.key, made.attributes, service)


def data_requests(made: Prepared | Reopened, service: str) -> tuple[ImportRequest, ...]:
    """For the objects of a set behind the first: each becomes a data disk image of its own."""
    found = (_at_target(made.target, disk.key, disk.attributes, service) for disk in made.disks[1:])
    return tuple(request for request in found if request is not None)


def _at_target(
    target: str, key: str, attributes: ImportAttributes | None, service: str
) -> ImportRequest | None:
    if attributes is None or service not in (_NORMAL, _CONFIGURED, _FAST):
        return None
    bucket, _, prefix = target.removeprefix("s3://").rstrip("/").partition("/")
    if not target.startswith("s3://"):
        return request_for(attributes, key=key, service=service)
    whole_key = f"{prefix}/{key}".lstrip("/")
    return request_for(attributes, key=whole_key, bucket=bucket, service=service)


def request_for(
    attributes: ImportAttributes, *, key: str, bucket: str | None = None, service: str = _NORMAL
) -> ImportRequest:
    """`key` is the object's whole key in `bucket`; without one a placeholder stands for it.

    A fast import takes neither memory nor configuration, and has to be told the system.
    """
    notes = [
        f"{ENDPOINT}: the image service of the bucket's region, as ims.REGION.DOMAIN",
        f"{TOKEN}: a token of the project, from the identity service (X-Subject-Token)",
    ]
    if bucket is None:
        notes.append(
            f"{BUCKET}: put the object there first, under that key; storage class Standard, "
            "same region"
        )
    body: dict[str, str | int] = {
        "name": _service_name(attributes.name),
        "image_url": f"{bucket or BUCKET}:{key}",
        "min_disk": attributes.min_disk_gib,
    }
    if attributes.data_disk:
        body["os_type"] = attributes.os_type
        if service == _FAST:
            body["type"] = "DataImage"
            return ImportRequest("POST", _FAST_PATH, body, tuple(notes))
        return ImportRequest("POST", _DATA_PATH, body, tuple(notes))
    known = f"GET https://{ENDPOINT}/v1/cloudimages/os_version"
    if attributes.os_version is not None:
        body["os_version"] = attributes.os_version
    elif service == _FAST:
        body["os_version"] = OS_VERSION
        notes.append(f"{OS_VERSION}: the system as the service spells it: {known}")
    else:
        notes.append(
            f"os_version is left out, the service then detects the system; its spellings: {known}"
        )
    if service != _FAST:
        body["min_ram"] = attributes.min_memory_mib
    if service == _CONFIGURED:
        body["is_config"] = True
    body["architecture"] = attributes.architecture
    body["hw_firmware_type"] = attributes.boot_mode
    body["type"] = "ECS"
    notes += _afterwards(attributes)
    path = _FAST_PATH if service == _FAST else _SYSTEM_PATH
    return ImportRequest("POST", path, body, tuple(notes))


def _afterwards(attributes: ImportAttributes) -> list[str]:
    """What only an image that is there takes: PATCH /v2/cloudimages/{image_id}."""
    marks = {
        "hw_vif_multiqueue_enabled": attributes.nic_multiqueue,
        "__support_kvm_hi1822_hisriov": attributes.sriov,
    }
    changes = [
        {"op": "add", "path": f"/{name}", "value": "true"} for name, said in marks.items() if said
    ]
    if not changes:
        return []
    return [f"then, if you like: PATCH /v2/cloudimages/IMAGE_ID {json.dumps(changes)}"]


def import_request_value(request: ImportRequest) -> dict[str, object]:
    """For the JSON document."""
    return {
        "method": request.method,
        "path": request.path,
        "body": dict(request.body),
        "notes": list(request.notes),
    }


def import_request_text(request: ImportRequest) -> str:
    """A command to paste, after the placeholders in capitals were filled in."""
    body = printable(json.dumps(request.body, ensure_ascii=True))
    lines = [
        f"curl -X {request.method} https://{ENDPOINT}{request.path} \\",
        f"  -H 'X-Auth-Token: {TOKEN}' -H 'Content-Type: application/json' \\",
        f"  -d {shlex.quote(body)}",
        *(f"# {printable(note)}" for note in request.notes),
    ]
    return "\n".join(lines)


def _service_name(name: str) -> str:
    """1 to 128 of letters, digits, `-._` and spaces, none at the edges: others become `_`."""
    safe = re.sub(r"[^A-Za-z0-9._ -]", "_", name)[:_NAME_LIMIT].strip()
    return safe or "image"
