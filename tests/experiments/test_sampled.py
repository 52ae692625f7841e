"""An audit of a sample: what an audit of all items says, within its intervals, and just that where the sample is all."""

import json
import subprocess
import sys

import numpy as np
import pytest

from isthmus import Pairs, audit
from isthmus.experiments import audit_sample

SHARED = ("input_overlap", "target_overlap", "baseline_overlap", "chance", "shared", "echoed", "bridged", "novel",
          "echo_rate", "bridge_rate", "bridge_index", "mse", "r2")  # fmt: skip


@pytest.fixture(scope="module")
def spaces():
    rng = np.random.default_rng(2)
    z = rng.normal(size=(700, 5))
    x, y = (z + noise * rng.normal(size=z.shape) for noise in (0.5, 0.6))
    return Pairs(x, y), 0.6 * x + 0.4 * y


@pytest.mark.parametrize("include_self", [False, True])
def test_a_sample_of_all_items_is_the_audit_without_uncertainty(spaces, include_self):
    pairs, f = spaces
    mine = audit_sample(pairs, f, k=[5, 8], sample=700, include_self=include_self).rows
    whole = audit(pairs, mapped=f, k=[5, 8], include_self=include_self).rows
    for row in whole:
        if row.mapping in ("given", "identity"):
            [same] = [each for each in mine if (each.mapping, each.k) == (row.mapping, row.k)]
            for name in SHARED:
                if row.role == "mapping" or name not in ("mse", "r2"):
                    assert getattr(same, name) == pytest.approx(getattr(row, name), rel=1e-12), name
            assert same.bridge_index_low == same.bridge_index == same.bridge_index_high
            assert np.isnan(same.p_value)  # nothing is left to vary


def test_intervals_of_samples_hold_the_whole(spaces):
    pairs, f = spaces
    [whole] = [row for row in audit(pairs, mapped=f, k=6).rows if row.mapping == "given"]
    inside = []
    for seed in range(60):
        row = audit_sample(pairs, f, k=6, sample=150, seed=seed).rows[-1]
        inside.append(row.bridge_index_low <= whole.bridge_index <= row.bridge_index_high)
        assert row.shared + row.echoed + row.bridged + row.novel == pytest.approx(6)
        assert row.gain_low < row.gain < row.gain_high
    assert sum(inside) >= 50


def run(*arguments):
    command = [sys.executable, "-m", "isthmus", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_the_command(spaces, tmp_path):
    pairs, f = spaces
    for name, values in (("x", pairs.x), ("y", pairs.y), ("f", f)):
        np.save(tmp_path / f"{name}.npy", values)
    files = [str(tmp_path / "x.npy"), str(tmp_path / "y.npy")]
    asked = ["audit", *files, "--mapped", str(tmp_path / "f.npy"), "-k", "5", "--sample", "200"]
    records = json.loads(run(*asked, "--json").stdout)
    assert [(each["mapping"], each["n_test"], each["n_neighborhood"]) for each in records][-1] == ("given", 200, 700)
    assert "200 test items, neighbors among 700" in " ".join(run(*asked).stdout.split())
    refused = run("audit", *files, "--sample", "200")
    assert (refused.returncode, refused.stderr.startswith("isthmus: sample: needed --mapped F")) == (2, True)
