"""What groups of stores are called, in English and Japanese."""

from __future__ import annotations

from tenpo.benchmark.groups import Group

_SIZES = {
    "small": ("below 250 m²", "250㎡未満"),
    "medium": ("250 to 1,000 m²", "250〜1,000㎡"),
    "large": ("1,000 m² and above", "1,000㎡以上"),
}


def group_name(group: Group) -> tuple[str, str]:
    """`fashion, JPY, below 250 m²`: as much of it as the group says."""
    en, ja = _SIZES.get(group.size_band, ("", ""))
    known = [part for part in (group.industry, group.currency) if part]
    return ", ".join([*known, *filter(None, [en])]), "・".join([*known, *filter(None, [ja])])
