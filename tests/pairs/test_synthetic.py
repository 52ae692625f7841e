"""The known answers of the synthetic spaces are true."""

import numpy as np
import pytest

from isthmus import IsthmusError, bridge, overlap
from isthmus.measures import calibrate, chance, hub_expectation, measure
from isthmus.neighbors import hubness, search
from isthmus.pairs import (
    SYNTHETIC,
    duplicated,
    echo_to_bridge,
    hub_heavy,
    independent,
    low_signal,
    rotated_copies,
    shared_latent,
)


def mnno(pairs, metric="cosine", k=10):
    return overlap(pairs.x, pairs.y, k, metric).mnno


def test_a_seed_gives_the_same_numbers_and_another_others():
    for make in SYNTHETIC.values():
        assert (make(40, 4, seed=3).x == make(40, 4, seed=3).x).all()
        assert not (make(40, 4, seed=3).y == make(40, 4, seed=4).y).any()


def test_shared_latent():
    found = [mnno(shared_latent(400, 8, shared=s)) for s in (0.0, 0.3, 0.6, 0.9, 1.0)]
    assert found == sorted(found)
    assert found[0] == pytest.approx(chance(10, 400), abs=0.01)
    assert found[-1] == 1
    pairs = shared_latent(20_000, 4, shared=0.6)
    assert measure(pairs.x, pairs.y, "cca").value == pytest.approx(0.6, abs=0.02)


def test_echo_to_bridge():
    def index(dial, seed=0):
        made = echo_to_bridge(200, 6, dial=dial, seed=seed)
        return bridge(made.pairs.x, made.mapped, made.pairs.y, 5).index

    assert (index(0.0), index(1.0)) == (-1, 1)
    middle = [index(0.5, seed) for seed in range(30)]
    assert abs(np.mean(middle)) < 4 * np.std(middle) / np.sqrt(30)
    ends = [index(0.2, seed) + index(0.8, seed) for seed in range(30)]
    assert abs(np.mean(ends)) < 4 * np.std(ends) / np.sqrt(30)


def test_rotated_copies():
    pairs = rotated_copies(100, 5)
    for name, best in (("mutual-knn", 1), ("cka", 1), ("rsa", 1), ("cca", 1), ("procrustes", 0)):
        assert measure(pairs.x, pairs.y, name).value == pytest.approx(best, abs=1e-6), name


def test_independent():
    p = np.array([calibrate((v := independent(60, 4, seed=s)).x, v.y, k=5, draws=39).p_value for s in range(80)])
    assert abs(p.mean() - 0.5) < 4 * np.sqrt(1 / 12 / 80)


def test_hub_heavy():
    pairs = hub_heavy(600, 32)
    a, b = (search(v, 10, "euclidean") for v in (pairs.x, pairs.y))
    assert min(hubness(a).skewness, hubness(b).skewness) > 2
    assert mnno(pairs, "euclidean") > 2 * chance(10, 600)
    assert mnno(pairs, "euclidean") == pytest.approx(hub_expectation(a, b), rel=0.15)
    assert mnno(pairs) == pytest.approx(chance(10, 600), abs=0.006)


def test_duplicated():
    assert mnno(duplicated(120, 5, copies=4), k=3) == 1


def test_low_signal():
    pairs = low_signal(600, 24, signal=2)
    found = calibrate(pairs.x, pairs.y, draws=199)
    assert found.p_value == 0.005
    assert found.value < 3 * found.chance


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: shared_latent(shared=1.5), "shared: needed a number from 0 to 1"),
        (lambda: echo_to_bridge(dial=-1), "dial: needed a number from 0 to 1"),
        (lambda: independent(1), "n: needed a whole number of 2 or more"),
        (lambda: duplicated(5, copies=2), "copies: needed 2 or more"),
        (lambda: shared_latent(100, 1.5), "d: needed a whole number of 1 or more, got 1.5"),
        (lambda: independent(100, 4, dy=0), "d: needed a whole number of 1 or more, got 0"),
        (lambda: duplicated(40, 4, copies=True), "copies: needed a whole number of 2 or more, got True"),
        (lambda: rotated_copies(seed=1.5), "seed: needed a whole number"),
        (lambda: low_signal(d=4, signal=5), "signal: needed a whole number from 0 to 4"),
    ],
)
def test_what_cannot_be_made_is_refused(make, message):
    with pytest.raises(IsthmusError, match=message):
        make()
