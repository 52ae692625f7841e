"""Labels of items: joined by id where both sides have ids, row by row otherwise, and never nan."""

import numpy as np
import pytest

from isthmus import IsthmusError, retrieval
from isthmus.pairs import as_classes, read_labels


def test_joined_by_id(tmp_path):
    (tmp_path / "labels.tsv").write_text("id\tkind\nc\tcar\na\tanimal\nb\tboat\n")
    np.savez(tmp_path / "labels.npz", ids=np.array(["c", "a", "b"]), kind=np.array(["car", "animal", "boat"]))
    for source in (f"{tmp_path}/labels.tsv:kind", f"{tmp_path}/labels.npz:kind"):
        assert read_labels(source, ["a", "b", "c"]).tolist() == ["animal", "boat", "car"]
        assert read_labels(source, ["b"]).tolist() == ["boat"]
        assert read_labels(source).tolist() == ["car", "animal", "boat"]
        with pytest.raises(IsthmusError, match=r"needed a label for each of 2 items, got none for 1 \('d' first\)"):
            read_labels(source, ["a", "d"])


def test_nan_and_blank_labels_are_refused(tmp_path):
    np.save(tmp_path / "labels.npy", np.array([1.0, np.nan, 2.0]))
    (tmp_path / "labels.tsv").write_text("kind\tx\na\t1\n\t2\n")
    for source in (tmp_path / "labels.npy", f"{tmp_path}/labels.tsv:kind"):
        with pytest.raises(IsthmusError, match="needed a class for every item, got none in row 1"):
            read_labels(source)


def test_what_cannot_be_joined(tmp_path):
    (tmp_path / "twice.tsv").write_text("id\tkind\na\tx\na\ty\n")
    with pytest.raises(IsthmusError, match="needed every id once, got 'a' again"):
        read_labels(f"{tmp_path}/twice.tsv:kind", ["a"])
    np.save(tmp_path / "table.npy", np.array([[1.0, 0.0], [np.nan, 0.0]]))
    with pytest.raises(IsthmusError, match="needed a class for every item, got none in row 1"):
        read_labels(tmp_path / "table.npy")
    objects = np.array(["a", None, "a"], dtype=object), np.array([1, float("nan"), 1], dtype=object)
    for labels in ([0.0, np.nan, 0.0], [[1.0], [np.nan], [1.0]], *objects):
        with pytest.raises(IsthmusError, match="labels: needed a class for every item, got none in row 1"):
            retrieval(np.eye(3), labels=labels)


@pytest.mark.parametrize("kind", [str, int, float, np.float32, object])
def test_one_column_is_one_class_a_row_whatever_the_type_of_its_numbers(tmp_path, rng, kind):
    """A column of class numbers, as MATLAB keeps them, is no table in which every item is in the one class."""
    x, y, classes = rng.normal(size=(30, 3)), rng.normal(size=(30, 3)), rng.integers(1, 5, 30)
    expected = retrieval(x, labels=classes)
    assert 0 < expected.map < 0.6
    column = classes.astype(kind)[:, None]
    assert retrieval(x, labels=column).map == expected.map
    across = retrieval(x, y, classes, item_labels=column)
    assert (across.map, across.unanswerable) == (retrieval(x, y, classes).map, 0)
    if kind is not object:
        np.save(tmp_path / "labels.npy", column)
        assert read_labels(tmp_path / "labels.npy").tolist() == [str(each) for each in classes]


def test_numbers_are_compared_as_numbers():
    assert as_classes([True, False, True]).tolist() == as_classes([1.0, 0.0, 1.0]).tolist() == ["1", "0", "1"]
    assert as_classes([0.5, 1]).tolist() == ["0.5", "1"]
    assert as_classes([1e300, np.inf]).tolist() == [str(int(1e300)), "inf"]
