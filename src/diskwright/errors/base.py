"""The root of the error tree (drawn in `diskwright.errors`)."""

from __future__ import annotations

from typing import ClassVar, dataclass_transform

_NOT_GIVEN = object()


@dataclass_transform(eq_default=False)
class DiskwrightError(Exception):
    """The root. What a subclass annotates are its fields: the facts of what happened.

    They are given by place or by name as to a dataclass, which takes ten times as long to define.
    """

    exit_code: ClassVar[int] = 1
    kind: ClassVar[str] = "bug"
    template: ClassVar[str] = "something went wrong inside diskwright"
    hint_template: ClassVar[str] = "run again with --debug and report the traceback"

    _defaults: ClassVar[dict[str, object]] = {}  # by field

    def __init_subclass__(cls) -> None:
        annotated = cls.__annotations__.items()  # as texts, in our own modules
        own = [name for name, kind in annotated if "ClassVar" not in str(kind)]
        cls._defaults = cls._defaults | {name: vars(cls).get(name, _NOT_GIVEN) for name in own}

    def __init__(self, *facts: object, **named: object) -> None:
        given = dict(zip(self._defaults, facts, strict=False))
        wrong = len(facts) > len(given) or given.keys() & named or named.keys() - self._defaults
        told = self._defaults | given | named
        if wrong or any(fact is _NOT_GIVEN for fact in told.values()):
            asked = ", ".join(self._defaults) or "nothing"
            raise TypeError(f"{type(self).__name__} takes {asked}, and was given {facts}, {named}")
        self.__dict__.update(told)

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.facts().items())
        return f"{type(self).__name__}({told})"

    def facts(self) -> dict[str, object]:
        """The fields by name, as they were given."""
        return {name: getattr(self, name) for name in self._defaults}

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
