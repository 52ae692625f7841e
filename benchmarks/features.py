"""How many pictures a second, beside a plain loop?

    python benchmarks/features.py PICTURES [--quick] [--backbone NAME] [--weights FILE] [--json out.json]

PICTURES is a folder or a zip archive. Ours is `isthmus.features.image_features`, from bytes to the written file: batches of
4 on two threads of their own, work kept part by part, broken pictures listed. The plain loop opens one picture after the
other and passes it through the same network, with one thread or with the two that torch would use; the last one stacks
pictures into batches of 16 first. All pictures are decoded by the same function. The features are compared.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from _timing import THREADS, compare, machine, parser, write

from isthmus.features import Gallery, TorchBackbone, decode, image_features, open_backbone, open_gallery
from isthmus.features._gallery import Picture


def loop(gallery: Gallery, pictures: list[Picture], backbone: TorchBackbone, batch: int, threads: int) -> np.ndarray:
    import torch

    look = backbone.look
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (look.mean, look.std))
    torch.set_num_threads(threads)
    rows = []
    with gallery.reader() as read, torch.inference_mode():
        for at in range(0, len(pictures), batch):
            squares = np.stack([decode(read(picture), look) for picture in pictures[at : at + batch]])
            x = torch.from_numpy(squares).permute(0, 3, 1, 2).float() / 255
            rows.append(backbone.network((x - mean) / std).numpy())
    return np.concatenate(rows)


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("pictures", type=Path)
    options.add_argument("--backbone", default="efficientnet-lite0")
    options.add_argument("--weights", type=Path)
    asked = options.parse_args()
    facts = machine("torch", "timm", "pillow")
    backbone = open_backbone(asked.backbone, asked.weights)
    gallery = open_gallery(asked.pictures)
    pictures = list(gallery.pictures[: 64 if asked.quick else 512])
    found: dict[str, np.ndarray] = {}
    with TemporaryDirectory() as folder, gallery.reader() as read:
        for number, picture in enumerate(pictures):
            Path(folder, f"{number:04d}.png").write_bytes(read(picture))
        here = open_gallery(folder)

        def ours() -> np.ndarray:
            with TemporaryDirectory() as place:
                image_features(folder, Path(place, "out.npy"), backbone, threads=THREADS)
                return np.load(Path(place, "out.npy"))

        def call(name: str, work: Callable[[], np.ndarray]) -> None:
            calls[name] = lambda: found.update({name: work()})

        calls: dict[str, Callable[[], object]] = {}
        call("isthmus, 2 threads", ours)
        call("plain loop, 1 thread", lambda: loop(here, list(here.pictures), backbone, 1, 1))
        call("plain loop, 2 threads", lambda: loop(here, list(here.pictures), backbone, 1, THREADS))
        call("batches of 16, 2 threads", lambda: loop(here, list(here.pictures), backbone, 16, THREADS))
        rows: list[dict[str, Any]] = compare(
            f"{len(pictures)} pictures", "isthmus, 2 threads", calls, 1 if asked.quick else 3
        )
    for row in rows:
        row["pictures_per_second"] = len(pictures) / row["seconds"]
        row["difference"] = float(np.abs(found[row["name"]] - found["isthmus, 2 threads"]).max())
        print(f"{row['name']:<28} {row['pictures_per_second']:7.1f} pictures/s, features within {row['difference']:.1e}")
    write(asked.json, facts, rows)


if __name__ == "__main__":
    main()
