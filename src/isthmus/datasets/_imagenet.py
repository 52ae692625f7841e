"""ImageNet word by word: from the pictures of synsets to one visual vector a word.

Collell & Moens (2018), section 4.1: the most relevant word of each synset, synsets of more than 50 pictures only, and for a
word the centroid of all its pictures. Several synsets may have the same word: their pictures count together, so the word's
vector is the mean of their centroids, weighted by pictures.

WordNet is read from its own files (data.noun, cntlist.rev), which are text with fixed fields (wndb(5WN), cntlist(5WN)): two
functions, where nltk would bring a corpus downloader and `wn` a database of its own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError
from isthmus._shapes import Float, Int
from isthmus.pairs import Pairs, Vectors, check_vectors

MORE_THAN = 50
"""Pictures that a synset must have more than."""


@dataclass(frozen=True, slots=True)
class ImageNetWords:
    """Words with their visual vectors and text vectors, and what became of each synset.

    Args:
        pairs: words x, pictures y; ids are the words.
        synsets: of each word, those whose pictures are in it.
        pictures: of each word.
        few: synsets left out for too few pictures.
        without_word: synsets that WordNet does not know.
        without_vector: words left out that have no text vector.
    """

    pairs: Pairs
    synsets: tuple[tuple[str, ...], ...]
    pictures: Int[ndarray, " n"]
    few: tuple[str, ...]
    without_word: tuple[str, ...]
    without_vector: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{len(self.pairs)} words of {sum(map(len, self.synsets))} synsets; left out: {len(self.few)} synsets with few "
            f"pictures, {len(self.without_word)} without a word, {len(self.without_vector)} words without a vector"
        )


def read_wordnet(folder: str | Path) -> dict[str, str]:
    """The most relevant word of every noun synset: the one most often tagged with this sense, the first of equals.

    WordNet counts in cntlist.rev how often each sense of a word was tagged in texts. Where no word of a synset was, or that
    file is not there, it is the first word, since WordNet lists the most usual one first.

    Args:
        folder: that holds data.noun and, if there is one, cntlist.rev.

    Returns:
        Words by synset, as ImageNet writes it: "n" and eight digits. Spaces are underscores, as in WordNet.

    Raises:
        DataError: no data.noun, or one that is cut off.
    """
    base = Path(folder)
    tagged = _tagged(base / "cntlist.rev")
    words = {}
    path = base / "data.noun"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: needed WordNet's noun file, got {error}. `isthmus data show wordnet-3.0` tells where."
        ) from error
    for number, line in enumerate(lines, start=1):
        if line.startswith("  ") or not line.strip():  # the license at the top
            continue
        fields = line.split(" ")
        try:
            offset, file, count = fields[0], int(fields[1]), int(fields[3], 16)
            lemmas = [(fields[4 + 2 * i], int(fields[5 + 2 * i], 16)) for i in range(count)]
            if not re.fullmatch("[0-9]{8}", offset) or " | " not in line or not lemmas:
                raise ValueError(line)
        except (ValueError, IndexError):
            raise DataError(
                f"{path}: needed a whole synset in line {number}, got {line[:60]!r}. Fetch WordNet again."
            ) from None
        counts = [tagged.get((lemma.lower(), file, sense), 0) for lemma, sense in lemmas]
        words[f"n{offset}"] = lemmas[counts.index(max(counts))][0]
    return words


def _tagged(path: Path) -> dict[tuple[str, int, int], int]:
    """How often a noun was tagged with a sense, by word, lexicographer file and number in that file."""
    if not path.is_file():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"(.+)%1:(\d+):(\d+):: \d+ (\d+)", line)
        if match is not None:
            found[match[1], int(match[2]), int(match[3])] = int(match[4])
    return found


def imagenet_pairs(
    centroids: Vectors,
    pictures: Sequence[int] | Mapping[str, int],
    words: Mapping[str, str],
    text: Vectors,
    *,
    more_than: int = MORE_THAN,
) -> ImageNetWords:
    """Words with their text vectors x and visual centroids y, as in the paper.

    A word is looked up as it is, then with spaces and with hyphens in place of underscores, then in small letters; what is
    not found is left out and recorded. Words that differ only in capitals (`crane`, the bird, and `Crane`, the poet) are two
    items; where `text` has but the small one, both have its vector, and are each other's neighbors at distance 0. Text is x
    and pictures are y here; `read_paper_set` gives the images as x and the texts as y. Give vectors of whole expressions as
    `text` to have those too.

    Args:
        centroids: mean image features of each synset; the ids are synsets (n01440764).
        pictures: how many each is the mean of, in the order of the centroids or by synset.
        words: of synsets, as from `read_wordnet`.
        text: vectors of words; the ids are words.
        more_than: pictures that a synset must have more than.

    Raises:
        DataError: centroids or text without ids, counts that are missing or below 0, or no word left.

    Example:
        >>> centroids = Vectors.of([[1.0], [3.0], [9.0]], ("n1", "n2", "n3"), "centroids")
        >>> text = Vectors.of([[0.0, 1.0]], ("crane",), "text")
        >>> found = imagenet_pairs(centroids, [100, 300, 50], {"n1": "crane", "n2": "crane", "n3": "ox"}, text)
        >>> found.pairs.ids, found.pairs.y.tolist(), found.few
        (('crane',), [[2.5]], ('n3',))
    """
    for name, given in (("centroids", centroids), ("text", text)):
        if given.ids is None:
            raise DataError(
                f"{name}: needed ids, the {'synsets' if name == 'centroids' else 'words'}, got none. Name the rows."
            )
    synsets, known = centroids.ids or (), {word: row for row, word in enumerate(text.ids or ())}
    counts = _counts(pictures, synsets)
    few = tuple(each for each, count in zip(synsets, counts, strict=True) if count <= more_than)
    without_word = tuple(
        each for each, count in zip(synsets, counts, strict=True) if count > more_than and each not in words
    )
    rows_of: dict[str, list[int]] = {}
    for row, each in enumerate(synsets):
        if counts[row] > more_than and each in words:
            rows_of.setdefault(words[each], []).append(row)
    found = {word: place for word in rows_of if (place := _look_up(word, known)) is not None}
    kept = tuple(found)
    if not kept:
        raise DataError(
            f"text: needed vectors of the {len(rows_of)} words, found none. Check that it holds words, not synsets."
        )
    y = np.stack([_mean(centroids.values[rows_of[word]], counts[rows_of[word]]) for word in kept])
    x = text.values[list(found.values())]
    return ImageNetWords(
        Pairs(x, check_vectors(y, "centroids"), kept, None, "imagenet", "words", "images"),
        tuple(tuple(synsets[row] for row in rows_of[word]) for word in kept),
        np.array([counts[rows_of[word]].sum() for word in kept], dtype=np.int64),
        few, without_word, tuple(word for word in rows_of if word not in found),
    )  # fmt: skip


def _mean(values: Float[ndarray, "m d"], counts: Int[ndarray, " m"]) -> Float[ndarray, " d"]:
    return np.average(values.astype(np.float64), axis=0, weights=counts)


def _counts(pictures: Sequence[int] | Mapping[str, int], synsets: Sequence[str]) -> Int[ndarray, " n"]:
    given = [pictures.get(each, -1) for each in synsets] if isinstance(pictures, Mapping) else list(pictures)
    if len(given) != len(synsets) or min(given, default=0) < 0:
        got = f"{len(given)}" if len(given) != len(synsets) else f"none for {synsets[given.index(min(given))]}"
        raise DataError(
            f"pictures: needed a count for each of {len(synsets)} synsets, got {got}. Count the pictures of all."
        )
    return np.array(given, dtype=np.int64)


def _look_up(word: str, known: Mapping[str, int]) -> int | None:
    written = (word, word.replace("_", " "), word.replace("_", "-"))
    return next((known[each] for each in (*written, *(each.lower() for each in written)) if each in known), None)
