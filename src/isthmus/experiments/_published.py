"""What Collell & Moens (2018) printed: every figure of their tables, as data to set one's own beside.

The figures are facts and stand as printed, in the order of reading, in `published/*.tsv`; a test reads them again from the
text of the paper. The paper does not say whether an item counts as its own neighbor; its published program counts it, and
`without_self` turns such a figure into what this package measures by default, at K - 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeVar

from isthmus._errors import DataError, IsthmusError
from isthmus.neighbors import Metric

_FOLDER = files("isthmus.experiments") / "published"

PUBLISHED_BASELINE: tuple[float, float] = (0.15, 0.23)
"""The range of the baseline overlap mNNO_10(X, Y), in [0, 1] (the paper's supplement, C).

Printed as 1.5 to 2.3, which cannot be shares and are read as neighbors out of 10. The sets, features and metric it is about
are not named. The same passage puts it below every target overlap; 25 of the 208 target overlaps in the tables are
below even 0.145, one of them in table 1.
"""

Mark = Literal["*", ""]


@dataclass(frozen=True, slots=True)
class PublishedOverlap:
    """One figure of tables 1 and 3-11: how many of its K = 10 neighbors a mapped test item shares, on average.

    mNNO_10(X, f(X)) or mNNO_10(Y, f(X)), eq. 1 of the paper, in [0, 1], three decimals; means over 5 folds (ImageNet) or
    over 5 runs with other first weights (IAPR TC-12, Wikipedia).

    Args:
        table: number of the table.
        set: words (ImageNet), sentences (IAPR TC-12) or documents (Wikipedia) and their images.
        direction: from the input to the target space.
        model: linear, or a network of 1, 3 or 5 hidden layers.
        image_features: ResNet (2048-d) or VGG-128 (128-d).
        text_features: GloVe or word2vec (300-d) on ImageNet, bi-GRU (64-d) elsewhere.
        loss: that the mapping was trained with. Tables 1, 10 and 11 name none: mse, the main choice of section 3.
        metric: of the neighbors.
        overlap: "input" for mNNO(X, f(X)), "target" for mNNO(Y, f(X)).
        published: the figure.
        printed_model: the label of the row as printed. In tables 3 and 4 ImageNet text->image has nn-3 twice and IAPR
            image->text has nn-5 above nn-3; `model` takes these rows for nn-3 and nn-5, in this order, as everywhere else.
            The figures do not settle it.
        mark: "*" beside the input overlap where it differs from the target overlap with p < 0.001 (two-sided rank sum,
            Bonferroni). Only table 1 was marked; in the others "" says nothing. Note that 5 values against 5 give no p
            below 0.0079.
    """

    table: int
    set: Literal["imagenet", "iapr", "wiki"]
    direction: Literal["image->text", "text->image"]
    model: Literal["lin", "nn", "nn-3", "nn-5"]
    image_features: Literal["resnet", "vgg128"]
    text_features: Literal["glove", "word2vec", "bigru"]
    loss: Literal["mse", "cosine", "max-margin"]
    metric: Metric
    overlap: Literal["input", "target"]
    published: float
    printed_model: Literal["lin", "nn", "nn-3", "nn-5"]
    mark: Mark


@dataclass(frozen=True, slots=True)
class PublishedSimilarity:
    """One figure of tables 2 and 12: how well similarities of vectors agree with those that people see.

    Spearman's rank correlation, in [-1, 1], three decimals; for maps, the mean over 10 draws of random weights.

    Args:
        table: number of the table.
        benchmark: the word pairs that people rated.
        vectors: those that are compared, or that the map is applied to.
        map: "none" for the vectors themselves, "lin" or "nn" for an untrained map of them into 2048 dimensions.
        similarity: the cosine, or "euclidean" for 1 / (1 + |a - b|).
        published: the figure.
        mark: "*" where mapped and original vectors differ with p < 0.05 (two-sided rank sum, Bonferroni). Only table 2 was
            marked; in table 12 "" says nothing.
    """

    table: int
    benchmark: Literal["wordsim353", "men", "semsim", "vissim", "simlex999", "simverb3500"]
    vectors: Literal["glove", "resnet", "word2vec", "vgg128"]
    map: Literal["none", "lin", "nn"]
    similarity: Metric
    published: float
    mark: Mark


_Figure = TypeVar("_Figure", PublishedOverlap, PublishedSimilarity)


def _records(name: str) -> Iterator[dict[str, Any]]:
    """The rows of a table of the package, which holds neither quotes nor tabs inside its fields."""
    lines = (_FOLDER / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    header, *rows = (line.split("\t") for line in lines)
    for row in rows:
        fields: dict[str, Any] = dict(zip(header, row, strict=True))
        yield fields | {"table": int(fields["table"]), "published": float(fields["published"])}


@cache
def _overlaps() -> tuple[PublishedOverlap, ...]:
    return tuple(PublishedOverlap(**record) for record in _records("overlaps"))


@cache
def _similarities() -> tuple[PublishedSimilarity, ...]:
    return tuple(PublishedSimilarity(**record) for record in _records("similarities"))


def _of_table(figures: tuple[_Figure, ...], table: int | None, elsewhere: str) -> tuple[_Figure, ...]:
    tables = sorted({figure.table for figure in figures})
    if table is not None and table not in tables:
        raise DataError(f"table: needed one of {', '.join(map(str, tables))}, got {table!r}. {elsewhere}")
    return tuple(figure for figure in figures if table in (None, figure.table))


def published_overlaps(table: int | None = None) -> tuple[PublishedOverlap, ...]:
    """The input and target overlaps of tables 1 and 3-11, in the order of reading: each target follows its input.

    mNNO_10(X, f(X)) and mNNO_10(Y, f(X)), eq. 1 of the paper, in [0, 1]: 208 pairs.

    Args:
        table: 1 or 3..11; all of them if left out.

    Raises:
        DataError: the paper has no overlaps in a table of this number.

    References:
        Collell, Moens (2018), "Do Neural Network Cross-Modal Mappings Really Bridge Modalities?", ACL, and its supplement.

    Example:
        >>> first, second = published_overlaps(1)[:2]
        >>> first.set, first.direction, first.model, first.image_features
        ('imagenet', 'image->text', 'lin', 'resnet')
        >>> first.overlap, first.published, second.overlap, second.published
        ('input', 0.681, 'target', 0.262)
    """
    return _of_table(_overlaps(), table, "Tables 2 and 12 are correlations: published_similarities() has them.")


def published_similarities(table: int | None = None) -> tuple[PublishedSimilarity, ...]:
    """The correlations with human ratings of tables 2 and 12, before and after untrained maps, in the order of reading.

    Spearman's rank correlation, in [-1, 1]: 72 in each table.

    Args:
        table: 2 (GloVe, ResNet) or 12 (word2vec, VGG-128); both if left out.

    Raises:
        DataError: the paper has no correlations in a table of this number.

    References:
        Collell, Moens (2018), "Do Neural Network Cross-Modal Mappings Really Bridge Modalities?", ACL, and its supplement.

    Example:
        >>> men = [s for s in published_similarities(2) if (s.benchmark, s.vectors) == ("men", "glove")]
        >>> {s.map: s.published for s in men if s.similarity == "cosine"}
        {'nn': 0.795, 'lin': 0.798, 'none': 0.801}
    """
    return _of_table(_similarities(), table, "The other tables are overlaps: published_overlaps() has them.")


def without_self(p: float, k: int = 10) -> float:
    """The overlap at K - 1 without self, in [0, 1], of an overlap at K where each item is its own first neighbor.

    (K p - 1) / (K - 1), since NNO_K with self is 1 + NNO_(K-1) without, item by item. It is exact where no item has exact
    duplicates; the published program may let a duplicate push the item out of its own list. A figure printed with three
    decimals is known to 0.0005, its conversion to K / (K - 1) times that.

    Args:
        p: mNNO with self, in [1/k, 1]; lower means do not occur, as each item shares at least itself.
        k: number of neighbors with self, 2 or more; 10 in all tables of the paper.

    Raises:
        IsthmusError: p or k out of range.

    References:
        The law and the convention of the published program: docs/measures.md, "Self".

    Example:
        >>> round(without_self(0.262), 3), without_self(0.1), without_self(1.0)
        (0.18, 0.0, 1.0)
    """
    if k < 2:
        raise IsthmusError(f"k: needed 2 or more, got {k}. With self alone in the list there is no overlap without it.")
    # 3 * (1/3) and its like may miss 1 by a rounding, which is no reason to refuse a mean of 1/k.
    if not 1 - 1e-12 <= k * p <= k:
        raise IsthmusError(
            f"p: needed an overlap in [1/{k}, 1], got {p}. One below 1/{k} was not counted with self; use it as it is."
        )
    return max(0.0, (k * p - 1) / (k - 1))
