"""Results show themselves in notebooks: in a real kernel, and with the most hostile texts."""

import html
import json
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from isthmus import Pairs, audit, bridge, overlap, progress, retrieval, search
from isthmus._html import html_table
from isthmus.concepts import RatedPairs, evaluate
from isthmus.experiments import curves, figure1, reproduce, reproduce_similarities
from isthmus.mappings import Ridge
from isthmus.measures import calibrate_best, compare_matched, measure
from isthmus.pairs import Vectors, k_fold
from isthmus.words import WordVectors

HOSTILE = (
    "<script>alert(1)</script>", "\"><img src=x onerror=alert('2')>", "&amp;", "\u05e2\u05d1\u05e8\u05d9\u05ea",
    "\U0001f600\u200d\U0001f525", 500 * "long ",
)  # fmt: skip

NOTEBOOK = """
import sys
import nbformat
from nbclient import NotebookClient

cells = [nbformat.v4.new_code_cell(source) for source in sys.stdin.read().split("# %%")]
notebook = nbformat.v4.new_notebook(cells=cells)
NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
print(nbformat.writes(notebook))
"""
CELLS = """
import numpy as np
from isthmus import Pairs, audit, progress
from isthmus.report import audit_figures
x, y = np.random.default_rng(0).normal(size=(2, 60, 4))
pairs = Pairs(x, y, name="<b>bold</b>")
pairs
# %%
found = audit(pairs, ["ridge"], k=3, folds=2, progress=progress(0.0))
found
# %%
audit_figures(found)[0]
# %%
audit_figures(found)[0].chart
"""


class Reader(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):  # noqa: ARG002
        self.tags.append(tag)

    def handle_data(self, data):
        self.text.append(data)


def test_a_real_notebook_shows_results_figures_and_progress():
    pytest.importorskip("nbclient", reason="nbclient is not installed: pip install 'isthmus[test]'")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed: pip install 'isthmus[test]'")
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK], input=CELLS, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    shown = [[output for output in cell["outputs"] if "data" in output] for cell in json.loads(done.stdout)["cells"]]
    assert not any(output["output_type"] == "error" for outputs in shown for output in outputs)
    htmls = [["".join(output["data"].get("text/html", "")) for output in outputs] for outputs in shown]
    assert "&lt;b&gt;bold&lt;/b&gt;: 60 pairs" in htmls[0][-1]
    bar, table = htmls[1]  # one bar that moved in place, then the result
    assert '<progress value="23" max="24">' in bar
    assert "untrained-ridge" in table
    assert htmls[2][-1].startswith("<figure")
    assert "currentColor" in htmls[2][-1]
    assert any(kind.startswith("application/vnd.vegalite") or kind == "text/html" for kind in shown[3][-1]["data"])


@pytest.fixture(scope="module")
def results():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 60, 4))
    ids = tuple(f"{HOSTILE[i % len(HOSTILE)]}{i}" for i in range(60))
    pairs = Pairs(x, y, ids, labels=ids, name=HOSTILE[0], x_space=HOSTILE[1], y_space=HOSTILE[2])
    words = WordVectors.of(x, tuple(f"{HOSTILE[0]}{i}" for i in range(60)), HOSTILE[1])
    first, second = (tuple(f"{HOSTILE[0]}{i + step}" for i in range(20)) for step in (0, 1))
    rated = RatedPairs(HOSTILE[0], first, second, np.arange(20.0), tuple(range(1, 21)))
    return [
        pairs, Vectors(x, ids, HOSTILE[1]), search(x, 3), overlap(x, y, 3), bridge(x, x, y, 3), measure(x, y, "cka"),
        calibrate_best([x], [y], k=3, draws=19), compare_matched((x, y), (x, y), k=3, draws=5), audit(pairs, ["ridge"], k=3, folds=2),
        curves(pairs, "lin", k_fold(60, 2)[0], epochs=(0, 1), k=3, recipe="authors-code"), reproduce(1),
        reproduce_similarities(2), figure1(x.astype(np.float32), HOSTILE[0], k=3, draws=1), retrieval(x, y),
        evaluate(words, rated, maps=["none"]),
    ]  # fmt: skip


def test_every_result_shows_a_table_and_no_tag_of_the_data(results):
    for result in results:
        read = Reader(result._repr_html_())
        assert set(read.tags) <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "p"}, type(result)
        assert "table" in read.tags
        assert len(result._repr_html_()) < 20_000


def test_numbers_shown_are_those_of_the_result(results):
    found = next(result for result in results if type(result).__name__ == "OverlapResult")
    assert f"{found.mnno:.4g}" in Reader(found._repr_html_()).text


def test_mappings_show_themselves():
    assert "alpha" in Ridge()._repr_html_() or "Ridge" in Ridge()._repr_html_()


@pytest.mark.parametrize("text", HOSTILE[:5])
def test_a_text_is_shown_as_it_is(text):
    assert text in Reader(html_table(text, [{text: text}], note=text)).text
    assert "<script>" not in html_table(text, [{text: text}])


def test_long_texts_and_tables_are_cut_and_say_so():
    shown = html_table("many", [{"id": HOSTILE[-1]}] * 100)
    assert shown.count("<tr>") == 41
    assert "60 more rows are not shown." in html.unescape(shown)
    assert len(shown) < 10_000


def test_what_is_not_defined_is_empty():
    assert Reader(html_table("t", [{"a": float("nan"), "b": None, "c": 0.0}])).text[-2:] == ["0", "\n"]


def test_progress_elsewhere_is_lines_on_standard_error(capsys):
    show = progress(0.0)
    for step in range(3):
        show("work", step, 3)
    assert capsys.readouterr().err.splitlines() == ["work (0 of 3)", "work (1 of 3)", "work (2 of 3)"]
