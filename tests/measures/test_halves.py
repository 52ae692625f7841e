"""The bit arithmetic of halves against sets."""

import numpy as np
import pytest

from isthmus.measures._halves import Meeting, count_by_draw, meet_in_halves, sums_over
from isthmus.measures._lists import positions
from isthmus.neighbors import search
from isthmus.statistics import halves


@pytest.mark.parametrize("draws", [1, 64, 130])
@pytest.mark.parametrize("k", [1, 3, 4, 8])
def test_counts_in_halves_are_those_of_sets(rng, draws, k):
    n, depth = 50, 20
    tables = [search(rng.normal(size=(n, 3)), depth).index for _ in range(2)]
    masks = np.stack([mask for (mask,) in halves([n], draws)], axis=1)
    expected, counted = [], []
    for draw in range(draws):
        inside = set(np.flatnonzero(masks[:, draw]))
        lists = [{i: [j for j in table[i] if j in inside] for i in inside} for table in tables]
        whole = [i for i in inside if all(len(each[i]) >= k for each in lists)]
        expected.append(sum(len(set(lists[0][i][:k]) & set(lists[1][i][:k])) for i in whole))
        counted.append(len(whole))
    meeting = Meeting(0, 1, positions(*tables))
    shared, items = np.zeros((2, draws), dtype=np.int64)
    for (both,), whole in meet_in_halves(tables, (meeting,), masks, k, depth):
        shared += sums_over(both, whole, draws)
        items += count_by_draw(whole, draws)
    assert shared.tolist() == expected
    assert items.tolist() == counted


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 7, 100])
def test_adders_count(rng, rows):
    bits = rng.integers(0, 2**64, size=(rows, 2), dtype=np.uint64)
    expected = [sum(int(row[bit // 64]) >> bit % 64 & 1 for row in bits) for bit in range(128)]
    assert count_by_draw(bits, 128).tolist() == expected
