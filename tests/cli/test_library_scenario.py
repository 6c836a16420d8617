"""The whole life of images, by command line: every row of the table in the README, on a library in
a folder and on one in a bucket of a real S3 server, the bytes compared each time.

The library and what is made there first are shared; each test makes and changes images of its own.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from functools import partial

import pytest

from diskwright.report.library_csv import undefused
from support import ovas
from support.command import FIXTURE
from support.library_user import (
    SMALL,
    VAULT,
    User,
    compared,
    digest_beside,
    disk,
    key,
    s3_bucket,
    user,
)

__all__ = ["s3_bucket", "user"]

pytestmark = pytest.mark.s3


def test_a_system_disk_image_of_a_file(user):
    (shown,) = user.results("image", "show", "web")
    entry = shown["entry"]
    assert (entry["kind"], entry["status"]) == ("system-disk", "active")
    assert entry["os_version"] == "Debian GNU/Linux 12.0.0 64bit"
    assert (entry["os_type"], entry["boot_mode"]) == ("Linux", "uefi")
    user.holds("web", FIXTURE)
    taken = user.refused(14, "image", "create", "--from-file", FIXTURE, "--name", "web")
    assert user.ids["web"] in taken


def test_a_data_disk_image_and_a_volume_of_it(user):
    assert user.listed()["data"]["kind"] == "data-disk"
    user.holds("data", disk(user))
    volume = user.server("volume", "--image", "data", "--name", "scratch")
    compared(disk(user), volume["disks"][0]["path"])
    user.refused(2, "server", "create", "--image", "data")


def test_a_full_server_image_of_files_and_of_a_package(user, appliance):
    _, flat = ovas.vmdk(user.folder, "second.vmdk", seed=1)
    words = ["create", "--full", "--disk", FIXTURE, "--disk", user.folder / "second.vmdk"]
    shop = user.made(*words, "--name", "shop", *SMALL)
    assert (shop["kind"], len(shop["disks"])) == ("full-server", 2)
    user.holds("shop", FIXTURE, flat)
    user.made("create", "--full", "--from-file", appliance, "--name", "shop-ova", *SMALL)
    user.holds("shop-ova", FIXTURE, flat)
    server = user.server("server", "--image", "shop", "--name", "shop")
    for source, made in zip((FIXTURE, flat), server["disks"], strict=True):
        compared(source, made["path"])
    before = set(user.listed())
    broken = user.folder / "broken.vmdk"
    broken.write_bytes((user.folder / "second.vmdk").read_bytes()[:1000])
    words = ["image", "create", "--full", "--disk", FIXTURE, "--disk", broken]
    assert user.run(*words, "--name", "half").code != 0
    assert set(user.listed()) == before  # whole or absent
    checked = user.results("library", "check", *key(user))[0]["checked"]
    assert checked["issues"] == []


def test_what_is_made_of_an_image_outlives_it(user):
    image = user.made("replicate", "web", "--name", "passing")["id"]
    server = user.server("server", "--image", "passing", "--name", "stays")
    user.ok("image", "delete", "passing", "--yes")
    user.ok("library", "gc", "--yes", "--grace", "0m", *key(user))
    assert user.objects(image) == {}
    user.refused(14, "image", "show", image)
    compared(FIXTURE, server["disks"][0]["path"])
    assert [one["server"]["id"] for one in user.results("server", "list")].count(server["id"]) == 1


def test_modify(user):
    made = user.made("replicate", "web", "--name", "to-set")
    image, objects = made["id"], user.objects(made["id"])
    words = ["--name", "was-set", "--description", "Debian 12, nginx"]
    words += ["--min-memory", "2GiB", "--max-memory", "16GiB", "--nic-multiqueue", "off"]
    user.ok("image", "set", image, *words, "--sriov", "off")
    entry = user.listed()["was-set"]
    memory = (entry["min_memory_mib"], entry["max_memory_mib"])
    assert (entry["id"], entry["description"], memory) == (image, "Debian 12, nginx", (2048, 16384))
    assert (entry["nic_multiqueue"], entry["sriov"]) == (False, False)
    need = entry["needs_memory_mib"]
    less = ["image", "set", image, "--min-memory", f"{need // 2}MiB"]
    assert "less than the guest needs" in user.refused(2, *less)
    user.refused(2, "image", "set", image, "--max-memory", "1GiB")  # under the minimum
    user.refused(2, "image", "set", image, "--description", "<script>")
    user.refused(2, "image", "set", image, "--name", "n" * 129)
    user.ok(*less, "--reason", "it was tried")
    user.ok("image", "set", image, "--nic-multiqueue", "on")
    after = user.listed()["was-set"]
    assert (after["min_memory_mib"], after["nic_multiqueue"]) == (need // 2, True)
    assert user.objects(image) == objects
    user.holds("was-set", FIXTURE)


def test_share(user, tmp_path):
    theirs = partial(user.run, home=tmp_path)
    ada = User(theirs, tmp_path, "", user.store)
    receiver = tmp_path / "ada.json"
    ada.ok("key", "new", receiver, "--receiver", "--name", "Ada")
    ada.ok("library", "init", "mine", tmp_path / "mine")
    ada.ok("library", "follow", user.url, "--key", f"receiver:{receiver}", "--name", "golden")
    user.made("create", "--data", "--from-file", disk(user), "--name", "gift", *key(user), *SMALL)
    objects = user.objects(user.listed(*key(user))["gift"]["id"])
    user.ok("image", "share", "gift", "--with", f"{receiver}.pub", *key(user))
    shown = ada.listed()["gift"]
    assert (shown["visibility"], shown["received"]) == ("shared", "pending")
    ada.ok("image", "accept", "gift")
    assert "accepted" in user.ok("image", "shares", "gift", *key(user))
    ada.holds("gift", disk(user))
    ada.refused(14, "image", "set", "gift", "--name", "mine")
    ada.ok("key", "new", tmp_path / "own.json")
    own = f"local:{tmp_path / 'own.json'}"
    ada.made("replicate", "gift", "--name", "own", "--encrypt", own)
    user.ok("image", "unshare", "gift", "--from", "Ada", *key(user))
    ada.refused(14, "image", "download", "gift", tmp_path / "again")
    assert not (tmp_path / "again").exists()
    ada.holds("own", disk(user), options=("--key", own))
    assert user.objects(user.listed(*key(user))["gift"]["id"]) == objects


@pytest.mark.parametrize("form", ["", "vmdk"])
def test_export_and_download(user, s3_bucket, form):
    options = ["-O", form] if form else []
    user.holds("web", FIXTURE, options=tuple(options))
    name = f"transfer/web.{form or 'qcow2'}"
    exported = s3_bucket.exported(user, "web", name, *options)
    compared(FIXTURE, exported)
    assert digest_beside(exported) == hashlib.sha256(exported.read_bytes()).hexdigest()


def test_export_still_sealed(user, s3_bucket):
    (stored,) = user.objects(user.ids["sealed"]).values()
    exported = s3_bucket.exported(user, "sealed", "sealed.dws", "--sealed", *key(user))
    assert digest_beside(exported) == hashlib.sha256(exported.read_bytes()).hexdigest() == stored
    (path,) = user.downloaded("sealed", "--sealed", *key(user))
    assert path.read_bytes() == exported.read_bytes()
    user.refused(12, "image", "download", user.ids["sealed"], user.folder / "none.raw")
    user.holds("sealed", disk(user), options=key(user))
    opened = s3_bucket.exported(user, "sealed", "opened.raw", "-O", "raw", *key(user))
    assert opened.read_bytes() == disk(user).read_bytes()


def test_encrypt_under_a_key_of_a_file_and_of_a_key_service(user):
    for kek in (user.kek, VAULT):
        name = kek.split(":")[0]
        words = ["create", "--data", "--from-file", disk(user), "--name", f"under-{name}", *SMALL]
        image = user.made(*words, "--key", kek)
        assert image["sealed"]
        (stored,) = user.objects(image["id"])
        assert disk(user).read_bytes()[:64] not in user.store.get(stored)
        user.refused(12, "image", "download", image["id"], user.folder / "none.raw")
        user.holds(f"under-{name}", disk(user), options=("--key", kek))
    volume = user.server("volume", "--image", "under-vault", "--key", VAULT)
    compared(disk(user), volume["disks"][0]["path"])


def test_replicate(user):
    user.made("replicate", "web", "--name", "web-sealed", "--encrypt", user.kek)
    user.holds("web-sealed", FIXTURE, options=key(user))
    user.made("replicate", "web-sealed", "--name", "web-vault", "--encrypt", VAULT, *key(user))
    user.holds("web-vault", FIXTURE, options=("--key", VAULT))
    user.made("replicate", "web-vault", "--name", "web-open", "--decrypt", "--key", VAULT)
    user.holds("web-open", FIXTURE)
    user.made("replicate", "web", "--name", "web-near", "--to-library", "near")
    user.holds("web-near", FIXTURE, options=("--library", "near"))
    user.made("replicate", "web", "--name", "web-quick", "--quick", "--to-library", "near")
    near = ("--library", "near")
    server = user.server("server", "--image", "web-quick", "--name", "quick", *near)
    assert server["quick"]
    compared(FIXTURE, server["disks"][0]["path"])
    in_use = user.refused(14, "image", "delete", "web-quick", "--yes", *near)
    assert "in use by quick" in in_use
    user.ok("server", "delete", "quick", "--yes")
    user.ok("image", "delete", "web-quick", "--yes", *near)


def test_tag_untag_and_list(user):
    user.made("replicate", "data", "--name", "tagged")
    user.ok("image", "tag", "tagged", "stage=prod", "team=web")
    tagged = user.listed("--tag", "stage=prod")
    assert {name: one["tags"] for name, one in tagged.items()} == {
        "tagged": {"stage": "prod", "team": "web"}
    }
    user.ok("image", "untag", "tagged", "stage")
    assert user.listed("--tag", "stage=prod") == {}
    assert set(user.listed("--tag", "team")) == {"tagged"}
    user.refused(2, "image", "tag", "tagged", "stage=not a value")
    user.refused(2, "image", "tag", "tagged", *(f"n{n}=v" for n in range(10)))
    user.holds("tagged", disk(user))


NAMES = (
    '=cmd|" /C calc"!A0',
    'a, "quoted" name; =1+1',
    "Grüße из 東京 ﷽",
    "+49",
    "'tis",
)


def test_list_as_csv(user):
    told = '=1+1\n@SUM(A1) "two", lines; -3'
    images = {user.made("replicate", "data", f"--name={name}")["id"]: name for name in NAMES}
    user.ok("image", "set", NAMES[0], f"--description={told}")
    columns = "name,id,description,status,virtual_size"
    text = user.ok("image", "list", "--output", "csv", "--columns", columns)
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    entries = {entry["id"]: entry for entry in user.listed().values()}
    assert set(rows) == set(entries)
    assert {image: entries[image]["name"] for image in images} == images
    for image, row in rows.items():
        assert not row["name"].startswith(("=", "+", "@", "-"))
        found = {column: undefused(cell) for column, cell in row.items()}
        assert found == {column: str(entries[image].get(column) or "") for column in found}
    assert undefused(rows[next(iter(images))]["description"]) == told
    console = list(csv.reader(io.StringIO(user.ok("image", "list", "--output", "csv"), newline="")))
    assert {len(row) for row in console} == {len(console[0])}
    lines = user.ok("image", "list", "--output", "jsonl").splitlines()
    assert len(console) - 1 == len(lines)
    assert {json.loads(line)["id"] for line in lines} == set(rows)


def test_delete_undelete_and_gc(user):
    image = user.made("replicate", "data", "--name", "going")["id"]
    objects = user.objects(image)
    user.refused(2, "image", "delete", "going")  # nobody to ask
    user.ok("image", "delete", "going", "--yes", "--dry-run")
    assert "going" in user.listed()
    user.ok("image", "delete", "going", "--yes")
    assert "going" not in user.listed()
    assert "going" in user.listed("--status", "pending-delete")
    user.ok("library", "gc", "--yes", *key(user))
    assert user.objects(image) == objects  # the grace time is not over
    user.ok("image", "undelete", "going")
    user.holds("going", disk(user))
    user.ok("image", "delete", "going", "--yes")
    user.ok("library", "gc", "--yes", "--grace", "0m", *key(user))
    assert user.objects(image) == {}
    user.refused(14, "image", "undelete", "going")
    user.holds("data", disk(user))


def test_show_and_history(user):
    image = user.made("replicate", "data", "--name", "told")["id"]
    user.ok("image", "set", "told", "--description", "said")
    user.ok("image", "tag", "told", "a=1")
    (shown,) = user.results("image", "show", "told")
    source = user.listed()["data"]
    assert shown["entry"]["disks"][0]["digest"] == source["disks"][0]["digest"]
    made_of = (shown["entry"]["source_name"], shown["entry"]["source_format"])
    assert made_of == ("data.raw", "raw")
    assert shown["entry"]["from_image"] == source["id"]
    (told,) = user.results("image", "history", "told")
    changes = told["changes"]
    assert [one["kind"] for one in changes] == ["created", "attributes", "tags"]
    assert all(one["who"] and one["time"] for one in changes)
    before = user.ok("image", "list", "--output", "json", *key(user))
    user.ok("library", "rebuild", *key(user))
    user.ok("library", "sync", "--key", VAULT)  # each key opens its images
    assert user.ok("image", "list", "--output", "json", *key(user)) == before
    assert image in before
