"""The site: it builds without a warning and a network, loads nothing from elsewhere, and its links lead somewhere."""

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import isthmus
from document_blocks import blocks, commands, parse

ROOT = Path(__file__).parents[1]
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "audio": "src", "video": "src", "object": "data"}
LOADED_LINKS = ("stylesheet", "icon", "preload", "modulepreload", "manifest", "preconnect", "dns-prefetch")


class Page(HTMLParser):
    """What a page loads, where it links to, and the names of its places."""

    def __init__(self, path):
        super().__init__()
        self.loaded, self.links, self.places, self.styles = [], [], set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.places |= {given[key] for key in ("id", "name") if given.get(key)}
        self.styles.append(given.get("style") or "")
        if tag in LOADS and given.get(LOADS[tag]):
            self.loaded.append(given[LOADS[tag]])
        self.loaded += [part.split()[0] for part in (given.get("srcset") or "").split(",") if part.split()]
        if tag == "link" and set((given.get("rel") or "").split()) & set(LOADED_LINKS):
            self.loaded.append(given["href"])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])

    def handle_data(self, data):
        if self.lasttag == "style":
            self.styles.append(data)


def in_styles(text):
    """Addresses that a style sheet loads."""
    return re.findall(r"url\(\s*['\"]?([^'\")]+)", text) + re.findall(r"@import\s+['\"]([^'\"]+)", text)


def is_elsewhere(address):
    return bool(urlsplit(address).netloc)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    if importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("mkdocstrings") is None:
        pytest.skip("mkdocs is not installed: pip install 'isthmus[docs]'")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=300,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "http_proxy": "http://localhost:1", "https_proxy": "http://localhost:1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def pages(site):
    return {name: Page(path) for name, path in site.items() if name.endswith(".html")}


def test_nothing_is_loaded_from_elsewhere(site, pages):
    loaded = {
        (name, address) for name, page in pages.items() for address in [*page.loaded, *in_styles("\n".join(page.styles))]
    } | {
        (name, address) for name, path in site.items() if name.endswith((".css", ".svg"))
        for address in in_styles(path.read_text(encoding="utf-8"))
    }  # fmt: skip
    assert len(loaded) > len(pages)
    assert [each for each in sorted(loaded) if is_elsewhere(each[1])] == []


def test_every_link_leads_somewhere(site, pages):
    dead = []
    for name, page in pages.items():
        if name == "404.html":  # its addresses begin at the root of a server
            continue
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = os.path.normpath(Path(name).parent / unquote(parts.path)) if parts.path else name
            target = "index.html" if target == "." else target
            place = unquote(parts.fragment)
            if target not in site or (place and target in pages and place not in pages[target].places):
                dead.append((name, link))
    assert dead == []


def test_every_public_name_has_its_place(pages):
    missing = []
    for door in ("", *sorted(isthmus._FOLDERS)):
        module = importlib.import_module(f"isthmus.{door}".rstrip("."))
        places = pages[f"api/{door or 'isthmus'}.html"].places
        missing += [name for each in module.__all__ if (name := f"{module.__name__}.{each}") not in places]
    assert missing == []


def test_the_page_of_the_command_line_has_every_verb_and_its_examples_parse(pages, unchecked_shapes):  # noqa: ARG001
    spec = importlib.util.spec_from_file_location("site_pages", ROOT / "scripts" / "site_pages.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    page = made.command_line()
    verbs = re.findall(r"^## isthmus (.*)$", page, flags=re.MULTILINE)
    assert {"audit", "overlap", "check", "data fetch", "features image"} < set(verbs)
    assert {f"isthmus-{verb.replace(' ', '-')}" for verb in verbs} <= pages["command-line.html"].places
    assert "| `--mapped F` | Your own f(X)" in page
    shell = [block for block in blocks(page) if block.language == "sh"]
    for words in (words for block in shell for line in block.code.splitlines() for words in commands(line)):
        assert parse(words) is None, f"{words}: {parse(words)}"
