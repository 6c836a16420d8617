"""The import's request: complete, in the service's own limits, safe to paste."""

from __future__ import annotations

import json
import shlex

from diskwright._values import replace
from diskwright.model.attributes import ImportAttributes
from diskwright.report.import_request import import_request_text, request_for

WEB = ImportAttributes("web", "Linux", "Debian GNU/Linux 12.0.0 64bit", "x86", "uefi", 40, 1024)


def test_a_system_disk_is_imported_with_all_that_is_known() -> None:
    request = request_for(WEB, key="p/images/1/web-0.qcow2", bucket="images")
    assert (request.method, request.path) == ("POST", "/v2/cloudimages/action")
    assert request.body == {
        "name": "web",
        "image_url": "images:p/images/1/web-0.qcow2",
        "min_disk": 40,
        "os_version": "Debian GNU/Linux 12.0.0 64bit",
        "min_ram": 1024,
        "architecture": "x86",
        "hw_firmware_type": "uefi",
        "type": "ECS",
    }


def test_a_data_disk_is_imported_by_its_own_call() -> None:
    request = request_for(replace(WEB, data_disk=True), key="k", bucket="b")
    assert request.path == "/v1/cloudimages/dataimages/action"
    assert set(request.body) == {"name", "image_url", "min_disk", "os_type"}


def test_what_is_not_known_is_left_out_or_stands_as_a_placeholder_and_is_told() -> None:
    request = request_for(replace(WEB, os_version=None), key="k")
    assert "os_version" not in request.body
    assert request.body["image_url"] == "BUCKET:k"
    notes = " ".join(request.notes)
    assert all(word in notes for word in ("IMS_ENDPOINT", "TOKEN", "BUCKET", "os_version"))


def test_the_name_keeps_the_services_rules() -> None:
    request = request_for(replace(WEB, name=" a/b\x1b'é " + "x" * 200), key="k", bucket="b")
    name = request.body["name"]
    assert isinstance(name, str)
    assert len(name) <= 128
    assert name.startswith("a_b___")
    assert request_for(replace(WEB, name=" "), key="k").body["name"] == "image"


def test_the_text_is_one_command_whose_body_is_the_request() -> None:
    request = request_for(replace(WEB, name="it's"), key="it's\x1b.qcow2", bucket="b")
    text = import_request_text(request)
    assert "\x1b" not in text
    words = shlex.split(text, comments=True)
    assert words[:3] == ["curl", "-X", "POST"]
    assert json.loads(words[words.index("-d") + 1]) == request.body
