"""A descriptor's XML as a small tree: bounded, without a document type and without entities.

Names of the namespaces that an OVF descriptor is made of lose them, others keep theirs: two names
are equal only where they mean the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from diskwright._values import Struct, field
from diskwright.formats import limits
from diskwright.formats.source import ImageSource

_CODE = "descriptor-unreadable"
_KNOWN = (
    "http://schemas.dmtf.org/ovf/envelope/1",
    "http://schemas.dmtf.org/ovf/envelope/2",
    "http://www.vmware.com/schema/ovf/1/envelope",
    "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData",
    "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_StorageAllocationSettingData",
    "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData.xsd",
)


class Element(Struct):
    name: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own, without its children's; at most limits.OVF_TEXT_CHARACTERS."""
        return "".join(self.pieces).strip()[: limits.OVF_TEXT_CHARACTERS]

    def all(self, name: str) -> Iterator[Element]:
        return (child for child in self.children if child.name == name)

    def first(self, name: str) -> Element | None:
        return next(self.all(name), None)

    def text_of(self, name: str) -> str:
        """Of the first child of that name; empty where there is none."""
        child = self.first(name)
        return "" if child is None else child.text

    def get(self, name: str) -> str:
        return self.attributes.get(name, "").strip()[: limits.OVF_TEXT_CHARACTERS]


def parse(source: ImageSource) -> Element:
    """The root of the document that `source` is. Raises ImageUnsafe, ImageBroken."""
    if source.size > limits.OVF_BYTES:
        raise source.broken("table-too-large", f"a descriptor of {source.size} bytes")
    tree = _Tree(source)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.characters
    parser.StartDoctypeDeclHandler = tree.refuse_declaration
    parser.EntityDeclHandler = tree.refuse_declaration
    parser.ExternalEntityRefHandler = tree.refuse_declaration
    try:
        parser.Parse(source.read(0, source.size), True)
    except expat.ExpatError as error:
        detail = (
            f"a descriptor that is no XML: line {error.lineno}: {expat.ErrorString(error.code)}"
        )
        raise source.broken(_CODE, detail) from error
    except (ValueError, LookupError) as error:  # an encoding that Python does not have
        raise source.broken(_CODE, "a descriptor in an unknown encoding") from error
    return tree.root


class _Tree:
    def __init__(self, source: ImageSource) -> None:
        self._source = source
        self._open: list[Element] = []
        self._count = 0
        self.root = Element("", {})

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1 + len(attributes)
        if self._count > limits.OVF_NODES or len(self._open) >= limits.OVF_DEPTH:
            raise self._source.broken("table-too-large", "a descriptor with too many elements")
        plain: dict[str, str] = {}
        for key, value in attributes.items():
            if _local(key) in plain:
                detail = f"an element with two attributes {_local(key)}"
                raise self._source.broken(_CODE, detail)
            plain[_local(key)] = value
        element = Element(_local(name), plain)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def characters(self, text: str) -> None:
        self._open[-1].pieces.append(text)

    def refuse_declaration(self, *_: object) -> int:
        raise self._source.unsafe("xml-entities", "a descriptor that declares types or entities")


def _local(name: str) -> str:
    namespace, _, local = name.rpartition(" ")
    return local if namespace.rstrip("/") in _KNOWN or not namespace else name
