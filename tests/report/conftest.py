"""A browser with the network cut: pages are opened from files, and every request that they make is written down."""

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

_SWITCHES = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


class Opened(NamedTuple):
    """A page in the browser, and what it said and asked for."""

    page: object
    said: list
    asked: list


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install 'isthmus[test]'"
    )
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: apt install chromium")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=path, args=_SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium):
    """`with opened(path, width=..., ...) as (page, said, asked)`: a file in a new window without a network."""

    @contextmanager
    def open_file(path, *, width=1280, height=800, scheme="light", script=True, ready=True, before=None):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, java_script_enabled=script, offline=True,
            accept_downloads=True,
        )  # fmt: skip
        page, said, asked = context.new_page(), [], []
        if before is not None:
            page.add_init_script(before)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(Path(path).as_uri())
        if script and ready:
            page.wait_for_selector("html[data-ready]", timeout=30_000, state="attached")
        try:
            yield Opened(page, said, asked)
        finally:
            context.close()

    return open_file
