"""The address book: an account is the key that its document says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diskwright.app import Diskwright
from diskwright.config import load
from diskwright.errors import InputUnreadable, KeyUnreadable, TargetExists, UsageError
from support.accounts import account


@pytest.fixture
def app(tmp_path):
    return Diskwright(load(data_dir=str(tmp_path / "data"), environment={"HOME": str(tmp_path)}))


@pytest.fixture
def ada(tmp_path):
    key = account("Ada")
    path = tmp_path / "ada.pub"
    path.write_bytes(key.public.encode())
    return key.public, str(path)


def test_an_account_is_known_by_its_name_or_its_file(app, ada):
    public, path = ada
    assert app.accounts() == ()
    added = app.add_account("ada", path)
    assert (added.id, added.label, added.fingerprint) == (public.id, "Ada", public.fingerprint)
    assert app.accounts() == (added,)
    assert app.account("ada") == ("ada", public)
    assert app.account(path) == ("Ada", public)
    app.remove_account("ada")
    assert app.accounts() == ()


def test_a_name_or_a_key_is_there_once(app, ada):
    app.add_account("ada", ada[1])
    with pytest.raises(TargetExists):
        app.add_account("ada", ada[1])
    with pytest.raises(TargetExists, match="as ada"):
        app.add_account("other", ada[1])


def test_what_is_none(app, ada, tmp_path):
    with pytest.raises(UsageError, match="no such account"):
        app.account("nobody")
    with pytest.raises(UsageError):
        app.remove_account("nobody")
    with pytest.raises(UsageError):
        app.add_account("a/b", ada[1])
    broken = tmp_path / "broken.pub"
    broken.write_text("{}")
    for wanted in (lambda: app.account(str(broken)), lambda: app.add_account("x", str(broken))):
        with pytest.raises(KeyUnreadable):
            wanted()


@pytest.mark.parametrize("field", ["id", "fingerprint", "public"])
def test_another_key_under_a_name_is_noticed(app, ada, tmp_path, field):
    app.add_account("ada", ada[1])
    path = Path(app.settings.data_dir) / "accounts.json"
    book = json.loads(path.read_text())
    other = account("Eve").public
    book["accounts"][0][field] = {
        "id": other.id,
        "fingerprint": other.fingerprint,
        "public": other.encode().decode(),
    }[field]
    path.write_text(json.dumps(book))
    with pytest.raises(InputUnreadable):
        app.account("ada")
