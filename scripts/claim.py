"""The claim of the paper on every set at hand: docs/claim.csv, and the table that docs/experiments.md makes of it.

    python scripts/claim.py run --data DIR --out runs  # the package's five specs, their first fold or seed; writes the csv
    python scripts/claim.py collect --out runs         # the csv from what is done, where a run was stopped
    python scripts/claim.py table                      # Markdown tables, and the rows where the claim fails, from the csv

A run that is stopped goes on where it stopped. `--whole` takes all folds and seeds, which lasts about five times as long.
"""

import argparse
import csv
import warnings
from pathlib import Path

from msgspec.structs import replace

from isthmus.experiments import open_results, read_spec, run

CSV = Path(__file__).parent.parent / "docs" / "claim.csv"
SETS = {
    "iapr": "IAPR",
    "wiki": "Wikipedia",
    "imagenet-words": "ImageNet words",
    "emoji": "emoji",
    "openclipart": "Open Clip Art",
}
MAPPINGS = (
    "ridge",
    *(f"{name}{loss}" for name in ("lin", "nn") for loss in ("", ", cosine", ", max-margin")),
    "nn-3",
    "nn-5",
)
COLUMNS = (
    "pairs", "direction", "mapping", "loss", "recipe", "cells", "n_test", "k", "metric", "include_self", "input_overlap",
    "target_overlap", "bridge_index", "bridge_index_low", "bridge_index_high", "echo_rate", "bridge_rate",
)  # fmt: skip


def measure(data: Path, out: Path, *, whole: bool) -> None:
    for name in SETS:
        spec = replace(read_spec(name, data), controls=False)
        if not whole:
            spec = replace(spec, protocol=replace(spec.protocol, parts=1, seeds=1))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # losses that did not fall steadily are on record in the folder
            run(spec, out / name, progress=lambda *what, name=name: print(name, *what, flush=True))


def collect(out: Path) -> None:
    rows = [
        row for name in SETS if (out / name).exists() for row in open_results(out / name).records()
        if row["k"] == 10 and not row["include_self"]
    ]  # fmt: skip
    with CSV.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()} for row in rows
        )


def signed(value: float) -> str:
    return f"{value:+.3f}".replace("0.", ".", 1)


def table() -> None:
    with CSV.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    cell = {(row["pairs"], row["direction"], row["metric"], named(row)): row for row in rows}
    mappings = [name for name in MAPPINGS if name in map(named, rows)]
    for metric in ("cosine", "euclidean"):
        print(f"\n| {metric} | {' | '.join(mappings)} |\n|{'---|' * (len(mappings) + 1)}")
        for name, shown in SETS.items():
            for direction in ("x->y", "y->x"):
                found = [cell.get((name, direction, metric, mapping)) for mapping in mappings]
                print(f"| {shown} {direction.replace('->', '→')} | " + " | ".join(map(written, found)) + " |")
    holds = [row for row in rows if float(row["bridge_index_high"]) < 0]
    print(f"\nIn {len(holds)} of {len(rows)} rows the whole interval lies below 0. The others:\n")
    for row in rows:
        if row not in holds:
            print(f"- {SETS[row['pairs']]} {row['direction']}, {named(row)}, {row['metric']}: {written(row)}")


def named(row: dict[str, str]) -> str:
    return row["mapping"] if row["loss"] in ("", "mse") else f"{row['mapping']}, {row['loss']}"


def written(row: dict[str, str] | None) -> str:
    """Input overlap / target overlap, then the bridge index and its interval; bold where that reaches 0."""
    if row is None:
        return ""
    overlaps = "/".join(f"{float(row[name]):.3f}".lstrip("0") for name in ("input_overlap", "target_overlap"))
    index, low, high = (signed(float(row[name])) for name in ("bridge_index", "bridge_index_low", "bridge_index_high"))
    return (
        f"{overlaps} {index} [{low}, {high}]"
        if float(row["bridge_index_high"]) < 0
        else f"{overlaps} **{index} [{low}, {high}]**"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("run", "collect", "table"):
        own = verbs.add_parser(verb)
        if verb == "run":
            own.add_argument("--data", type=Path, required=True, help="folder of the data files that the specs name")
            own.add_argument("--whole", action="store_true", help="all folds and seeds")
        if verb != "table":
            own.add_argument("--out", type=Path, default=Path("runs"), help="folder of the results")
    options = parser.parse_args()
    if options.verb == "run":
        measure(options.data, options.out, whole=options.whole)
    if options.verb == "table":
        table()
    else:
        collect(options.out)


if __name__ == "__main__":
    main()
