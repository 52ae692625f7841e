"""The files that the documents' commands name, small: a few rows and columns of the embedded data."""

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

import isthmus
from isthmus.pairs import Vectors, write

ITEMS, LEARNED, MANY = 80, 56, 2100
SPEC = """name = "spec"

[data]
x = "text.npy"
y = "image.npy"

[protocol]
folds = 2

[measure]
k = [5, 10]

[[mappings]]
name = "ridge"
"""


def write_example_files(folder):
    """Every file that a document names, into a folder."""
    rng = np.random.default_rng(0)
    pairs = isthmus.load("imagenet-words").take(np.arange(ITEMS))
    text, image = pairs.x[:, :16].astype(np.float32), pairs.y[:, :24].astype(np.float32)

    def near(values, share):
        return (values + share * values.std() * rng.normal(size=values.shape)).astype(np.float32)

    mapped, old = near(image, 0.05), rng.normal(size=(MANY, 8)).astype(np.float32)
    new = near(old, 0.01)
    arrays = {
        "text": text, "image": image, "mapped": mapped, "x": text, "y": image,
        "old": old, "new": new, "a": old, "b": new, "f": near(new, 0.01),
    }  # fmt: skip
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)
    for name, values in (("text", text), ("image", image)):
        write(Vectors(values, pairs.ids, name), folder / f"{name}.npz")
    for name, values in (("old", old), ("new", new)):
        pl.DataFrame({"id": np.arange(MANY), "vector": values}).write_parquet(folder / f"{name}.parquet")
    for name, values in (("parts_a", old), ("parts_b", new)):
        (folder / name).mkdir()
        for part in (0, 1):
            np.save(folder / name / f"{part}.npy", values[part::2])
    pl.DataFrame({"id": pairs.ids, "text": text, "image": image}).write_parquet(folder / "items.parquet")
    part = np.where(np.arange(ITEMS) < LEARNED, "train", "test")
    pl.DataFrame({"index": np.arange(ITEMS), "part": part}).write_csv(folder / "split.tsv", separator="\t")
    labels = np.array(pairs.labels)
    columns = {
        "id": pairs.ids,
        "text": [f"a {word}" for word in pairs.ids],
        "label": labels,
        "category": labels,
        "split": part,
    }
    pl.DataFrame(columns).write_csv(folder / "items.tsv", separator="\t")
    np.savez(folder / "items.npz", labels=labels)
    (folder / "spec.toml").write_text(SPEC, encoding="utf-8")
    _words(folder, text, rng)
    with zipfile.ZipFile(folder / "pictures.zip", "w") as archive:
        for number in range(3):
            picture = io.BytesIO()
            Image.new("RGB", (40, 30), (80 * number, 20, 200)).save(picture, "PNG")
            archive.writestr(f"{number}.png", picture.getvalue())


def _words(folder, values, rng):
    """Word vectors in their formats, a dictionary, and ratings of word pairs."""
    words = [f"w{number}" for number in range(ITEMS)]
    lines = [f"{word} {' '.join(map(str, row))}" for word, row in zip(words, values.tolist(), strict=True)]
    headed = "\n".join([f"{ITEMS} {values.shape[1]}", *lines])
    for name in ("glove.txt", "glove.6B.300d.txt"):
        (folder / name).write_text("\n".join(lines), encoding="utf-8")
    for name in ("a.vec", "b.vec", "en.vec"):
        (folder / name).write_text(headed, encoding="utf-8")
    french = headed.replace("\nw", "\nm")
    for name in ("fr.vec", "en-mapped.vec"):
        (folder / name).write_text(french if name == "fr.vec" else headed, encoding="utf-8")
    for name in ("en-fr.txt", "test.txt"):
        (folder / name).write_text("\n".join(f"w{n} m{n}" for n in range(ITEMS)), encoding="utf-8")
    entries = (word.encode() + b" " + row.tobytes() + b"\n" for word, row in zip(words, values, strict=True))
    with gzip.open(folder / "b.bin.gz", "wb") as file:
        file.write(f"{ITEMS} {values.shape[1]}\n".encode() + b"".join(entries))
    np.savez(folder / "vectors.npz", glove=values)
    (folder / "words.txt").write_text("\n".join(words), encoding="utf-8")
    rated = [f"w{i}\tw{j}\t{rating}" for i, j, rating in rng.integers(0, ITEMS, size=(40, 3))]
    table = "\n".join(["word1\tword2\trating", *rated])
    (folder / "benchmarks").mkdir()
    for place in ("men.tsv", "SimLex-999.txt", "benchmarks/men.tsv", "benchmarks/simlex999.tsv"):
        Path(folder, place).write_text(table, encoding="utf-8")
    (folder / "combined.csv").write_text(table.replace("\t", ","), encoding="utf-8")
