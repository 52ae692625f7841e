"""Labels of items: joined by id where both sides have ids, row by row otherwise, and never nan."""

import numpy as np
import pytest

from isthmus import IsthmusError
from isthmus.pairs import read_labels


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
        with pytest.raises(IsthmusError, match="needed a label for every item, got none in row 1"):
            read_labels(source)
