"""The dashboard in headless Chromium, over the API as a process and a real PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from tests.api.conftest import bearer
from tests.api.picture import PHONE, WIDE, chromium, launched, signed_in, wait_for_figures
from tests.api.seed import token_of

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        chromium() is None, reason="no Chromium: set TENPO_CHROMIUM or install Debian's chromium"
    ),
]
TILES = ("net_sales_amount", "footfall", "conversion_ratio", "atv_amount")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = chromium()
    assert executable is not None
    with launched(executable) as started:
        yield started


@dataclass
class Watch:
    """What a page did besides showing figures."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@dataclass
class Opener:
    """Opens dashboards and watches them."""

    browser: Browser
    url: str
    watch: Watch = field(default_factory=Watch)

    def __call__(
        self,
        tenant_id: str = "hinode",
        query: str = "",
        size: tuple[int, int] = WIDE,
        locale: str = "en-GB",
    ) -> Page:
        width, height = size
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, locale=locale, accept_downloads=True
        )
        context.on("request", self._note)
        context.on("console", self._hear)
        context.on("weberror", lambda e: self.watch.errors.append(str(e.error)))
        return signed_in(context, self.url, token_of(tenant_id), query)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.watch.errors.append(message.text)

    def _note(self, request: Request) -> None:
        self.watch.requests.append(request.url)


@pytest.fixture
def dashboard(browser: Browser, api_url: str) -> Iterator[Opener]:
    """Opens dashboards; afterwards there must be no error and no request to anybody else."""
    opener = Opener(browser, api_url)
    yield opener
    for context in browser.contexts:
        context.close()
    assert opener.watch.errors == []
    hosts = {urlsplit(u).hostname for u in opener.watch.requests if not u.startswith("data:")}
    assert {"127.0.0.1"} == {host for host in hosts if host}


def api_row(url: str, tenant_id: str = "hinode", **parameters: Any) -> dict[str, Any]:
    answer = httpx.get(
        f"{url}/v1/kpis", params={"grain": "total", **parameters}, headers=bearer(tenant_id)
    )
    (row,) = answer.raise_for_status().json()["rows"]
    found: dict[str, Any] = row
    return found


def shown_range(page: Page) -> dict[str, str]:
    return {"from": page.input_value("#from"), "to": page.input_value("#to")}


def tile(page: Page, name: str) -> str:
    return page.locator(f"#tiles [data-kpi={name}] .value").inner_text()


def assert_tiles_equal_the_api(page: Page, row: dict[str, Any]) -> None:
    for name in TILES:
        kept = page.get_attribute(f"#tiles [data-kpi={name}] .value", "data-value")
        assert kept == str(row["values"][name])
    digits = "".join(c for c in tile(page, "net_sales_amount") if c.isdigit())
    assert digits == row["values"]["net_sales_amount"]
    percent = Decimal(row["values"]["conversion_ratio"]) * 100
    assert tile(page, "conversion_ratio") == f"{percent:.1f}%"


def test_the_headline_is_the_apis(dashboard: Opener) -> None:
    page = dashboard()
    expect(page.locator("#title")).to_have_text("All stores")
    assert shown_range(page) == {"from": "2026-11-14", "to": "2026-11-20"}
    row = api_row(dashboard.url, **shown_range(page))
    assert_tiles_equal_the_api(page, row)
    expect(page.locator("#tiles [data-kpi=footfall]")).to_contain_text(
        "Coverage 95%: door counter silent"
    )
    before = api_row(dashboard.url, **{"from": "2026-11-07", "to": "2026-11-13"})
    sales = [Decimal(each["values"]["net_sales_amount"]) for each in (row, before)]
    change = (sales[0] / sales[1] - 1) * 100
    expect(page.locator("#tiles [data-kpi=net_sales_amount] .delta")).to_contain_text(
        f"{abs(change):.1f}%"
    )


def test_choosing_a_store_changes_everything(dashboard: Opener) -> None:
    page = dashboard()
    page.select_option("#store", "umeda")
    expect(page.locator("#title")).to_have_text("梅田店")
    wait_for_figures(page)
    assert_tiles_equal_the_api(page, api_row(dashboard.url, store="umeda", **shown_range(page)))
    expect(page.locator("#other-tiles")).to_be_hidden()
    expect(page.locator("#zones-card")).to_be_hidden()
    assert page.locator("#stores tbody tr").count() == 1
    page.go_back()
    expect(page.locator("#title")).to_have_text("All stores")
    wait_for_figures(page)
    assert page.locator("#stores tbody tr").count() == 5
    expect(page.locator("#other-tiles [data-kpi=capture_ratio] .value")).to_have_text("12.5%")
    assert page.locator("#zones tbody tr").count() == 2
    expect(page.locator("#zones [data-zone=shelf] th")).to_have_text("銀座店 · shelf")


def test_presets_and_dates_change_the_range(dashboard: Opener) -> None:
    page = dashboard()
    page.click("[data-preset='28d']")
    wait_for_figures(page)
    assert shown_range(page) == {"from": "2026-10-24", "to": "2026-11-20"}
    assert page.locator("[data-grain=hour]").is_disabled()
    expect(page.locator("#tiles [data-kpi=footfall]")).to_contain_text("No full earlier period")
    page.fill("#from", "2026-11-18")
    wait_for_figures(page)
    assert parse_qs(urlsplit(page.url).query)["from"] == ["2026-11-18"]
    assert_tiles_equal_the_api(page, api_row(dashboard.url, **shown_range(page)))
    page.click("[data-grain=hour]")
    wait_for_figures(page)
    page.reload()
    wait_for_figures(page)
    assert page.get_attribute("[data-grain=hour]", "aria-pressed") == "true"
    assert page.locator("#chart-table tbody tr").count() == 3 * 11


def test_japanese_is_whole_and_remembered(dashboard: Opener) -> None:
    page = dashboard()
    assert page.locator(".beside").count() == 0  # of all stores together there is nothing like it
    page.select_option("#store", "ginza")
    wait_for_figures(page)
    beside = page.locator("#tiles [data-kpi=conversion_ratio] .beside")
    like_it, industry = beside.all_inner_texts()
    assert re.fullmatch(r"Stores like yours: 2\d\.\d% to 2\d\.\d%, median 2\d\.\d%", like_it)
    assert industry == "Industry, 9 Nov – 15 Nov: 19% to 26%, median 22%"  # noqa: RUF001
    page.click("[data-lang=ja]")
    wait_for_figures(page)
    assert beside.nth(1).inner_text() == "業界(11/9〜11/15) 19%〜26%、中央値 22%"
    assert page.get_attribute("html", "lang") == "ja"
    expect(page.locator("#title")).to_have_text("銀座店")  # the choice survives the switch
    expect(page.locator("#tiles h2").first).to_contain_text("売上高(税抜)")
    assert "." not in tile(page, "net_sales_amount")
    assert_tiles_equal_the_api(page, api_row(dashboard.url, store="ginza", **shown_range(page)))
    assert page.locator("#heat thead th").all_inner_texts() == list("月火水木金土日")
    marked = page.locator("#heat td.power").count()
    expect(page.locator("#heat")).to_contain_text(f"週{marked}時間に来店しています")
    page.goto(dashboard.url)
    wait_for_figures(page)
    assert page.get_attribute("html", "lang") == "ja"


def test_the_chart_is_drawn_with_the_days_figures(dashboard: Opener) -> None:
    page = dashboard(query="from=2026-11-01&to=2026-11-07")
    drawn = page.evaluate(
        "() => document.getElementById('chart').data.map((trace) => [trace.type, trace.y])"
    )
    rows = httpx.get(
        f"{dashboard.url}/v1/kpis", params=shown_range(page), headers=bearer("hinode")
    ).json()["rows"]
    assert len(rows) == 7
    sales = [float(row["values"]["net_sales_amount"]) for row in rows]
    assert drawn[0] == ["bar", sales]
    assert drawn[1] == ["scatter", [row["values"]["footfall"] for row in rows]]
    assert page.evaluate("() => document.getElementById('chart')._fullLayout.yaxis.range[0]") == 0
    expect(page.locator("#chart")).to_contain_text("Holiday")
    assert "Highest net sales" in (page.get_attribute("#chart", "aria-label") or "")


def test_what_to_work_on_is_one_sentence(dashboard: Opener) -> None:
    page = dashboard()
    first = page.locator("#potential li").first
    expect(first).to_contain_text(
        "銀座店 Conversion is 18%; stores like yours reach 23%, worth ¥1.2m a month."
    )
    expect(page.locator("#potential")).to_contain_text("35 days of history")
    first.get_by_role("button").click()
    expect(page.locator("#title")).to_have_text("銀座店")
    expect(page.locator("#potential li[data-factor=atv]")).to_have_text(
        "The average receipt is ¥2,700, as good as stores like yours."
    )
    page.click("[data-lang=ja]")
    expect(page.locator("#potential li").first).to_have_text(
        "買上率は18%。似た店舗は23%に達しており、月￥120万の伸びしろがあります。"
    )
    page.select_option("#store", "sapporo")
    expect(page.locator("#potential")).to_contain_text("履歴が少なく")


def test_the_weeks_to_come_have_a_band(dashboard: Opener) -> None:
    page = dashboard()
    page.wait_for_function("() => document.getElementById('outlook').data?.length === 4")
    low, high, value, past = page.evaluate(
        "() => document.getElementById('outlook').data.map((trace) => [...trace.y])"
    )
    days = httpx.get(
        f"{dashboard.url}/v1/forecasts", params={"measure": "sales"}, headers=bearer("hinode")
    ).json()["days"]
    for drawn, name in ((low, "low"), (high, "high"), (value, "value")):
        assert drawn == [float(day[name]) for day in days]
    assert len(past) == 28
    assert page.evaluate("() => document.getElementById('outlook')._fullLayout.yaxis.range[0]") == 0
    assert "expected in the seven days" in (page.get_attribute("#outlook", "aria-label") or "")


def nowcast_of(store_id: str, so_far: str | None) -> dict[str, Any]:
    return {
        "store_id": store_id, "currency": "GBP", "measure": "sales", "business_date": "2026-11-21",
        "so_far": so_far, "value": "1200", "low": "1000", "high": "1500", "until_hour": 12,
    }  # fmt: skip


def test_today_is_told_without_a_run_of_the_models(dashboard: Opener) -> None:
    page = dashboard("corner")
    body = {"tenant_id": "corner", "stores": [nowcast_of("corner", "400")]}
    page.route("**/v1/nowcast*", lambda route: route.fulfill(json=body))
    page.reload()
    wait_for_figures(page)
    expect(page.locator("#today")).to_have_text(
        "Today £400.00 so far; £1,200.00 expected at its end, £1,000.00 to £1,500.00 likely."
    )
    expect(page.locator("#outlook-card")).to_be_hidden()
    line = """async (today) => {
      const main = document.querySelector("script[src$='/main.js']").src;
      const { todayLine } = await import(new URL("./outlook.js", main));
      return todayLine({ today }, { currency: "GBP" }, "sales");
    }"""
    for so_far, said in (
        (("400", "300"), "Today £700.00 so far; £2,400.00 expected at its end."),
        (("400", None), "Today £2,400.00 expected; not every store has sent hours of it yet."),
        ((None, None), "Today £2,400.00 expected; no hour of it has come in yet."),
    ):
        stores = [nowcast_of(f"s{n}", one) for n, one in enumerate(so_far)]
        assert page.evaluate(line, stores) == said


def test_stores_sort_by_any_column(dashboard: Opener) -> None:
    page = dashboard()

    def order() -> list[str | None]:
        return [row.get_attribute("data-store") for row in page.locator("#stores tbody tr").all()]

    assert order()[0] == "shinjuku"
    page.click("[data-sort=coverage_ratio]")
    page.click("[data-sort=coverage_ratio]")
    assert order()[0] == "umeda"
    sorted_by = page.locator("#stores [aria-sort=ascending]")
    expect(sorted_by).to_contain_text("Coverage")
    expect(page.locator("#stores tfoot")).to_contain_text(tile(page, "net_sales_amount"))
    page.click("#stores tr[data-store=umeda] button")
    expect(page.locator("#title")).to_have_text("梅田店")


def test_a_figure_explains_itself(dashboard: Opener) -> None:
    page = dashboard()
    page.locator("#tiles [data-kpi=conversion_ratio] .explain").focus()
    page.keyboard.press("Enter")
    panel = page.locator("#definition")
    expect(panel).to_be_visible()
    expect(panel).to_contain_text("covered_transactions ÷ covered_footfall")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.locator("#freshness button.warn").click()
    expect(panel).to_contain_text("umeda-door")


def test_a_pressed_figure_says_why_it_is_what_it_is(dashboard: Opener) -> None:
    page = dashboard(query="from=2026-10-31&to=2026-10-31&store=ginza")
    page.locator("#tiles [data-kpi=atv_amount] .value").focus()
    page.keyboard.press("Enter")
    panel = page.locator("#definition")
    expect(panel).to_contain_text("receipts came late or were corrected")
    expect(panel).to_contain_text(tile(page, "atv_amount").strip("¥"))
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page = dashboard(query="lang=ja")
    figure = page.locator("#stores tfoot [data-kpi=footfall] button")
    figure.scroll_into_view_if_needed()
    page.evaluate("() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
    figure.click()  # what scrolls closes the panel, so the scrolling has to be over
    expect(page.locator("#definition")).to_contain_text("umeda 11-20 10:00-21:00")
    expect(page.locator("#definition")).to_contain_text("営業時間の95.5%")


def test_weeks_months_and_last_year_can_be_chosen(dashboard: Opener) -> None:
    page = dashboard(query="from=2026-10-19&to=2026-11-15")
    page.click("[data-grain=week]")
    wait_for_figures(page)
    page.locator("#chart-table").locator("xpath=../summary").click()
    heads = page.locator("#chart-table tbody th")
    assert heads.all_inner_texts() == ["2026-W43", "2026-W44", "2026-W45", "2026-W46"]
    page.click("[data-grain=month]")
    expect(heads).to_have_text(["2026-10", "2026-11"])
    page.select_option("#against", "year")
    expect(page.locator("#range")).to_contain_text("16 Nov 2025")
    expect(page.locator("#tiles")).to_contain_text("No full earlier period")


def test_the_download_is_the_apis_csv(dashboard: Opener) -> None:
    page = dashboard()
    with page.expect_download() as coming:
        page.click("#csv")
    text = coming.value.path().read_text("utf-8")
    asked = {**shown_range(page), "by": "store", "format": "csv"}
    answer = httpx.get(f"{dashboard.url}/v1/kpis", params=asked, headers=bearer("hinode"))
    assert text.splitlines() == answer.text.splitlines()
    assert len(text.splitlines()) == 1 + 7 * 5


def test_currencies_are_shown_one_at_a_time(dashboard: Opener) -> None:
    page = dashboard("globe", query="from=2026-10-25&to=2026-10-25")
    assert page.input_value("#currency") == "JPY"
    assert tile(page, "net_sales_amount") == "¥24,000"
    page.select_option("#currency", "EUR")
    expect(page.locator("#tiles [data-kpi=net_sales_amount] .value")).to_have_text("€126.25")
    wait_for_figures(page)
    assert page.locator("#stores tbody tr").count() == 1


def test_a_shop_without_counters_gets_tiles_it_can_fill(dashboard: Opener) -> None:
    page = dashboard("corner")
    names = [each.get_attribute("data-kpi") for each in page.locator("#tiles .tile").all()]
    assert names == ["net_sales_amount", "transactions", "atv_amount", "upt"]
    assert "—" not in page.locator("#tiles").inner_text()


def test_nothing_yet_and_nothing_then_are_said(dashboard: Opener) -> None:
    page = dashboard("fresh")
    expect(page.locator("#empty")).to_contain_text("as soon as the first sales or counts")
    page = dashboard("hinode", query="from=2025-01-01&to=2025-01-02")
    expect(page.locator("#empty")).to_contain_text("No figures for these days")
    page.click("#empty button")
    expect(page.locator("#tiles")).to_be_visible()


def test_deliveries_say_what_became_of_them(dashboard: Opener) -> None:
    page = dashboard("hinode")
    rows = page.locator("#deliveries tbody tr")
    rows.first.wait_for()
    waiting, failed, good = rows.all_inner_texts()
    assert "Waiting" in waiting
    assert "Failed" in failed
    assert good.split()[-5:] == ["Done", "10", "8", "2", "0"]
    assert "no such store" not in page.locator("#deliveries").inner_text()
    for number in range(2):
        page.locator("#deliveries summary").nth(number).click()
    told = page.locator("#deliveries").inner_text()
    assert "Mend it." in told
    assert "3 · no such store" in told
    japanese = dashboard("hinode", "lang=ja")
    japanese.locator("#deliveries tbody tr").first.wait_for()
    assert "待機中" in japanese.locator("#deliveries").inner_text()


def test_deliveries_that_cannot_be_had_hide_no_figure(dashboard: Opener) -> None:
    empty = dashboard("globe")
    assert "No large files" in empty.locator("#deliveries p").inner_text()
    page = dashboard("globe", "from=2026-10-25&to=2026-10-25")
    page.route("**/v1/receipts*", lambda route: route.abort())
    page.reload()
    page.locator("#deliveries [role=alert]").wait_for()
    page.locator("#tiles [data-kpi=net_sales_amount] .value").wait_for()
    dashboard.watch.errors.clear()  # the browser's own word about the request


def test_an_outage_is_explained_and_can_be_retried(dashboard: Opener) -> None:
    page = dashboard()
    body = {"what": "the datamart does not answer", "remedy": "Wait."}
    page.route("**/v1/kpis*", lambda route: route.fulfill(status=503, json=body))
    page.select_option("#store", "ginza")
    expect(page.locator("#problem")).to_contain_text("the datamart does not answer")
    expect(page.locator("#problem")).to_contain_text("Wait.")
    page.unroute("**/v1/kpis*")
    page.click("#problem button")
    expect(page.locator("#problem")).to_be_hidden()
    wait_for_figures(page)
    assert_tiles_equal_the_api(page, api_row(dashboard.url, store="ginza", **shown_range(page)))
    expected = [e for e in dashboard.watch.errors if "503" in e]
    dashboard.watch.errors[:] = [e for e in dashboard.watch.errors if e not in expected]
    assert expected


@pytest.mark.parametrize("query", ["", "range=28d&lang=ja", "grain=hour&store=umeda"])
def test_a_phone_never_scrolls_sideways(dashboard: Opener, query: str) -> None:
    page = dashboard(query=query, size=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    for summary in page.locator("#content details summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


ACCESSIBLE = """() => {
  const name = (e) => (e.getAttribute('aria-label')
    || [...(e.labels ?? [])].map((l) => l.textContent).join('') || e.textContent || '').trim();
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  const refs = [...document.querySelectorAll('[aria-labelledby],[aria-describedby]')].flatMap(
    (e) => `${e.getAttribute('aria-labelledby') ?? ''} ${e.getAttribute('aria-describedby') ?? ''}`
      .trim().split(/\\s+/));
  return {
    controls: document.querySelectorAll('button, a, input, select').length,
    unnamed: [...document.querySelectorAll('button, a, input, select')]
      .filter((e) => !name(e)).map((e) => e.outerHTML),
    tables: [...document.querySelectorAll('table')].filter((t) => !t.caption).length,
    tableCount: document.querySelectorAll('table').length,
    heads: [...document.querySelectorAll('th')].filter((h) => !h.scope).length,
    doubled: ids.filter((id, i) => ids.indexOf(id) !== i && !['chart', 'outlook'].some(
        (drawn) => document.getElementById(drawn).contains(document.getElementById(id)))),
    dangling: refs.filter((id) => id !== 'definition-title' && !document.getElementById(id)),
    headings: document.querySelectorAll('h1').length,
    images: [...document.querySelectorAll('img')].filter((i) => i.alt === null).length,
    lang: document.documentElement.lang,
  };
}"""


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_control_is_named_and_every_table_captioned(dashboard: Opener, lang: str) -> None:
    found = dashboard(query=f"lang={lang}").evaluate(ACCESSIBLE)
    assert found.pop("controls") > 30
    assert found.pop("tableCount") == 6
    assert found == {
        "unnamed": [],
        "tables": 0,
        "heads": 0,
        "doubled": [],
        "dangling": [],
        "headings": 1,
        "images": 0,
        "lang": lang,
    }


CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgb = (c) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c;
    canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => { for (let at = e; at; at = at.parentElement) {
    const c = rgb(getComputedStyle(at).backgroundColor); if (c[3] === 255) return c; }
    return [255, 255, 255]; };
  const bad = []; let seen = 0;
  for (const e of document.querySelectorAll('main *, header *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const aside = e.closest('svg, .skip, .visually-hidden, :disabled');
    if (!own || aside || !e.checkVisibility()) continue;
    const style = getComputedStyle(e); seen += 1;
    const [a, b] = [light(rgb(style.color)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) bad.push(`${ratio.toFixed(2)} ${e.className} ${e.textContent.slice(0, 30)}`);
  }
  return { seen, bad };
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(dashboard: Opener, scheme: Any) -> None:
    page = dashboard()
    page.emulate_media(color_scheme=scheme)
    found = page.evaluate(CONTRAST)
    assert found["seen"] > 100
    assert found["bad"] == []


def test_the_keyboard_reaches_the_figures(dashboard: Opener) -> None:
    page = dashboard()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    reached = set()
    for _ in range(24):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"store", "from", "to", "explain"} <= reached


def test_signing_in_and_out_by_hand(dashboard: Opener) -> None:
    page = dashboard()
    page.click("header form button")
    expect(page.get_by_label("Read token")).to_be_focused()
    page.get_by_label("Read token").fill(token_of("globe"))
    page.keyboard.press("Enter")
    wait_for_figures(page)
    expect(page.locator(".tenant")).to_have_text("Globe")
