"""The page as people open it: in a browser without a network, on a screen, a phone and paper, by mouse and keyboard."""

import base64
import gzip
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import isthmus
from isthmus._errors import DataError
from isthmus.cli import app
from isthmus.experiments import Neighborhoods, read_spec, run
from isthmus.report import audit_figures, write_page, write_run_page
from isthmus.report._page import MOST, page
from isthmus.report._thumbnails import thumbnails

HOSTILE = (
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "\"quotes\" & 'more'", "🦉 emoji 👩‍🔬",
    "שלום עולם", "مرحبا <b>x</b>", "long " * 100, "x" * 500, "{{ 7 * 7 }}", "]]><!--", "\u202eback", "a\\b", "${alert(3)}",
)  # fmt: skip

SPEC = """
name = "small"
[data]
name = "imagenet-words"
[protocol]
folds = 2
directions = ["x->y"]
[measure]
k = [5, 10]
epochs = [0, 1, 2]
[[mappings]]
name = "ridge"
[[mappings]]
name = "lin"
epochs = 2
patience = 0
"""


@pytest.fixture(scope="module")
def audited():
    pairs = isthmus.load("imagenet-words").take(np.arange(0, 989, 4))
    return isthmus.audit(pairs, ["ridge", "reverse-ridge"], k=5, folds=2)


@pytest.fixture(scope="module")
def written(audited, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "out.html"
    write_page(audited, path)
    return path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 60, 4))
    ids = tuple(HOSTILE[i] if i < len(HOSTILE) else f"<i>{i}</i>" for i in range(60))
    labels = tuple(HOSTILE[i % 5] for i in range(60))
    name = "<script>alert('name')</script>" + 300 * "N"
    pairs = isthmus.Pairs(x, y, ids, labels, name, "<b>x</b>" + 300 * "S", '"y"\'')
    path = tmp_path_factory.mktemp("page") / "hostile.html"
    write_page(isthmus.audit(pairs, ["ridge"], k=3, folds=2), path)
    return path


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "small.toml").write_text(SPEC)
    run(read_spec(str(folder / "small.toml")), folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def ran_page(ran, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "run.html"
    write_run_page(ran, path)
    return path


def contents(path):
    packed = re.search(r'id="drill">([^<]*)<', path.read_text(encoding="utf-8"))[1]
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def bottom(page, selector):
    return page.evaluate("(s) => document.querySelector(s).getBoundingClientRect().bottom", selector)


def test_no_request_no_error_and_the_answer_without_scrolling(opened, written):
    with opened(written) as (page, said, asked):
        assert (said, asked) == ([], [written.as_uri()])
        assert bottom(page, "#verdict") < 800
        assert bottom(page, "figure .chart svg") < 800
        assert "ridge" in page.inner_text("#verdict")
    with opened(written, width=390, height=844) as (page, said, asked):
        assert (said, asked) == ([], [written.as_uri()])
        assert bottom(page, ".answer") < 844
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_an_item_is_found_by_keyboard_and_its_neighbors_are_right(opened, written, audited):
    with opened(written) as (page, said, _):
        page.focus("#search")
        page.keyboard.type("anemone")
        page.wait_for_selector("#found li")
        assert page.get_attribute("#search", "aria-expanded") == "true"
        page.keyboard.press("ArrowDown")
        assert page.get_attribute("#search", "aria-activedescendant") == "found-0"
        page.keyboard.press("Enter")
        name = page.inner_text("#item h3")
        assert "anemone" in name
        mapping = page.evaluate("document.querySelector('#view').selectedOptions[0].textContent").split(",")[0]
        lists = next(each for each in audited.neighborhoods if (each.mapping, each.direction) == (mapping, "x->y"))
        place = audited.ids.index(name)
        (row,) = np.flatnonzero(lists.items == place)
        x, f, y = ([audited.ids[i] for i in table[row]] for table in (lists.x, lists.f, lists.y))
        columns = [
            [line.split("\n") for line in page.locator(f".columns > div:nth-child({i}) li").all_inner_texts()]
            for i in (1, 2, 3)
        ]
        assert [[line[0] for line in column] for column in columns] == [x, f, y]
        expected = [
            {(True, True): "shared", (True, False): "echoed", (False, True): "bridged"}.get((n in x, n in y), "novel")
            for n in f
        ]
        assert [line[1].split()[1] for line in columns[1]] == expected
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "open"
        page.keyboard.press("Enter")
        assert page.inner_text("#item h3") == x[0]
        page.select_option("#view", "1")
        assert page.inner_text("#item h3") == x[0]
        assert page.locator(".ranking:visible").count() == 1
        assert said == []


@pytest.mark.parametrize(("which", "scheme"), [("audit", "light"), ("audit", "dark"), ("run", "light"), ("run", "dark")])
def test_axe_finds_nothing_serious(opened, written, ran_page, which, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    with opened(written if which == "audit" else ran_page, scheme=scheme) as (page, _, _):
        page.fill("#search", "dog")
        page.wait_for_selector("#found li")
        for details in page.locator("details:visible").all():
            details.evaluate("(each) => { each.open = true; }")
        found = axe.Axe().run(page).response["violations"]
    assert [
        (each["id"], each["nodes"][0]["html"][:200]) for each in found if each["impact"] in ("serious", "critical")
    ] == []


def test_without_a_script_the_rankings_and_numbers_can_be_read(opened, written):
    with opened(written, script=False) as (page, _, asked):
        assert len(asked) == 1
        assert page.locator(".ranked:visible li").count() == 16
        assert not page.is_visible("#lookup")
        assert page.is_visible("noscript p")
        assert page.is_visible("#numbers table")
        assert page.locator("figure svg").count() >= 4
        assert not page.is_visible("[data-save]")


def test_hostile_names_are_text(opened, hostile):
    assert "alert(1)</script>" not in hostile.read_text(encoding="utf-8")
    for script in (True, False):
        with opened(hostile, script=script) as (page, said, asked):
            assert (said, len(asked)) == ([], 1)
            assert page.inner_text("h1") == "<script>alert('name')</script>" + 300 * "N"
            assert page.evaluate("document.documentElement.scrollWidth") == 1280
            assert bottom(page, "#verdict") < 800
            assert page.locator("main img, main i, main b:not(svg b)").count() == 0
    with opened(hostile, width=390, height=844) as (page, said, asked):
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert bottom(page, ".answer") < 844
        for name in HOSTILE:
            page.fill("#search", name)
            page.wait_for_selector("#found li")
            page.keyboard.press("Enter")
            assert page.evaluate("document.querySelector('#item h3').textContent") == name
            assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert (said, len(asked)) == ([], 1)


def test_figures_are_saved_as_csv_svg_and_png(opened, written, audited):
    figure = audit_figures(audited)[0]
    with opened(written) as (page, said, _):
        first = page.locator("figure").first
        for name, kind in (("CSV", "csv"), ("SVG", "svg"), ("PNG", "png")):
            with page.expect_download() as download:
                first.get_by_text(name, exact=True).click()
            saved = download.value.path().read_bytes()
            assert download.value.suggested_filename == f"{figure.name}.{kind}"
            if kind == "csv":
                assert saved.decode() == figure.csv()
            elif kind == "svg":
                assert b"currentColor" not in saved
                assert saved.startswith(b"<svg")
            else:
                image = (
                    pytest.importorskip("PIL.Image", reason="Pillow is not installed").open(io.BytesIO(saved)).convert("RGB")
                )
                assert image.getpixel((0, 0)) == (255, 255, 255)
                assert len(image.getcolors(1 << 24)) > 10
        assert said == []


def test_on_paper_only_what_can_be_read_is_left(opened, written):
    with opened(written, scheme="dark") as (page, _, _):
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        for selector in ("#lookup", ".tools", "nav"):
            assert page.evaluate("(s) => getComputedStyle(document.querySelector(s)).display", selector) == "none"
        assert page.is_visible(".ranked")
        assert page.pdf()[:5] == b"%PDF-"


def test_the_same_audit_gives_the_same_bytes(audited):
    pairs = isthmus.load("imagenet-words").take(np.arange(0, 989, 4))
    again = isthmus.audit(pairs, ["ridge", "reverse-ridge"], k=5, folds=2)
    assert page(again, audit_figures(again)[:2]) == page(audited, audit_figures(audited)[:2])


@pytest.mark.parametrize("classes", [0, 5000])
def test_twenty_thousand_items_fit(opened, audited, tmp_path, classes):
    rng = np.random.default_rng(0)
    n, k = 20_000, 10
    ids = tuple(f"item {number} of {rng.integers(1 << 40)}" for number in range(n))
    lists = [rng.integers(0, n, (n, k), dtype=np.int32) for _ in range(8)]
    neighborhoods = tuple(
        Neighborhoods(direction, name, "cosine", False, np.arange(n, dtype=np.int32), x, lists[i], y)
        for i, (direction, name, x, y) in enumerate(
            (direction, name, *ends)
            for direction, ends in (("x->y", lists[:2]), ("y->x", lists[:2][::-1]))
            for name in ("ridge", "reverse-ridge", "third")
        )
    )
    labels = tuple(f"label number {number % classes}" for number in range(n)) if classes else None
    large = replace(audited, ids=ids, labels=labels, neighborhoods=neighborhoods)
    write_page(large, tmp_path / "large.html", None if classes else audit_figures(audited, "x->y")[:1])
    assert (tmp_path / "large.html").stat().st_size < MOST
    with opened(tmp_path / "large.html") as (page, said, asked):
        assert (said, len(asked)) == ([], 1)
        assert "of the 20,000 items, drawn at random" in page.inner_text("#items")
        assert page.locator(".ranking").first.locator("table tbody th").count() == (40 if classes else 0)
        assert ("4960 more labels" in page.content()) is bool(classes)
        data = contents(tmp_path / "large.html")
        held = {data["names"][item] for item in data["lists"][data["views"][0]["items"]]}
        page.fill("#search", next(name for name in ids if name not in held))
        assert re.search(r"matches no item \(this file holds [\d,]+ of 20,000 items\)", page.inner_text("#told"))
        assert page.is_visible("#told")
        seconds = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") / 1000
    print(f"20,000 items: {(tmp_path / 'large.html').stat().st_size:,} bytes, loaded in {seconds:.2f} s")  # noqa: T201


def test_pictures_stand_beside_their_items(opened, audited, tmp_path):
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: pip install pillow")
    (tmp_path / "pictures").mkdir()
    for name in audited.ids[:100]:
        image.new("RGBA", (90, 60), "red").save(tmp_path / "pictures" / f"{name}.png")
    (tmp_path / "pictures" / f"{audited.ids[100]}.png").write_bytes(b"no picture")
    write_page(audited, tmp_path / "out.html", [], images=tmp_path / "pictures")
    assert len(contents(tmp_path / "out.html")["pictures"]) == 100
    with opened(tmp_path / "out.html") as (page, said, asked):
        page.fill("#search", audited.ids[3])
        page.keyboard.press("Enter")
        assert page.evaluate("document.querySelector('#item img').naturalWidth") == 64
        assert (said, [url for url in asked if not url.startswith("data:")]) == ([], [(tmp_path / "out.html").as_uri()])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="images: needed pictures named after ids"):
        write_page(audited, tmp_path / "out.html", images=tmp_path / "empty")


def test_a_run_shows_its_curves_and_says_what_is_missing(opened, ran, ran_page, tmp_path):
    with opened(ran_page, width=390, height=844) as (page, said, asked):
        assert (said, len(asked)) == ([], 1)
        assert bottom(page, "#verdict") < 844
        assert page.evaluate("document.documentElement.scrollWidth") == 390
    with opened(ran_page) as (page, said, asked):
        assert (said, len(asked)) == ([], 1)
        assert bottom(page, "#verdict") < 800
        assert page.locator("#learning figure:visible").count() == 1
        assert page.locator("#hubs figure").count() == 1
        assert page.locator(".note").count() == 0
        assert page.locator("#overlap-over-n figure:visible").count() == 1
        assert page.locator("#numbers table").count() == 2
    cells = sorted((ran / "cells").iterdir())
    kept = [cell for cell in cells if (cell / "neighbors.parquet").is_file()]
    assert len(kept) == 4
    for cell in kept:
        (cell / "neighbors.parquet").rename(cell / "gone")
    (ran / "pairs.json").rename(ran / "gone.json")
    write_run_page(ran, tmp_path / "old.html")
    for cell in kept:
        (cell / "gone").rename(cell / "neighbors.parquet")
    (ran / "gone.json").rename(ran / "pairs.json")
    assert "written by an older isthmus" in (tmp_path / "old.html").read_text(encoding="utf-8")
    cells[0].rename(ran / "away")
    write_run_page(ran, tmp_path / "part.html")
    (ran / "away").rename(cells[0])
    assert f"1 of the {len(cells)} cells of this run are missing" in (tmp_path / "part.html").read_text(encoding="utf-8")


def test_mappings_that_differ_in_their_loss_only_are_told_apart(tmp_path):
    lin = '[[mappings]]\nname = "lin"\nepochs = 1\npatience = 0\n'
    spec = f'name = "losses"\n[data]\nname = "emoji"\n[protocol]\nfolds = 9\nparts = 1\ndirections = ["x->y"]\n{lin}{lin}loss = "cosine"\n'
    (tmp_path / "losses.toml").write_text(spec)
    run(read_spec(str(tmp_path / "losses.toml")), tmp_path / "out")
    write_run_page(tmp_path / "out", tmp_path / "out.html")
    text = (tmp_path / "out.html").read_text(encoding="utf-8")
    for name in ("lin (mse)", "lin (cosine)"):
        assert f"<bdi>{name}, texts → images</bdi>" in text
        assert f">{name}</text>" in text


def test_names_of_any_bytes_are_written(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(2, 40, 4))
    pairs = isthmus.Pairs(x, y, name="caf\udce9", x_space="caf\udce9.npy")
    write_page(isthmus.audit(pairs, ["ridge"], k=3, folds=2), tmp_path / "out.html")
    assert "caf\ufffd" in (tmp_path / "out.html").read_text(encoding="utf-8")


def test_a_search_says_what_it_found_and_an_old_browser_why_it_cannot(opened, written):
    with opened(written) as (page, said, _):
        assert "of 248 items" not in page.inner_text("#told")
        page.fill("#search", "<i>no such thing")
        assert page.inner_text("#told") == "<i>no such thing matches no item (of 248 items)."
        page.fill("#search", "dog")
        assert "items found" in page.inner_text("#told")
        page.keyboard.press("Enter")
        assert re.search(r": \d shared, \d echoed, \d bridged, \d novel$", page.inner_text("#told"))
        assert said == []
    with opened(written, ready=False, before="delete window.DecompressionStream") as (page, _, _):
        page.wait_for_selector("#told.note")
        assert "this browser is too old" in page.inner_text("#told")
        assert not page.is_visible("#lookup")
        assert page.locator(".ranked:visible li").count() == 16


def test_a_narrow_screen_has_the_panels_one_below_the_other(opened, written):
    with opened(written, width=390, height=844) as (page, _, _):
        assert not page.locator("figure .wide").first.is_visible()
        box = page.locator("figure .narrow svg").first.bounding_box()
        assert box["x"] + box["width"] <= 390
        assert box["height"] > 1.5 * box["width"]
    with opened(written) as (page, _, _):
        assert page.locator("figure .wide").first.is_visible()
        assert not page.locator("figure .narrow").first.is_visible()


def test_what_a_spec_names_first_leads_the_whole_page(opened, tmp_path):
    measure = 'k = [30, 10, 5]\nmetric = ["euclidean", "cosine"]\ninclude_self = [true, false]\n'
    spec = f'name = "order"\n[data]\nname = "emoji"\n[protocol]\nfolds = 5\nparts = 1\ndirections = ["x->y"]\n[measure]\n{measure}[[mappings]]\nname = "ridge"\n'
    (tmp_path / "order.toml").write_text(spec)
    run(read_spec(str(tmp_path / "order.toml")), tmp_path / "out")
    write_run_page(tmp_path / "out", tmp_path / "out.html")
    with opened(tmp_path / "out.html") as (page, _, _):
        for selector in ("header .facts", "figure figcaption", "#hubs figcaption", "#items .intro", "#numbers .intro"):
            assert "K=30, euclidean, self included" in page.locator(selector).first.inner_text(), selector
        assert page.locator("#bridge-plane > figure").count() == 1
        first = next(row for row in page.locator("#numbers tr").all_inner_texts() if row.startswith("ridge")).split("\t")
        place = page.locator("#numbers thead th").all_inner_texts().index("bridge rate")
        recovered = int(re.search(r"recovers (\d+)%", page.inner_text(".why"))[1])
        assert recovered == pytest.approx(100 * float(first[place]), abs=0.6)


def test_a_page_says_why_there_are_no_intervals(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(2, 60, 4))
    write_page(isthmus.audit(isthmus.Pairs(x, y), ["ridge"], k=[3, 20], folds=2), tmp_path / "out.html", [])
    assert "No intervals at K=20: half of a test set has fewer than 2K items." in (tmp_path / "out.html").read_text("utf-8")


def test_a_damaged_picture_is_left_out(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: pip install pillow")
    for name in ("good", "bad"):
        image.effect_noise((300, 300), 80).save(tmp_path / f"{name}.png")
    content = bytearray((tmp_path / "bad.png").read_bytes())
    second = content.index(b"IDAT", content.index(b"IDAT") + 4)
    content[second : second + 4] = b"\x00\x01\x02\x03"
    (tmp_path / "bad.png").write_bytes(content)
    assert [list(table) for table in thumbnails(tmp_path, ["bad", "good"])] == [[1]] * 4


def test_readme_s_first_command_prints_its_table_and_writes_a_page(opened, tmp_path, capsys, unchecked_shapes):  # noqa: ARG001
    """What needs no training to the letter; networks within what another processor's float32 may change."""
    app(["audit", "--report", str(tmp_path / "out.html")], prog_name="isthmus", standalone_mode=False)

    def rows(text):
        found = [line.strip("│ ").split("│") for line in text.splitlines() if line.startswith("│ ")]
        return [[cell.strip() for cell in line] for line in found]

    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    claimed = [line for line in rows(readme) if line[0] != "mapping"]
    printed = {line[0]: line for line in rows(capsys.readouterr().out)[::-1]}  # of the first table
    assert len(claimed) == 7
    for line in claimed:
        ours = printed[line[0]]
        if line[0] in ("identity", "untrained-ridge", "ridge"):
            assert ours == line
        assert ours[-1] == line[-1]
        theirs, numbers = (
            [float(each) for each in re.findall(r"-?\d\.\d+", " ".join(cells[1:-1]))] for cells in (line, ours)
        )
        assert numbers == pytest.approx(theirs, abs=0.02), line[0]
    for width, height in ((1280, 800), (390, 844)):
        with opened(tmp_path / "out.html", width=width, height=height) as (page, said, asked):
            assert (said, len(asked)) == ([], 1)
            assert bottom(page, "#verdict") < height
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert page.locator(".ranking").count() == 6
