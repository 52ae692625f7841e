"""Runs over many pictures: the same bytes however often they are killed and however many threads work."""

import csv
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import isthmus
from isthmus import IsthmusError
from isthmus.features import Look, decode, image_features
from isthmus.features._parts import open_parts

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: pip install pillow")


class Corners:
    """A backbone without torch: the mean color of the four quarters."""

    name = "corners"
    look = Look(size=4)

    def __call__(self, pictures):
        quarters = pictures.reshape(len(pictures), 2, 2, 2, 2, 3).astype(np.float32)
        return quarters.mean(axis=(2, 4)).reshape(len(pictures), 12)


@pytest.fixture
def pictures(tmp_path, rng):
    """600 pictures of five words, two of them broken."""
    for number in range(600):
        path = tmp_path / "pictures" / f"word{number % 5}" / f"{number:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8)).save(path)
    (tmp_path / "pictures/word1/001.png").write_bytes(b"broken")
    (tmp_path / "pictures/word3/598.png").write_bytes(b"")
    return tmp_path / "pictures"


def table(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_rows_are_those_of_a_loop_and_broken_pictures_are_listed(pictures, tmp_path):
    result = image_features(pictures, tmp_path / "out.npz", Corners(), threads=2)
    found = isthmus.read(tmp_path / "out.npz")
    listed = table(tmp_path / "out.tsv")
    assert (result.pictures, result.vectors, result.width, list(result.skipped)) == (
        600,
        598,
        12,
        ["word1/001.png", "word3/598.png"],
    )
    assert [line["id"] for line in listed if line["row"]] == list(found.ids)
    assert {line["id"]: line["skipped"] for line in listed if not line["row"]} == result.skipped
    for line in listed[::41]:
        if line["row"]:
            slow = Corners()(decode((pictures / line["id"]).read_bytes(), Look(size=4))[None])
            np.testing.assert_array_equal(found.values[int(line["row"])], slow[0])
    assert not (tmp_path / "out.npz.parts").exists()


def test_npy_and_npz_hold_the_same_rows(pictures, tmp_path):
    image_features(pictures, tmp_path / "a.npz", Corners())
    image_features(pictures, tmp_path / "b.npy", Corners(), threads=1)
    np.testing.assert_array_equal(np.load(tmp_path / "b.npy"), np.load(tmp_path / "a.npz")["values"])
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()


def test_centroids_are_the_means_of_all_pictures_of_a_word(pictures, tmp_path):
    image_features(pictures, tmp_path / "rows.npz", Corners())
    image_features(pictures, tmp_path / "words.npz", Corners(), centroids=True)
    rows, words = isthmus.read(tmp_path / "rows.npz"), isthmus.read(tmp_path / "words.npz")
    assert words.ids == tuple(f"word{i}" for i in range(5))
    for word, centroid in zip(words.ids, words.values, strict=True):
        mine = [row for name, row in zip(rows.ids, rows.values, strict=True) if name.startswith(word)]
        np.testing.assert_allclose(centroid, np.mean(mine, axis=0, dtype=np.float64), rtol=1e-6)
    assert [(line["word"], line["pictures"], line["skipped"]) for line in table(tmp_path / "words.tsv")][:2] == [
        ("word0", "120", "0"), ("word1", "119", "1"),
    ]  # fmt: skip
    assert [line["id"] for line in table(tmp_path / "words.skipped.tsv")] == ["word1/001.png", "word3/598.png"]


def test_words_with_too_few_pictures_are_left_out(pictures, tmp_path):
    """The paper keeps words with more than 50 pictures; pictures that cannot be used do not count."""
    result = image_features(pictures, tmp_path / "words.npz", Corners(), centroids=True, more_than=119)
    assert isthmus.read(tmp_path / "words.npz").ids == ("word0", "word2", "word4")
    assert (result.vectors, result.left_out) == (3, 2)
    assert [line["row"] for line in table(tmp_path / "words.tsv")] == ["0", "", "1", "", "2"]
    with pytest.raises(IsthmusError, match="no word with enough pictures"):
        image_features(pictures, tmp_path / "none.npz", Corners(), centroids=True, more_than=120)


SLOW = """
import sys, time, numpy as np
from isthmus.features import Look, image_features
class Corners:
    name, look = "corners", Look(size=4)
    def __call__(self, pictures):
        time.sleep(float(sys.argv[3]))
        quarters = pictures.reshape(len(pictures), 2, 2, 2, 2, 3).astype(np.float32)
        return quarters.mean(axis=(2, 4)).reshape(len(pictures), 12)
image_features(sys.argv[1], sys.argv[2], Corners(), centroids="words" in sys.argv[2], threads=2)
"""


@pytest.mark.parametrize("name", ["out.npz", "out.npy", "words.npz"])
def test_killed_and_run_again_the_result_is_the_same_bytes(pictures, tmp_path, name):
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    image_features(pictures, tmp_path / "whole" / name, Corners(), centroids="words" in name)
    parts = tmp_path / "killed" / f"{name}.parts"
    command = [sys.executable, "-c", SLOW, str(pictures), str(tmp_path / "killed" / name)]
    process = subprocess.Popen([*command, "0.02"])
    until = time.monotonic() + 240  # on a loaded machine Python alone takes long to start
    while time.monotonic() < until and process.poll() is None and not list(parts.glob("*.npz")):
        time.sleep(0.005)
    process.send_signal(signal.SIGSTOP)  # from here on the machine's load decides nothing
    for late in sorted(parts.glob("*.npz"))[1:]:
        late.unlink()  # as if the kill had come right after the first part
    process.kill()
    process.wait(timeout=60)
    assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"
    assert len(list(parts.glob("*.npz"))) == 1
    (parts / "00000002.npz.part").write_bytes(b"half")  # as a kill within a write leaves it
    calls = []

    class Counted(Corners):
        def __call__(self, pictures):
            calls.append(len(pictures))
            return super().__call__(pictures)

    image_features(pictures, tmp_path / "killed" / name, Counted(), centroids="words" in name)
    assert sum(calls) <= 600 - 254  # what was done is not done again
    names = sorted(path.name for path in (tmp_path / "whole").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "killed").iterdir())
    for each in names:
        assert (tmp_path / "whole" / each).read_bytes() == (tmp_path / "killed" / each).read_bytes()


def test_work_of_other_pictures_is_not_mixed_in(pictures, tmp_path):
    class Failing(Corners):
        def __call__(self, pictures):
            raise RuntimeError(f"stopped at {len(pictures)}")

    with pytest.raises(RuntimeError):
        image_features(pictures, tmp_path / "out.npz", Failing())
    (pictures / "word0" / "000.png").write_bytes(b"another")
    with pytest.raises(IsthmusError, match="needed the work of the same pictures and settings"):
        image_features(pictures, tmp_path / "out.npz", Corners())


def test_one_run_at_a_time(tmp_path):
    pytest.importorskip("fcntl")
    with (
        open_parts(tmp_path / "p", "plan"),
        pytest.raises(IsthmusError, match="no other run"),
        open_parts(tmp_path / "p", "plan"),
    ):
        pass


def test_a_kill_while_a_run_tidies_up_leaves_no_part_without_its_plan(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)
    with open_parts(tmp_path / "p", "plan") as parts:
        parts.write(0, {"x": np.eye(2)})
        parts.clear()
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == ["lock", "plan.txt"]


def test_a_damaged_part_is_named(tmp_path):
    with open_parts(tmp_path / "p", "plan") as parts:
        parts.write(0, {"x": np.eye(2)})
        path = tmp_path / "p" / "00000000.npz"
        path.write_bytes(path.read_bytes()[:50])
        with pytest.raises(IsthmusError, match=r"00000000\.npz: needed a whole part"):
            parts.read(0)


@pytest.mark.parametrize("centroids", [False, True])
def test_no_table_takes_the_place_of_a_file_that_no_run_wrote(pictures, tmp_path, centroids):
    tables = ["mine.tsv", "mine.skipped.tsv"][: 1 + centroids]
    for number, name in enumerate(tables):
        content = f"id\tpath\tword\tcaption\n{number}\tpictures/word0/000.png\tdog\tmy own\n"
        (tmp_path / name).write_text(content)
        with pytest.raises(IsthmusError, match="out: needed a file that is not read"):
            image_features(tmp_path / name, tmp_path / "mine.npz", Corners(), centroids=centroids)
        with pytest.raises(IsthmusError, match="out: needed room for the table"):
            image_features(pictures, tmp_path / "mine.npz", Corners(), centroids=centroids)
        assert (tmp_path / name).read_text() == content
        (tmp_path / name).unlink()
    for again in (centroids, not centroids, centroids):  # over its own tables a run may write
        image_features(pictures, tmp_path / "mine.npz", Corners(), centroids=again)


def test_what_cannot_be_run(pictures, tmp_path):
    class Wrong(Corners):
        def __call__(self, pictures):
            return np.full((len(pictures), 3), np.nan, dtype=np.float32)

    flat = tmp_path / "flat"
    flat.mkdir()
    (flat / "1.png").write_bytes(b"")
    for options, message in [
        ((pictures, tmp_path / "x.csv", Corners()), r"out: needed a file ending in \.npz or \.npy"),
        ((pictures, tmp_path / "x.npz", Wrong()), "backbone: needed a finite row"),
        ((flat, tmp_path / "y.npz", Corners()), r"needed pictures that can be used, got none of 1 .no picture"),
        ((pictures, tmp_path / "gone" / "x.npz", Corners()), "needed a folder that can be written"),
    ]:
        with pytest.raises(IsthmusError, match=message):
            image_features(*options)
    assert not (tmp_path / "y.npz.parts").exists()  # there is nothing to go on with
    with pytest.raises(IsthmusError, match="needed a folder, or a column word"):
        image_features(flat, tmp_path / "z.npz", Corners(), centroids=True)
