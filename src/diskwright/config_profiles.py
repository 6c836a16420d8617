"""Target profiles: TOML files with limits, each with its source, read into values.

A profile may build on a shipped one, `extends = "huawei-ims"`: what it has itself counts, of
`severities` and `rule_sources` line by line, and the rest is that one's. `[[accept]]` takes a
finding into account on every image, with a reason and, if it is to end, a day: `until`.
"""

from __future__ import annotations

import os
import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from diskwright.errors import UsageError
from diskwright.model.finding import Accepted, Result
from diskwright.model.profile import Profile
from diskwright.model.times import checked_day
from diskwright.model.units import parse_size
from diskwright.rules import known_rule_ids

_SIZES = (
    "size_multiple",
    "system_disk_minimum",
    "system_disk_maximum",
    "data_disk_minimum",
    "data_disk_maximum",
    "object_maximum",
    "memory_minimum",
    "disk_minimum",
)
_LISTS = ("accepted_formats", "architectures", "boot_modes", "boot_modules")
_WORDS = ("server_side_encryption",)
_BY_RULE = ("severities", "rule_sources")
_SAYINGS = ("mends", "refusals")  # what the service does about a breach, in words, by rule
_TABLES = frozenset(
    {"preferred", "import", "accept", *_BY_RULE, *_SAYINGS, *_SIZES, *_LISTS, *_WORDS}
)
_SERVICES = ("", "ims", "ims-auto-config", "ims-fast")
_FILE_BYTES = 1 << 20
_HINT = (
    'as: extends = "huawei-ims"; a limit has value, source and date, '
    "[severities] a result by rule, [[accept]] id, reason and until"
)
_DEPTH = 4  # of profiles that build on one another


def profile_names() -> tuple[str, ...]:
    """The shipped profiles, sorted."""
    names = (entry.name for entry in _folder().iterdir())
    return tuple(sorted(n.removesuffix(".toml") for n in names if n.endswith(".toml")))


def load_profile(name: str) -> Profile:
    """A shipped profile, or one of the user's: a path with a slash, or that ends in .toml.

    The user's is known by its file's name without the ending. Raises UsageError for a name that
    there is none of, and for a file that is no profile.
    """
    if "/" in name or name.endswith(".toml"):
        stem = os.path.basename(name).removesuffix(".toml")
        return parse_profile(stem, _text_of(name))
    return parse_profile(name, _shipped(name))


def _shipped(name: str) -> str:
    if name not in profile_names():
        known = ", ".join(profile_names())
        raise UsageError(
            f"there is no profile {name}",
            f"profiles: {known}; --profile also takes a file of yours: ./mine.toml",
        )
    return (_folder() / f"{name}.toml").read_text()


def _text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(_FILE_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise UsageError(f"profile {path}: {reason}", _HINT) from error
    if len(text) > _FILE_BYTES:
        raise UsageError(f"profile {path}: it is longer than {_FILE_BYTES} bytes", _HINT)
    return text


def parse_profile(name: str, text: str) -> Profile:
    """Raises UsageError for what it does not know, and for a limit without source and date."""
    try:
        return _profile(name, _whole(tomllib.loads(text)))
    except (KeyError, TypeError, ValueError) as error:
        reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise UsageError(f"profile {name}: {reason}", _HINT) from error


def _whole(raw: dict[str, Any], depth: int = 1) -> dict[str, Any]:
    """With what it builds on."""
    base = raw.pop("extends", None)
    if base is None:
        return raw
    if depth >= _DEPTH:
        raise ValueError(f"it builds on more than {_DEPTH - 1} others")
    below = _whole(tomllib.loads(_shipped(str(base))), depth + 1)
    by_rule = {key: {**below.get(key, {}), **raw.get(key, {})} for key in _BY_RULE}
    return {**below, **raw, **by_rule}


def _profile(name: str, raw: dict[str, Any]) -> Profile:
    unknown = set(raw) - _TABLES - {"title"}
    if unknown:
        raise ValueError(f"{min(unknown)} is not known")
    preferred, severities = raw["preferred"], raw.get("severities", {})
    sayings = {key: _sayings(key, raw[key]) for key in _SAYINGS if key in raw}
    service = str(raw.get("import", {}).get("service", ""))
    if service not in _SERVICES:
        raise ValueError(f"there is no service {service}")
    rule_sources = {str(rule): str(text) for rule, text in raw.get("rule_sources", {}).items()}
    accepted = tuple(_accepted(entry) for entry in raw.get("accept", ()))
    named = (*severities, *rule_sources, *(rule for said in sayings.values() for rule in said))
    for rule in (*named, *(entry.id for entry in accepted)):
        if rule not in known_rule_ids():
            raise ValueError(f"no rule has the id {rule}")
    for result in severities.values():
        Result(result)
    limited = (*_SIZES, *_LISTS, *_WORDS, "preferred", *({"import", *_SAYINGS} & raw.keys()))
    sizes = {key: _size(raw[key]["value"]) for key in _SIZES}
    lists = {key: tuple(str(item) for item in raw[key]["value"]) for key in _LISTS}
    return Profile(
        name=name,
        title=str(raw["title"]),
        preferred_format=str(preferred["format"]),
        preferred_subformat=str(preferred.get("subformat", "")),
        compressed=bool(preferred["compressed"]),
        accepted_formats=lists["accepted_formats"],
        size_multiple=sizes["size_multiple"],
        system_disk_minimum=sizes["system_disk_minimum"],
        system_disk_maximum=sizes["system_disk_maximum"],
        data_disk_minimum=sizes["data_disk_minimum"],
        data_disk_maximum=sizes["data_disk_maximum"],
        object_maximum=sizes["object_maximum"],
        memory_minimum=sizes["memory_minimum"],
        disk_minimum=sizes["disk_minimum"],
        architectures=lists["architectures"],
        boot_modes=lists["boot_modes"],
        boot_modules=lists["boot_modules"],
        service=service,
        server_side_encryption=str(raw["server_side_encryption"]["value"]),
        sources={key: _source(key, raw[key]) for key in limited} | rule_sources,
        severities={str(rule): str(result) for rule, result in severities.items()},
        mends=sayings.get("mends", {}),
        refusals=sayings.get("refusals", {}),
        accepted=accepted,
    )


def _sayings(key: str, raw: dict[str, Any]) -> dict[str, str]:
    """By rule id. Source and date are said once for all of them."""
    if raw.get("rules"):
        _source(key, raw)
    return {str(rule): str(text) for rule, text in raw["rules"].items()}


def _accepted(raw: dict[str, Any]) -> Accepted:
    unknown = set(raw) - {"id", "reason", "until"}
    if unknown:
        raise ValueError(f"{min(unknown)} is not known in [[accept]]")
    if not str(raw["reason"]).strip():
        raise ValueError(f"[[accept]] of {raw['id']} needs a reason")
    return Accepted(
        str(raw["id"]), str(raw["reason"]), checked_day(str(raw["until"])) if "until" in raw else ""
    )


def _size(value: object) -> int:
    return value if isinstance(value, int) else parse_size(str(value))


def _source(key: str, limit: dict[str, Any]) -> str:
    if not limit["source"] or not limit["date"]:
        raise ValueError(f"{key} has no source or date")
    return f"{limit['source']} (as of {limit['date']})"


def _folder() -> Traversable:
    return files("diskwright") / "rules" / "profiles"
