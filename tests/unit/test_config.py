"""Settings come from file, environment and caller, in that order, and nothing wrong is ignored."""

from __future__ import annotations

from pathlib import Path

import pytest

from diskwright.config import load
from diskwright.errors import InputMissing, UsageError


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return str(path)


def test_later_wins(tmp_path):
    path = written(tmp_path, 'profile = "file"\nto = "file"\nkey = "file"\n[s3]\nregion = "file"')
    environment = {
        "DISKWRIGHT_TO": "variable",
        "DISKWRIGHT_KEY": "variable",
        "DISKWRIGHT_S3_READ_TIMEOUT_S": "7",
        "DISKWRIGHT_UNCONFINED": "yes",
    }
    settings = load(path, environment=environment, key="caller", to=None)
    assert (settings.profile, settings.to, settings.key) == ("file", "variable", "caller")
    assert (settings.s3.region, settings.s3.read_timeout_s) == ("file", 7)
    assert settings.unconfined is True
    assert settings.with_s3(region="option", sse=None).s3.region == "option"


def test_the_platforms_file_is_found_and_may_be_missing(tmp_path):
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    assert load(environment=environment).profile == "huawei-ims"
    (tmp_path / "diskwright").mkdir()
    (tmp_path / "diskwright" / "config.toml").write_text('profile = "mine"')
    settings = load(environment=environment)
    assert settings.profile == "mine"
    assert settings.state_dir == str(tmp_path / "state" / "diskwright")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("nonsense = 1", "no such setting"),
        ("profile = 1", "str expected"),
        ("threads = true", "int expected"),
        ("s3 = 1", "is a table"),
        ('[s3]\naddressing_style = "sideways"', "is not one of"),
        ("profile = ", "Invalid value"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path, text, word):
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load(path, environment={})
    assert word in caught.value.message
    assert path in caught.value.message


@pytest.mark.parametrize(
    "environment",
    [
        {"DISKWRIGHT_NONSENSE": "1"},
        {"DISKWRIGHT_THREADS": "many"},
        {"DISKWRIGHT_UNCONFINED": "perhaps"},
        {"DISKWRIGHT_S3_SSE": "rot13"},
    ],
)
def test_a_wrong_variable_is_refused_by_name(environment):
    with pytest.raises(UsageError, match=next(iter(environment))):
        load(environment={"XDG_CONFIG_HOME": "/nonexistent", **environment})


def test_a_named_file_has_to_be_there(tmp_path):
    with pytest.raises(InputMissing):
        load(str(tmp_path / "none.toml"), environment={})


def test_a_caller_is_told_of_a_setting_that_is_not_known():
    with pytest.raises(UsageError, match="no such setting"):
        load(environment={"XDG_CONFIG_HOME": "/nonexistent"}, colour="red")


def test_vaults_own_variables_are_taken_and_openbaos_win(tmp_path):
    path = written(tmp_path, '[vault]\naddress = "file"\nca_cert = "file"\nnamespace = "file"')
    environment = {
        "HOME": "/home/me",
        "VAULT_ADDR": "vault",
        "VAULT_CACERT": "vault",
        "VAULT_TOKEN": "secret-1",
        "VAULT_NAMESPACE": "",
        "BAO_ADDR": "bao",
    }
    vault = load(path, environment=environment).vault
    assert (vault.address, vault.ca_cert, vault.namespace) == ("bao", "vault", "file")
    assert vault.token == "secret-1"
    assert vault.token_file == "/home/me/.vault-token"
    assert "secret-1" not in repr(load(path, environment=environment))
    environment |= {"DISKWRIGHT_VAULT_ADDRESS": "ours", "DISKWRIGHT_VAULT_TOKEN_FILE": "/run/token"}
    vault = load(path, environment=environment).vault
    assert (vault.address, vault.token_file) == ("ours", "/run/token")


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        ('[vault]\ntoken = "secret-1"', {}),
        ("[vault]\naddress = 1", {}),
        ("vault = 1", {}),
        ("", {"DISKWRIGHT_VAULT_TOKEN": "secret-1"}),
        ("", {"DISKWRIGHT_VAULT": "x"}),
    ],
)
def test_a_token_is_no_setting_and_a_table_is_one(tmp_path, text, environment):
    with pytest.raises(UsageError) as caught:
        load(written(tmp_path, text), environment=environment)
    assert "secret-1" not in caught.value.message
