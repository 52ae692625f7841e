"""Build the data sets inside the package from the folders that hold their sources.

    python scripts/embed_datasets.py SOURCES

SOURCES holds `imagenet1k_words` (classes.tsv, text_glove.npz, text_gloss_minilm_384.npz, visual_lite0_1280.npz) and
`emoji_noto` (items.tsv, text_features.npz, image_lite0_1280.npz); NOTICE.md beside the result says where those come from.
float16 is used where it changes no overlap by more than 0.0002, which this script checks and prints.
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl

from isthmus.measures import overlap
from isthmus.pairs import read

FOLDER = Path(__file__).parents[1] / "src" / "isthmus" / "datasets" / "embedded"


def table(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, separator="\t", infer_schema=False).fill_null("")


def keep(name: str, values: np.ndarray, dtype: type) -> np.ndarray:
    np.savez_compressed(FOLDER / f"{name}.npz", vectors=values.astype(dtype))
    print(f"{name}: {values.shape}, {(FOLDER / f'{name}.npz').stat().st_size / 1e6:.2f} MB")
    return values.astype(dtype)


def main(sources: Path) -> None:
    imagenet, emoji = sources / "imagenet1k_words", sources / "emoji_noto"
    classes = table(imagenet / "classes.tsv")
    with np.load(imagenet / "text_glove.npz") as arrays:
        words = arrays["glove100"]
    glosses = read(f"{imagenet}/text_gloss_minilm_384.npz:minilm").values
    images = read(f"{imagenet}/visual_lite0_1280.npz:weight").values
    usable = np.isfinite(words).all(axis=1)
    small = {
        "imagenet_words": keep("imagenet_words", np.where(usable[:, None], words, 0), np.float32),
        "imagenet_glosses": keep("imagenet_glosses", glosses, np.float16),
        "imagenet_prototypes": keep("imagenet_prototypes", images, np.float16),
    }
    classes.select("wnid", "word", "category", "gloss", pl.Series("has_word", usable)).write_csv(
        FOLDER / "imagenet.tsv", separator="\t"
    )
    emoji_text = read(f"{emoji}/text_features.npz:minilm384").values
    emoji_image = read(f"{emoji}/image_lite0_1280.npz:image").values
    keep("emoji_text", emoji_text, np.float16)
    keep("emoji_image", emoji_image, np.float16)
    table(emoji / "items.tsv").select("unified", "name", "group", "subgroup", "text").write_csv(
        FOLDER / "emoji.tsv", separator="\t"
    )
    before = overlap(words[usable], images[usable])
    after = overlap(small["imagenet_words"][usable], small["imagenet_prototypes"][usable])
    print("imagenet-words, overlap before and after:", before.mnno, after.mnno)
    if abs(before.mnno - after.mnno) > 2e-4:
        raise SystemExit("float16 changed the overlap")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
