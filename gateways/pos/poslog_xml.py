"""One element of a POSLog, its children looked up by name within its own namespace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element  # a name only, no parsing

from gateways.formats.xml_stream import local_name, namespace

_TRUE = ("true", "1")
#: Stands for no currency (ISO 4217).
_NO_CURRENCY = "XXX"


@dataclass(frozen=True)
class Node:
    """An element. Extensions of vendors lie in other namespaces and are not seen."""

    element: Element

    @property
    def own(self) -> str | None:
        """Its own text; None where it is empty."""
        return (self.element.text or "").strip() or None

    def children(self, name: str) -> list[Node]:
        """The children of a name."""
        return [Node(one) for one in self.element.findall(namespace(self.element) + name)]

    def child(self, name: str) -> Node | None:
        """The first child of a name."""
        found = self.element.find(namespace(self.element) + name)
        return None if found is None else Node(found)

    def descend(self, name: str) -> Node | None:
        """The first element of a name at any depth."""
        found = next(self.element.iter(namespace(self.element) + name), None)
        return None if found is None else Node(found)

    def names(self) -> list[str]:
        """Local names of the children of its own namespace."""
        mine = namespace(self.element)
        return [local_name(one) for one in self.element if namespace(one) == mine]

    def text(self, name: str) -> str | None:
        """Text of the first child of a name."""
        found = self.child(name)
        return found.own if found else None

    def attribute(self, name: str) -> str | None:
        """An attribute; None where it is absent or empty."""
        return (self.element.get(name) or "").strip() or None

    def flag(self, name: str) -> bool:
        """Whether an attribute, or a child in its place, says true."""
        return (self.attribute(name) or self.text(name) or "").lower() in _TRUE

    def currency(self) -> str | None:
        """The first currency that an amount within states."""
        return next(self._currencies(), None)

    def _currencies(self) -> Iterator[str]:
        for one in self.element.iter():
            for name in ("Currency", "CurrencyCode"):
                code = (one.get(name) or "").strip()
                if code and code != _NO_CURRENCY:
                    yield code
