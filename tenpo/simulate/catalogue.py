"""The chain's articles: names, departments, prices before tax, reduced and normal tax rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Department: tax rate in percent, typical price in yen before tax, names.
_DEPARTMENTS: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "食品": (8, 260, ("おにぎり 鮭", "食パン 六枚切", "クッキー缶", "はちみつ", "味噌 500g",
                    "梅干し", "グラノーラ", "オリーブ油")),
    "飲料": (8, 190, ("緑茶 600ml", "珈琲豆 深煎", "りんご果汁", "炭酸水", "ほうじ茶～香ばし～",  # noqa: RUF001 - Windows-31J differs from Shift_JIS here
                    "髙原牛乳")),
    "酒類": (10, 980, ("純米吟醸", "赤ワイン", "白ワイン", "クラフトビール", "梅酒")),
    "日用品": (10, 380, ("洗剤 詰替①", "歯ブラシ", "ティッシュ 5箱", "スポンジ", "電池 単三",
                      "ごみ袋 45L", "石鹸")),
    "文具": (10, 320, ("ノート A5", "ボールペン 黒", "付箋", "手帳", "封筒 長3")),
    "食器": (10, 1280, ('マグカップ "白", 大', "飯碗", "箸 二膳", "グラス", "平皿 21cm")),
    "衣料": (10, 2480, ("Tシャツ 白", "靴下 三足", "手ぬぐい", "トートバッグ", "ニット帽",
                     "エプロン")),
    "化粧品": (10, 1650, ("化粧水", "ハンドクリーム", "リップ", "日焼け止め", "入浴剤")),
}  # fmt: skip

_SIZES = ("", " 小", " 大", " 限定")


@dataclass(frozen=True)
class Catalogue:
    """Articles as parallel lists.

    Args:
        sku: 13-digit article numbers.
        name: names, in characters that Windows-31J can write.
        department: department of each.
        rate: tax rate in percent.
        net_price: price before tax, whole yen.
        gross_price: price with tax, whole yen.
        weight: how often each is bought; sums to 1.
    """

    sku: tuple[str, ...]
    name: tuple[str, ...]
    department: tuple[str, ...]
    rate: np.ndarray[tuple[int], np.dtype[np.int64]]
    net_price: np.ndarray[tuple[int], np.dtype[np.int64]]
    gross_price: np.ndarray[tuple[int], np.dtype[np.int64]]
    weight: np.ndarray[tuple[int], np.dtype[np.float64]]


def make_catalogue(rng: np.random.Generator) -> Catalogue:
    """Draw prices and popularity; names and numbers are always the same."""
    articles = [
        (department, rate, typical, name + size)
        for department, (rate, typical, names) in _DEPARTMENTS.items()
        for name in names
        for size in _SIZES
    ]
    typical_prices = np.array([typical for _, _, typical, _ in articles])
    net = np.maximum(3, np.rint(typical_prices * rng.lognormal(0, 0.35, len(articles)) / 10)) * 10
    net_price = net.astype(np.int64) - 2 * (rng.random(len(articles)) < 0.5)
    rates = np.array([rate for _, rate, _, _ in articles], dtype=np.int64)
    popularity = 1 / (1 + rng.permutation(len(articles))) ** 0.7
    popularity *= (500 / typical_prices) ** 0.6
    return Catalogue(
        sku=tuple(_article_number(number) for number in range(len(articles))),
        name=tuple(name for *_, name in articles),
        department=tuple(department for department, *_ in articles),
        rate=rates,
        net_price=net_price,
        gross_price=net_price * (100 + rates) // 100,
        weight=popularity / popularity.sum(),
    )


def _article_number(number: int) -> str:
    """A JAN-13 in the range for use within a company (prefix 20), with its check digit."""
    body = f"20{number + 1:010d}"
    odd, even = (sum(map(int, body[start::2])) for start in (0, 1))
    return f"{body}{-(odd + 3 * even) % 10}"
