"""The root of the error tree (drawn in `diskwright.errors`)."""

from __future__ import annotations

from typing import ClassVar


class DiskwrightError(Exception):
    """The root. A subclass is a dataclass whose fields are the facts of what happened."""

    exit_code: ClassVar[int] = 1
    kind: ClassVar[str] = "bug"
    template: ClassVar[str] = "something went wrong inside diskwright"
    hint_template: ClassVar[str] = "run again with --debug and report the traceback"

    def facts(self) -> dict[str, object]:
        """The fields by name, as they were given."""
        return {name: getattr(self, name) for name in getattr(self, "__dataclass_fields__", ())}

    @property
    def code(self) -> str:
        """A short stable name for machines: the class name in kebab case, unless a field says."""
        given = self.facts().get("code_name")
        return given if isinstance(given, str) else _kebab(type(self).__name__)

    @property
    def message(self) -> str:
        return self.template.format_map(self.facts())

    @property
    def hint(self) -> str:
        given = self.facts().get("hint_text")
        if isinstance(given, str) and given:
            return given
        return self.hint_template.format_map(self.facts())

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.facts()))


def _rebuild(cls: type[DiskwrightError], facts: dict[str, object]) -> DiskwrightError:
    return cls(**facts)


def _kebab(name: str) -> str:
    return "".join("-" + c.lower() if c.isupper() else c for c in name).lstrip("-")
