"""Which mapping bridges: the family on real sets, both directions, test items only, as JSON.

    ISTHMUS_DATA=FOLDER python benchmarks/mappings.py [--quick] [--sets a,b] [--mappings lin,nn,snap] [--out FILE.json]

Everything that a mapping chooses is chosen within the 75 % of the items that it learns from; the rest is tested (cosine,
K=10, self excluded). The summary compares target overlaps with the better of `lin` and `nn` (mse, recipe `paper`) on the
same items. Sets that are not in the package are read from $ISTHMUS_DATA, where they are there.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from isthmus.datasets import load
from isthmus.experiments import audit
from isthmus.mappings import FAMILY, Criterion, Snap
from isthmus.mappings._kernels import gaussian, kernel_smoother, typical_square
from isthmus.mappings._nearest import directions
from isthmus.pairs import Pairs, Scaling, hold_out

SHARE = 0.25  # of the items, tested


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


def summary(rows):
    """For each mapping: target overlap over that of the better of lin and nn, and how many indices are above 0."""
    places = {}
    for row in rows:
        if row["role"] == "mapping":
            places.setdefault((row["pairs"], row["direction"], row["split"]), {})[row["mapping"]] = row
    found = {}
    for name in dict.fromkeys(row["mapping"] for row in rows if row["role"] == "mapping"):
        here = [place for place in places.values() if {"lin", "nn", name} <= set(place)]
        better = [max((place["lin"], place["nn"]), key=lambda row: row["target_overlap"]) for place in here]
        ratios = [place[name]["target_overlap"] / best["target_overlap"] for place, best in zip(here, better, strict=True)]
        found[name] = {
            "places": len(here),
            "ratio_mean": float(np.mean(ratios)) if ratios else None,
            "ratio_min": min(ratios, default=None),
            "higher_bridge_rate": sum(p[name]["bridge_rate"] > b["bridge_rate"] for p, b in zip(here, better, strict=True)),
            "lower_echo_rate": sum(p[name]["echo_rate"] < b["echo_rate"] for p, b in zip(here, better, strict=True)),
            "index_above_0": sum(place[name]["bridge_index"] > 0 for place in here),
            "index_and_overlap_above_ridge": sum(
                p[name]["bridge_index"] > 0 and p[name]["target_overlap"] > p["ridge"]["target_overlap"]
                for p in here
                if "ridge" in p
            ),
            "interval_above_0": sum(place[name]["bridge_index_low"] > 0 for place in here),
        }
    return found


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


def others_seen(x, y, test):
    """Target overlap of kernel ridge in directions where each item is predicted from all others, test items among them."""
    inputs = directions(Scaling.fit(x, "standardize").apply(x))
    smoother = kernel_smoother(gaussian(inputs, inputs, Snap().width * typical_square(inputs)))
    found = smoother.best(directions(y - y.mean(axis=0)), Snap().penalties)[2]
    return Criterion(x[test], y[test], 10)(found[test])["target_overlap"]


def ceiling(pairs, shares=(0.25, 0.5, 1.0)):
    """What is beyond the reach of a choice within the training items, on the same test items as the main table.

    `choice_on_test`: the best of all choices of snap, seen the test targets. `others_seen`: see above. `curve`: kernel
    ridge in directions, learned from growing parts of the training items.
    """
    split = hold_out(len(pairs), SHARE)
    order = np.random.default_rng(0).permutation(split.train)
    for direction, side in (("x->y", pairs), ("y->x", pairs.swap())):
        x, y = side.x.astype(float), side.y.astype(float)
        score, curve = Criterion(x[split.test], y[split.test], 10), []
        for share in shares:
            rows = order[: round(share * len(order))]
            found = Snap(steps=(0,), powers=(0.0,), shares=(0.0,)).fit(x[rows], y[rows])
            curve.append({"n_train": len(rows), "target_overlap": score(found.predict(x[split.test]))["target_overlap"]})
        with threadpool_limits(1):
            yield {
                "pairs": pairs.name, "direction": direction, "choice_on_test": Snap(slack=0.0).best_choice(x, y, [split])[1],
                "others_seen": others_seen(x, y, split.test), "curve": curve,
            }  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="400 items of the packaged sets and the fast mappings")
    parser.add_argument("--sets", default="")
    parser.add_argument("--mappings", default="")
    parser.add_argument("--splits", type=int, default=1, help="random splits, each 75/25")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--ceiling", action="store_true", help="only: what no choice within the training items reaches")
    options = parser.parse_args()
    if options.ceiling:
        rows = []
        for name, direction, one, other in twins(Path(os.environ["ISTHMUS_DATA"])):
            test = hold_out(len(one), SHARE).test
            agreement = Criterion(other[test], one[test], 10)(other[test])["target_overlap"]
            rows.append({"pairs": name, "direction": direction, "agreement_of_two_measurements": agreement})
        for pairs in sets(set(filter(None, options.sets.split(","))), options.quick):
            for row in ceiling(pairs):
                print(row, file=sys.stderr, flush=True)
                rows.append(row)
            if options.out:
                options.out.write_text(json.dumps(rows, indent=1) + "\n")
        print(json.dumps(rows, indent=1))
        return
    names = options.mappings.split(",") if options.mappings else list(FAMILY)
    if options.quick and not options.mappings:
        names = [name for name in FAMILY if name not in ("contrastive", "relational", "rcsls")]
    rows = []
    for pairs in sets(set(filter(None, options.sets.split(","))), options.quick):
        for number in range(options.splits):
            split = hold_out(len(pairs), SHARE, seed=number)
            found = audit(pairs, names, split=split)
            rows += [asdict(row) | {"split": number, "n_train": len(split.train)} for row in found.rows]
            for row in found.rows:
                if row.role == "mapping":
                    print(
                        f"{row.pairs} {row.direction} {number} {row.mapping}: target {row.target_overlap:.4f} "
                        f"input {row.input_overlap:.4f} bridge {row.bridge_rate:.4f} echo {row.echo_rate:.4f} "
                        f"index {row.bridge_index:+.4f} [{row.bridge_index_low:+.3f}, {row.bridge_index_high:+.3f}]",
                        file=sys.stderr, flush=True,
                    )  # fmt: skip
        if options.out:
            options.out.write_text(json.dumps({"rows": rows, "summary": summary(rows)}, indent=1) + "\n")
    print(json.dumps({"rows": rows, "summary": summary(rows)}, indent=1))


if __name__ == "__main__":
    main()
