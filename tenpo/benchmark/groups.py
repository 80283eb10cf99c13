"""Groups of stores that are compared across tenants: industry, currency, size.

The bounds of size are those of Japanese statistics and law: below 250 m² of sales floor a shop is
no specialised supermarket in the Census of Commerce
(https://www.meti.go.jp/statistics/tyo/syougyo/result-2/h9/kakuho/gyoutai/index.html), above
1,000 m² the law on large retail stores and their neighbourhood applies
(https://www8.cao.go.jp/kisei-kaikaku/oto/otodb/english/houseido/hou/lh_06040.html).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

#: Sales floor in m² below which a store has that size.
_SIZES = ((250, "small"), (1_000, "medium"), (float("inf"), "large"))


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """Stores of an industry; an empty currency or size means those without a group of their own.

    Args:
        industry: in lower case.
        currency: ISO 4217 code.
        size_band: `small`, `medium` or `large`.
    """

    industry: str
    currency: str = ""
    size_band: str = ""

    @property
    def coarser(self) -> Group | None:
        """The group that this one's stores are pooled in; None at the end."""
        if self.size_band:
            return replace(self, size_band="")
        return replace(self, currency="") if self.currency else None

    @property
    def path(self) -> tuple[Group, ...]:
        """The group and all coarser ones, in that order."""
        return (self, *(self.coarser.path if self.coarser else ()))


def group_of(industry: str | None, currency: str, sales_area_m2: float | None) -> Group | None:
    """The finest group of a store; None where its industry is not known."""
    name = " ".join((industry or "").casefold().split())
    return Group(name, currency, _size_of(sales_area_m2)) if name else None


def _size_of(sales_area_m2: float | None) -> str:
    if sales_area_m2 is None:
        return ""
    return next(name for bound, name in _SIZES if sales_area_m2 < bound)
