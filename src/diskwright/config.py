"""Settings: the configuration file and the environment, read here and nowhere else.

Later wins: built-in defaults, the file (`--config`, `$DISKWRIGHT_CONFIG`, else config.toml in the
platform's folder), the environment (`DISKWRIGHT_…`), and what the caller or the command line says.
S3's credentials are left to boto3's own chain (`AWS_…`, shared files). Vault's variables are taken
as its own command takes them (`VAULT_ADDR`, `VAULT_TOKEN`, …, or `BAO_…`), below `DISKWRIGHT_…`.
"""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

from diskwright._values import Secretive, Struct, field, field_names, replace
from diskwright.errors import InputMissing, UsageError

FILE_LIMIT = 1 << 20


class S3Settings(Struct, frozen=True):
    """How to speak to an S3-compatible endpoint. Empty: not given, boto3's own default."""

    endpoint_url: str = ""
    region: str = ""
    addressing_style: Literal["auto", "path", "virtual"] = "auto"
    ca_bundle: str = ""
    proxy: str = ""
    credentials_profile: str = ""
    connect_timeout_s: int = 10
    read_timeout_s: int = 60
    patience_s: int = 60  # a store that says that it is busy is asked again for so long
    sse: Literal["", "none", "sse-kms", "sse-obs"] = ""  # empty: as the profile says
    kms_key_id: str = ""


class VaultSettings(Secretive, frozen=True):
    """How to speak to HashiCorp Vault or OpenBao. Empty: not given."""

    address: str = ""
    ca_cert: str = ""  # a PEM file; empty: the system's
    namespace: str = ""
    token_file: str = ""  # read where no variable gives the token; empty: ~/.vault-token
    # never from a configuration file
    token: str = ""


class Settings(Struct, frozen=True):
    """Empty strings are what nobody gave: to give one is an error, as `--key "$UNSET"` would be."""

    profile: str = "huawei-ims"
    to: str = ""
    key: str = ""
    passphrase_file: str = ""
    library: str = ""  # the one to work on; empty: the default of this workstation's list
    who: str = ""  # is written into the records of a library; empty: user@host
    state_dir: str = ""
    data_dir: str = ""  # catalogs, the list of libraries, servers
    osinfo_db: str = "/usr/share/osinfo"
    qemu_img: str = "qemu-img"
    qemu_nbd: str = "qemu-nbd"
    confinement: Literal["auto", "landlock", "bubblewrap"] = "auto"
    unconfined: bool = False
    threads: int = 0  # 0: one more than there are processors
    s3: S3Settings = field(default_factory=S3Settings)
    vault: VaultSettings = field(default_factory=VaultSettings)

    def with_s3(self, **changes: Any) -> Settings:
        """A copy with those S3 settings changed that are not None."""
        given = {
            name: _checked(S3Settings, name, value, f"s3.{name}")
            for name, value in changes.items()
            if value is not None
        }
        return replace(self, s3=replace(self.s3, **given))


def load(
    path: str | None = None, *, environment: Mapping[str, str] | None = None, **overrides: Any
) -> Settings:
    """Settings from file and environment; overrides that are None are left out.

    Raises UsageError for what it does not know and for values of a wrong kind, InputMissing for a
    file that was named and is not there.
    """
    env = os.environ if environment is None else environment
    settings = Settings()
    named = path or env.get("DISKWRIGHT_CONFIG")
    for name, value in _read_file(named, env).items():
        settings = _set(settings, name, value, where=named or "config.toml")
    settings = replace(settings, vault=_vaults_own(settings.vault, env))
    for variable, value in sorted(env.items()):
        if variable.startswith("DISKWRIGHT_") and variable != "DISKWRIGHT_CONFIG":
            settings = _set_from_environment(settings, variable, value)
    for name, value in overrides.items():
        if isinstance(value, S3Settings):
            settings = replace(settings, s3=value)
        elif isinstance(value, VaultSettings):
            settings = replace(settings, vault=value)
        elif value is not None:
            settings = _set(settings, name, value, where="settings")
    state = settings.state_dir or _state_dir(env)
    return replace(
        settings,
        state_dir=state,
        data_dir=settings.data_dir or _data_dir(env, state),
    )


def colour_wanted(*, terminal: bool, environment: Mapping[str, str] | None = None) -> bool:
    """Colour is for a terminal whose user has not set NO_COLOR (no-color.org)."""
    env = os.environ if environment is None else environment
    return terminal and not env.get("NO_COLOR")


def _read_file(named: str | None, env: Mapping[str, str]) -> dict[str, Any]:
    path = named or os.path.join(_config_dir(env), "config.toml")
    try:
        with open(path, "rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except FileNotFoundError:
        if named:
            raise InputMissing(named) from None
        return {}
    except OSError as error:
        raise UsageError(f"{path}: can't be read: {error.strerror}") from error
    if len(data) > FILE_LIMIT:
        raise UsageError(f"{path}: too large for a configuration file")
    import tomllib  # most have no such file

    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: {error}", "correct the file; see README, Configuration"
        ) from error


def _config_dir(env: Mapping[str, str]) -> str:
    base = env.get("XDG_CONFIG_HOME")
    if base:
        return os.path.join(base, "diskwright")
    from platformdirs import user_config_dir

    return user_config_dir("diskwright")


def _state_dir(env: Mapping[str, str]) -> str:
    base = env.get("XDG_STATE_HOME")
    if base:
        return os.path.join(base, "diskwright")
    from platformdirs import user_state_dir

    return user_state_dir("diskwright")


def _data_dir(env: Mapping[str, str], state: str) -> str:
    """Beneath `state` for who has no home: a service's user, say."""
    base = env.get("XDG_DATA_HOME")
    if base:
        return os.path.join(base, "diskwright")
    from platformdirs import user_data_dir

    try:
        return user_data_dir("diskwright")
    except RuntimeError:
        return os.path.join(state, "data")


def who_of(settings: Settings) -> str:
    """Who is named in the records of a library. Asked only by verbs that write some: the system's
    database of users is read for it."""
    if settings.who:
        return settings.who
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user need not have an entry
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _vaults_own(given: VaultSettings, env: Mapping[str, str]) -> VaultSettings:
    """With what the variables of Vault's and OpenBao's own commands say; the latter's win."""
    for prefix in ("VAULT_", "BAO_"):
        found = {
            "address": env.get(f"{prefix}ADDR"),
            "ca_cert": env.get(f"{prefix}CACERT"),
            "namespace": env.get(f"{prefix}NAMESPACE"),
            "token": env.get(f"{prefix}TOKEN"),
        }
        given = replace(given, **{name: value for name, value in found.items() if value})
    if not given.token_file and env.get("HOME"):
        given = replace(given, token_file=os.path.join(env["HOME"], ".vault-token"))
    return given


_TABLES: dict[str, type[S3Settings] | type[VaultSettings]] = {
    "s3": S3Settings,
    "vault": VaultSettings,
}
_NOT_SET_HERE = {*_TABLES, "token"}


def _set(settings: Settings, name: str, value: Any, *, where: str) -> Settings:
    if name in _TABLES:
        if not isinstance(value, dict):
            raise UsageError(f"{where}: [{name}] is a table")
        table = getattr(settings, name)
        for key, item in value.items():
            checked = _checked(_TABLES[name], key, item, f"{where}: {name}.{key}")
            table = replace(table, **{key: checked})
        return replace(settings, **{name: table})
    return replace(settings, **{name: _checked(Settings, name, value, f"{where}: {name}")})


_Table = type[Settings] | type[S3Settings] | type[VaultSettings]


def _checked(cls: _Table, name: str, value: Any, where: str) -> Any:
    defaults = {n: getattr(cls(), n) for n in field_names(cls) if n not in _NOT_SET_HERE}
    if name not in defaults:
        raise UsageError(f"{where}: no such setting", f"known: {', '.join(sorted(defaults))}")
    if type(value) is not type(defaults[name]):
        raise UsageError(f"{where}: {type(defaults[name]).__name__} expected")
    if value == "":
        raise UsageError(f"{where} is empty", "give it a value, or leave it out")
    hint = get_type_hints(cls)[name]
    if get_origin(hint) is Literal and value not in get_args(hint):
        known = ", ".join(repr(choice) for choice in get_args(hint) if choice)
        raise UsageError(f"{where}: {value!r} is not one of {known}")
    return value


def _set_from_environment(settings: Settings, variable: str, text: str) -> Settings:
    name = variable.removeprefix("DISKWRIGHT_").lower()
    cls: _Table = Settings
    table, _, inner = name.partition("_")
    if table in _TABLES:
        cls, name = _TABLES[table], inner
    default = getattr(cls(), name, None)
    value: Any = text
    if isinstance(default, bool):
        if text.lower() not in {"0", "1", "true", "false", "yes", "no"}:
            raise UsageError(f"{variable}: yes or no expected")
        value = text.lower() in {"1", "true", "yes"}
    elif isinstance(default, int):
        if not text.isdigit():
            raise UsageError(f"{variable}: a number expected")
        value = int(text)
    if cls is not Settings:
        return _set(settings, table, {name: value}, where=variable)
    return _set(settings, name, value, where=variable)
