"""The mean of all pictures of a word, without holding the pictures' features.

A run keeps, for each part of it, the sums of the words that occur there. Sums are added part by part in float64, so the
result depends on neither the number of threads nor on where a run was stopped.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy import ndarray

from isthmus._shapes import Float, Int


def word_sums(
    word: Int[ndarray, " n"], values: Float[ndarray, "n d"]
) -> tuple[Int[ndarray, " m"], Float[ndarray, "m d"], Int[ndarray, " m"]]:
    """The words that occur, the sum of the rows of each, and their number.

    Example:
        >>> word_sums(np.array([7, 2, 7]), np.array([[1.0], [5.0], [2.0]]))
        (array([2, 7]), array([[5.], [3.]]), array([1, 2]))
    """
    words, row = np.unique(word, return_inverse=True)
    sums = np.zeros((len(words), values.shape[1]))
    np.add.at(sums, row, values)
    return words, sums, np.bincount(row, minlength=len(words))


@dataclass(slots=True)
class Centroids:
    """Centroids of words whose pictures come part by part.

    c_w is the mean of the features of all pictures of the word w (Collell & Moens 2018, section 4.1: the average feature
    vector of all available images for this word).

    Args:
        words: number of words.

    Example:
        >>> centroids = Centroids(3)
        >>> centroids.add(*word_sums(np.array([0, 2]), np.array([[1.0], [4.0]])))
        >>> centroids.add(*word_sums(np.array([2]), np.array([[6.0]])))
        >>> centroids.means(more_than=1)
        (array([2]), array([[5.]]))
    """

    words: int
    counts: Int[ndarray, " words"] = field(init=False)
    sums: Float[ndarray, "words d"] = field(init=False)

    def __post_init__(self) -> None:
        self.counts = np.zeros(self.words, dtype=np.int64)
        self.sums = np.zeros((self.words, 0))

    def add(self, words: Int[ndarray, " m"], sums: Float[ndarray, "m d"], counts: Int[ndarray, " m"]) -> None:
        """Add what `word_sums` gave of some pictures."""
        if len(words) and not self.sums.shape[1]:
            self.sums = np.zeros((self.words, sums.shape[1]))
        if len(words):
            self.sums[words] += sums
        self.counts[words] += counts

    def means(self, more_than: int = 0) -> tuple[Int[ndarray, " m"], Float[ndarray, "m d"]]:
        """The words that have more than so many pictures, and their centroids."""
        kept = np.flatnonzero(self.counts > more_than)
        return kept, self.sums[kept] / self.counts[kept, None]
