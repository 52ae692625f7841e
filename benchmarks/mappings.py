"""Which mapping bridges: the family on real sets, both directions, test items only, as JSON.

    ISTHMUS_DATA=FOLDER python benchmarks/mappings.py [--quick] [--sets a,b] [--mappings lin,nn,snap] [--out FILE.json]
    python benchmarks/mappings.py --read docs/mappings.json docs/ceiling.json       # their tables, without a run

Everything that a mapping chooses is chosen within the 75 % of the items that it learns from; the rest is tested (cosine,
K=10, self excluded). Items with equal x or equal y are on one side. The table compares target overlaps with the better of
`lin` and `nn` (mse, recipe `paper`) on the same items. Sets that are not in the package are read from $ISTHMUS_DATA, where
they are there.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from ceiling import ceiling, overlap_with
from threadpoolctl import threadpool_limits

from isthmus.datasets import load
from isthmus.experiments import audit
from isthmus.mappings import FAMILY
from isthmus.pairs import Pairs, equal_items, hold_out

SHARE = 0.25  # of the items, tested
KEPT = (
    "pairs", "direction", "mapping", "n_test", "input_overlap", "target_overlap", "baseline_overlap", "chance", "echo_rate",
    "bridge_rate", "bridge_index", "bridge_index_low", "bridge_index_high", "p_against_lin", "p_against_nn",
)  # fmt: skip


def folder_sets(folder: Path):
    """The sets that are not in the package; text is x, images are y."""

    def pairs(name, text, image):
        known = np.isfinite(text).all(axis=1)
        return Pairs(
            text[known].astype(np.float32), image[known].astype(np.float32), name=name, x_space="text", y_space="image"
        )

    def arrays(path):
        return np.load(folder / path, allow_pickle=False)

    if (folder / "things_words").is_dir():
        yield pairs(
            "things", arrays("things_words/text_glove.npz")["glove100"], arrays("things_words/visual_spose.npz")["spose66"]
        )
    if (folder / "iapr_tc12_test").is_dir():
        found = arrays("iapr_tc12_test/iapr_tc12_test.npz")
        yield pairs("iapr", found["text_bigru64"], found["image_vgg128"])
    if (folder / "openclipart").is_dir():
        image = arrays("openclipart/image_lite0_1280.npz")["image"]
        yield pairs("openclipart", arrays("openclipart/text_features.npz")["minilm384"], image)
    if (folder / "wiki_rasiwasia").is_dir():
        found = arrays("wiki_rasiwasia/wiki_raw_features.npz")
        yield pairs("wiki", *(np.concatenate([found[f"{side}_train"], found[f"{side}_test"]]) for side in ("text", "image")))


def sets(names, quick):
    data = Path(os.environ.get("ISTHMUS_DATA", "."))
    packaged = (
        replace(load(name), x_space="text", y_space="image") for name in ("emoji", "imagenet-words", "imagenet-glosses")
    )
    for pairs in sorted((*packaged, *folder_sets(data)), key=len):
        if not names or pairs.name in names:
            yield pairs.take(np.random.default_rng(0).permutation(len(pairs))[:400]) if quick else pairs


def split_of(pairs, seed):
    """Learned and tested items; those with equal x or equal y are on one side."""
    return hold_out(len(pairs), SHARE, seed, equal_items(pairs.x, pairs.y))


def duplicates(pairs, seeds):
    """How many items are alike, and how many tested ones would be among the learned ones if splits parted them."""
    ids = [np.unique(side, axis=0, return_inverse=True)[1].ravel() for side in (pairs.x, pairs.y)]
    parted = [
        [int(np.isin(own[split.test], own[split.train]).sum()) for own in ids]
        for split in (hold_out(len(pairs), SHARE, seed) for seed in seeds)
    ]
    return {
        "pairs": pairs.name, "items": len(pairs), "distinct_x": len(np.unique(ids[0])), "distinct_y": len(np.unique(ids[1])),
        "groups": len(np.unique(equal_items(pairs.x, pairs.y))), "tested": len(hold_out(len(pairs), SHARE).test),
        "test_x_learned_if_parted": parted[0][0], "test_y_learned_if_parted": parted[0][1],
    }  # fmt: skip


def places(rows):
    """The rows of each set and direction: per mapping, one a split."""
    found = {}
    for row in rows:
        of = found.setdefault((row["pairs"], row["direction"]), {})
        of.setdefault(row["mapping"], {})[row["split"]] = row
    return found


def against_better(place, name):
    """(row of the mapping, row of the better of lin and nn) of each split."""
    return [
        (place[name][split], max((place["lin"][split], place["nn"][split]), key=lambda row: row["target_overlap"]))
        for split in sorted(place[name])
    ]  # fmt: skip


def mean_and_error(values):
    """Mean over splits and its standard error (splits share items, so the true one is somewhat larger)."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")


def ratio(place, name):
    return mean_and_error([mine["target_overlap"] / best["target_overlap"] for mine, best in against_better(place, name)])


def of(place, name, quantity):
    return mean_and_error([row[quantity] for row in place[name].values()])


def summary(rows):
    """For each mapping, over sets and directions: ratios, rates and indices, of means over splits."""
    found, table = {}, places(rows)
    for name in dict.fromkeys(row["mapping"] for row in rows):
        here = {key: place for key, place in table.items() if {"ridge", "lin", "nn", name} <= set(place)}
        ratios = {" ".join(key): ratio(place, name)[0] for key, place in here.items()}
        rates = {
            key: [
                np.mean([mine[rate] - best[rate] for mine, best in against_better(place, name)])
                for rate in ("bridge_rate", "echo_rate")
            ]
            for key, place in here.items()
        }
        above = [
            key for key, place in here.items()
            if of(place, name, "bridge_index")[0] > 0
            and of(place, name, "target_overlap")[0] > of(place, "ridge", "target_overlap")[0]
        ]  # fmt: skip
        found[name] = {
            "places": len(here), "ratio_mean": float(np.mean(list(ratios.values()))) if ratios else None,
            "ratio_least": min(ratios.items(), key=lambda pair: pair[1]) if ratios else None,
            "ratio_most": max(ratios.items(), key=lambda pair: pair[1]) if ratios else None,
            "higher_bridge_rate": sum(bool(bridge > 0) for bridge, _ in rates.values()),
            "lower_echo_rate": sum(bool(echo < 0) for _, echo in rates.values()),
            "index_above_0_and_overlap_above_ridge": [" ".join(key) for key in above],
            "interval_above_0_in_splits": {
                " ".join(key): f"{sum(row['bridge_index_low'] > 0 for row in table[key][name].values())} of "
                f"{len(table[key][name])}" for key in above
            },
        }  # fmt: skip
    return found


def number(value, digits=3):
    return f"{value:.{digits}f}".removeprefix("0") if value >= 0 else "-" + number(-value, digits)


def markdown(rows):
    """The table of docs/mappings.md."""

    def shown(pair, digits=3):
        error = f" ± {number(pair[1], digits)}" if np.isfinite(pair[1]) else ""
        return number(pair[0], digits) + error

    def both(place, name):
        return f"{shown(of(place, name, 'target_overlap'))} / {number(of(place, name, 'bridge_index')[0])}"

    yield (
        "| set, direction | splits | ridge | better of lin, nn | kernel ridge | snap | ratio | bridge rate | echo rate "
        "| snap-index | its intervals |"
    )
    yield "|---" * 11 + "|"
    for (name, direction), place in places(rows).items():
        pairs = against_better(place, "snap")
        better = [best for _, best in pairs]
        rates = [
            f"{number(np.mean([best[rate] for best in better]))} → {number(of(place, 'snap', rate)[0])}"
            for rate in ("bridge_rate", "echo_rate")
        ]
        intervals = "; ".join(
            f"[{number(row['bridge_index_low'])}, {number(row['bridge_index_high'])}]"
            for row in place["snap-index"].values()
        )
        paper = both({"better": dict(enumerate(better))}, "better")
        yield " | ".join([
            f"| {name} {direction.replace('->', '→')}", str(len(pairs)), both(place, "ridge"), paper,
            both(place, "kernel-ridge"), both(place, "snap"), shown(ratio(place, "snap"), 2), *rates,
            both(place, "snap-index"), f"{intervals} |",
        ])  # fmt: skip


def markdown_of_ceiling(bounds, rows):
    """The two tables of the ceiling in docs/mappings.md, beside what the family reached on the same split."""
    table, first, second = places(rows), [], []
    for each in bounds:
        key = (each["pairs"], each["direction"])
        place = {name: found[each["split"]]["target_overlap"] for name, found in table[key].items()}
        label, better, best = f"| {key[0]} {key[1].replace('->', '→')}", max(place["lin"], place["nn"]), max(place.values())
        model, curve = each["model"], [point["target_overlap"] for point in each["curve"]]
        first.append(" | ".join([
            label, number(better), number(best),
            *(f"{number(value)}, {number(model['drawn_matched'][name])}" for name, value in model["real"].items()),
            number(model["matched_noise"], 2), number(model["best_lists_matched"][0]),
            f"{model['best_lists_matched'][0] / better:.2f} |",
        ]))  # fmt: skip
        doubling = curve[-1] - curve[-2]
        needed = (1.3 * better - curve[-1]) / doubling if doubling > 0 else np.inf
        repeated = [
            f"{number(found['bound'], 2)} ({found['pairs']})" if found["pairs"] else ""
            for found in each["repeated_inputs"].values()
        ]
        second.append(" | ".join([
            label,
            *(f"{number(each[name])} ({number(each[name] / better, 2)})" for name in ("choice_on_test", "others_seen")),
            ", ".join(map(number, curve)), f"{doubling / curve[-2]:+.0%}",
            "never" if needed == np.inf else f"{2 ** max(needed, 0):.1f}" if needed < 10 else "> 1000", *repeated,
            f"{number(each['two_measurements']) if each['two_measurements'] else ''} |",
        ]))  # fmt: skip
    yield (
        "| set, direction | better of lin, nn | best of the family | ridge: real, drawn | kernel ridge: real, drawn | noise "
        "| best lists | ratio |"
    )
    yield from ("|---" * 8 + "|", *first, "")
    yield (
        "| set, direction | best choice, seen the test | all others seen | kernel ridge on 1/4, 1/2, all | half → all "
        "| times the items for 1.3 | bound, equal x | bound, near x | two measurements |"
    )
    yield from ("|---" * 9 + "|", *second)


def twins(folder: Path):
    """A second measurement of the same items' targets: how far the two agree bounds what can be known of either."""
    shape = np.load(folder / "things_words/visual_spose.npz")
    words = np.load(folder / "things_words/text_glove.npz")
    known = np.isfinite(words["glove100"]).all(axis=1)
    yield "things", "x->y", shape["spose66"][known], shape["spose49"][known]
    yield "things", "y->x", words["glove100"][known], words["glove50"][known]
    image = [np.load(folder / f"imagenet1k_words/visual_lite{size}_1280.npz")["weight"] for size in (0, 2)]
    text = np.load(folder / "imagenet1k_words/text_glove.npz")
    known = np.isfinite(text["glove100"]).all(axis=1)
    yield "imagenet-words", "x->y", *(each[known].astype(float) for each in image)
    yield "imagenet-words", "y->x", text["glove100"][known], text["glove50"][known]
    yield "imagenet-glosses", "x->y", *(each.astype(float) for each in image)


def bounds(chosen, seed):
    """What is beyond the reach of a choice, of more items, of any function: see ceiling.py."""
    folder = Path(os.environ.get("ISTHMUS_DATA", "."))
    agreement = {}
    if (folder / "things_words").is_dir() and (folder / "imagenet1k_words").is_dir():
        for name, direction, one, other in twins(folder):
            test = hold_out(len(one), SHARE).test
            agreement[name, direction] = overlap_with(other[test], one[test])
    for pairs in chosen:
        split = split_of(pairs, seed)
        for direction, side in (("x->y", pairs), ("y->x", pairs.swap())):
            with threadpool_limits(1):
                yield {
                    "pairs": pairs.name, "direction": direction, "split": seed, "n_test": len(split.test),
                    "two_measurements": agreement.get((pairs.name, direction)),
                } | ceiling(side.x.astype(float), side.y.astype(float), split)  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="400 items of the packaged sets and the fast mappings")
    parser.add_argument("--sets", default="")
    parser.add_argument("--mappings", default="")
    parser.add_argument("--seeds", default="1,2,3", help="of the splits, each 75/25")
    parser.add_argument(
        "--read", type=Path, nargs="+", help="stored results: their table and summary, written to --out as one"
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--ceiling", action="store_true", help="only: what could be reached, of the first seed")
    options = parser.parse_args()
    if options.read:
        stored = [json.loads(path.read_text()) for path in options.read]
        alike, found = ([row for each in stored for row in each[name]] for name in ("duplicates", "rows"))
        rows = [row for row in found if "mapping" in row]
        if options.out:
            write(options.out, alike, found)
        bounds = [row for row in found if "model" in row]
        if bounds:
            print("\n".join(markdown_of_ceiling(bounds, rows)), end="\n\n")
            seen = {row["split"] for row in bounds}  # by whoever made the mappings
            rows = [row for row in rows if row["split"] not in seen]
        print("\n".join(markdown(rows)), json.dumps(summary(rows), indent=1), sep="\n\n")
        return
    names = options.mappings.split(",") if options.mappings else list(FAMILY)
    if options.quick and not options.mappings:
        names = [name for name in FAMILY if name not in ("contrastive", "relational", "rcsls")]
    seeds = [int(seed) for seed in options.seeds.split(",")]
    chosen = list(sets(set(filter(None, options.sets.split(","))), options.quick))
    alike, rows = [duplicates(pairs, seeds) for pairs in chosen], []
    if options.ceiling:
        for row in bounds(chosen, seeds[0]):
            print(row, file=sys.stderr, flush=True)
            rows.append(rounded(row))
            if options.out:
                write(options.out, [], rows)
        return
    for seed in seeds:
        for pairs in chosen:
            split = split_of(pairs, seed)
            for row in audit(pairs, names, split=split).rows:
                if row.role == "mapping":
                    rows.append({name: rounded(value) for name, value in asdict(row).items() if name in KEPT})
                    rows[-1] |= {"split": seed, "n_train": len(split.train)}
                    print(rows[-1], file=sys.stderr, flush=True)
            if options.out:
                write(options.out, alike, rows)
    print("\n".join(markdown(rows)), json.dumps(summary(rows), indent=1), sep="\n\n")


def rounded(value):
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    return round(value, 4) if isinstance(value, float) else value


def write(path, alike, rows):
    """One row a line, so that the file stays small and can be compared."""
    parts = [
        f' "{name}": [\n  ' + ",\n  ".join(map(json.dumps, each)) + "\n ]"
        for name, each in (("duplicates", alike), ("rows", rows))
    ]
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    main()
