"""The embedded sets are what their cards say, whole and usable."""

from importlib.resources import files

import numpy as np
import pytest

import isthmus
from isthmus import IsthmusError
from isthmus.datasets import CATALOG, DEFAULT


@pytest.mark.parametrize("name", CATALOG)
def test_a_set_is_what_its_card_says(name):
    card, pairs = CATALOG[name], isthmus.load(name)
    assert (len(pairs), pairs.x.shape[1], pairs.y.shape[1]) == (card.items, card.x_width, card.y_width)
    assert (pairs.name, pairs.x_space, pairs.y_space) == (name, card.x_space, card.y_space)
    assert len(set(pairs.labels)) == int(card.labels.split()[0])
    assert (np.linalg.norm(pairs.x, axis=1) > 0).all()


def test_the_default_set_and_its_words():
    pairs = isthmus.load()
    assert pairs.name == DEFAULT == "imagenet-words"
    assert "goldfish" in pairs.ids
    assert pairs.labels[pairs.ids.index("goldfish")] == "aquatic_vertebrate"


def test_both_imagenet_sets_share_ids_and_prototypes():
    words, glosses = isthmus.load("imagenet-words"), isthmus.load("imagenet-glosses")
    row_of = {item: row for row, item in enumerate(glosses.ids)}
    assert (words.y == glosses.y[[row_of[item] for item in words.ids]]).all()


def test_the_tables_are_plain_enough_for_their_reader():
    for name in ("imagenet", "emoji"):
        assert '"' not in (files("isthmus.datasets") / "embedded" / f"{name}.tsv").read_text(encoding="utf-8")


def test_the_notices_and_the_size():
    folder = files("isthmus.datasets") / "embedded"
    notice = (folder / "NOTICE.md").read_text(encoding="utf-8")
    sizes = {file.name: len(file.read_bytes()) for file in folder.iterdir() if file.name != "NOTICE.md"}
    assert all(name in notice for name in sizes)
    assert sum(sizes.values()) < 12e6


@pytest.mark.parametrize(("name", "near"), [("emojy", "emoji"), ("imagenet_words", "imagenet-words"), ("zzz", "")])
def test_an_unknown_set_is_refused_with_the_nearest_name(name, near):
    with pytest.raises(IsthmusError, match=f"got '{name}'. {f'Did you mean .{near}.' if near else '`isthmus data list`'}"):
        isthmus.load(name)
