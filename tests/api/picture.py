"""Pictures of the dashboard for the README, taken in headless Chromium of a running API.

`python -m tests.api.picture URL TOKEN [FOLDER]` writes `dashboard.png` and `dashboard-phone.png`.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

WIDE = (1280, 1120)
PHONE = (390, 844)
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def chromium() -> str | None:
    """Where Chromium is: `TENPO_CHROMIUM`, else on the PATH."""
    named = os.environ.get("TENPO_CHROMIUM")
    if named:
        return named
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def launched(executable: str) -> Iterator[Browser]:
    """A headless browser that talks to nobody by itself."""
    arguments = list(_ARGUMENTS)
    if os.geteuid() == 0:  # Chromium's sandbox refuses to run as root
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def signed_in(context: BrowserContext, url: str, token: str, query: str = "") -> Page:
    """A page with the dashboard, its figures and its chart drawn."""
    page = context.new_page()
    page.goto(f"{url}/login?token={token}")
    if query:
        page.goto(f"{url}/?{query}")
    wait_for_figures(page)
    return page


def wait_for_figures(page: Page) -> None:
    """Until the newest answer is on the page, charts included."""
    page.wait_for_selector("#figures[aria-busy=false]")
    page.wait_for_selector("#outlook-card:not([aria-busy=true])", state="attached")


def take_picture(
    url: str,
    token: str,
    path: Path,
    *,
    size: tuple[int, int] = WIDE,
    query: str = "",
    dark: bool = False,
    whole: bool = False,
) -> None:
    """Write one picture of the dashboard.

    Args:
        url: of the running API.
        token: a read token.
        path: of the PNG to write.
        size: of the window, in CSS pixels.
        query: of the dashboard's address, e.g. `range=28d&lang=ja`.
        dark: as on a system in dark mode.
        whole: the whole page rather than one window of it.

    Raises:
        FileNotFoundError: there is no Chromium.
    """
    executable = chromium()
    if executable is None:
        raise FileNotFoundError("no Chromium: set TENPO_CHROMIUM or install Debian's chromium")
    width, height = size
    with launched(executable) as browser:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=2,
            locale="en-GB",
            color_scheme="dark" if dark else "light",
        )
        page = signed_in(context, url, token, query)
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path, full_page=whole, animations="disabled")


def take_readme_pictures(url: str, token: str, folder: Path) -> None:
    """Write `dashboard.png`, a week by the hour, and `dashboard-phone.png`."""
    take_picture(url, token, folder / "dashboard.png", query="grain=hour", whole=True)
    take_picture(url, token, folder / "dashboard-phone.png", size=PHONE)


def main() -> None:
    """Take the README's two pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs/images"))
    given = parser.parse_args()
    take_readme_pictures(given.url, given.token, given.folder)


if __name__ == "__main__":
    main()
