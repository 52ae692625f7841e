"""The table of the paper's claim on its page is what the script makes of the figures beside it."""

import csv
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).parents[2]


def test_the_page_shows_what_the_script_prints():
    command = [sys.executable, HOME / "scripts" / "claim.py", "table"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    page = (HOME / "docs" / "experiments.md").read_text(encoding="utf-8")
    assert len(printed.splitlines()) > 20
    for line in printed.splitlines():
        assert line in page


def test_intervals_hold_their_index():
    with (HOME / "docs" / "claim.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        low, index, high = (float(row[name]) for name in ("bridge_index_low", "bridge_index", "bridge_index_high"))
        assert -1 <= low < index < high <= 1
        # index = (target - input) / (1 - baseline), and the baseline is below 1: both have one sign
        assert (index < 0) == (float(row["target_overlap"]) < float(row["input_overlap"]))
