"""The paper's text features: hidden states of a bidirectional GRU that has learned to tell the classes of texts.

The paper says (supplement, section 2): embedded texts go through a bidirectional GRU of 64 units and a fully connected
layer, under cross-entropy on the class labels and Adam; the features are the hidden states, averaged. What it leaves open is
decided here: the average is over time and over both directions, and the fully connected layer sees nothing but that
average, so that what it learns to tell apart is in the features.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError, DivergenceError
from isthmus._shapes import Float, Progress
from isthmus.features._extra import needed, one_thread
from isthmus.features._parts import write_whole
from isthmus.features._texts import tokens, vocabulary
from isthmus.pairs import Vectors, as_classes, check_seed

_SPREAD = 0.5  # standard deviation of random word vectors, about that of GloVe's
_TEXTS_AT_ONCE = 256  # that are encoded


class BiGRU:
    """An encoder of texts, learned from their classes.

    h_t are the outputs of a GRU read forwards and of one read backwards, 64 numbers each; the features of a text of T
    words are z = 1/(2T) Σ_t (h_t forwards + h_t backwards), and its classes are scored by W z + b. One class a text: softmax
    cross-entropy; several: the mean of the binary cross-entropies of the classes. Words that have no vector are passed over;
    a text without any other has the features of one word whose vector is 0.

    Args:
        units: hidden units a direction, the width of the features.
        width: of word vectors that are drawn at random; given ones have their own.
        epochs: passes over the texts.
        batch: texts a step.
        learning_rate: of Adam.
        seed: of the weights, the random word vectors and the order of the texts; the same seed gives the same bytes.

    Attributes:
        classes_: names of the classes, or None where labels were a table.
        words_: that have a vector.
        losses_: mean training loss of each epoch.

    References:
        Collell, Moens (2018), supplement, section 2; Cho et al. (2014), "Learning phrase representations using RNN
        encoder-decoder", EMNLP.
    """

    def __init__(
        self,
        *,
        units: int = 64,
        width: int = 50,
        epochs: int = 12,
        batch: int = 32,
        learning_rate: float = 3e-3,
        seed: int = 0,
    ) -> None:
        for name, count in {"units": units, "width": width, "epochs": epochs, "batch": batch}.items():
            if count < 1:
                raise DataError(f"{name}: needed at least 1, got {count}. Leave it out.")
        if not 0 < learning_rate < 1:
            raise DataError(f"learning_rate: needed a rate in (0, 1), got {learning_rate}. Leave it out.")
        self.units = units
        self.width = width
        self.epochs = epochs
        self.batch = batch
        self.learning_rate = learning_rate
        self.seed = check_seed(seed)

    def fit(
        self,
        texts: Sequence[str],
        labels: Sequence[str] | ndarray,
        vectors: Vectors | None = None,
        progress: Progress | None = None,
    ) -> "BiGRU":
        """Learn from texts and their classes.

        Args:
            texts: one an item.
            labels: one class a text (an array of one column too), or a table of texts by two or more classes that is not 0
                where a text has the class.
            vectors: word vectors with the words as ids, in lower case; all of these words are known afterwards, and the
                words of the texts that are not among them get random vectors. Random ones for all, if left out.
            progress: see `Progress`.

        Raises:
            DataError: not one label a text, fewer than two classes, no words, or word vectors without words.
            DivergenceError: a loss that is no finite number.
            MissingExtraError: without torch installed.
        """
        torch: Any = needed("torch")
        targets, self.classes_ = _targets(labels, len(texts))
        self.words_, start = self._start(texts, vectors)
        self._row_of = {word: row for row, word in enumerate(self.words_, start=1)}
        rows = [self._rows(text) for text in texts]
        rng = np.random.default_rng([self.seed, 0x6B1])
        with one_thread(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            classes = targets.shape[1] if self.classes_ is None else len(self.classes_)
            self._network = _network(torch, start, self.units, classes)
            optimizer = torch.optim.Adam(self._network.parameters(), lr=self.learning_rate)
            entropy = torch.nn.functional
            loss_of = entropy.cross_entropy if targets.ndim == 1 else entropy.binary_cross_entropy_with_logits
            target = torch.from_numpy(targets)
            self.losses_ = []
            for epoch in range(self.epochs):
                self.losses_.append(self._epoch(rows, target, rng.permutation(len(rows)), optimizer, loss_of))
                if progress is not None:
                    progress("epochs", epoch + 1, self.epochs)
        return self

    def _epoch(
        self, rows: Sequence[list[int]], target: Any, order: ndarray, optimizer: Any, loss_of: Callable[..., Any]
    ) -> float:
        total = 0.0
        for at in range(0, len(order), self.batch):
            chosen = order[at : at + self.batch]
            optimizer.zero_grad()
            scores = self._network["dense"](_averaged(self._network, [rows[i] for i in chosen]))
            loss = loss_of(scores, target[chosen])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(chosen)
        if not np.isfinite(total):
            raise DivergenceError(f"learning_rate: needed a loss that stays finite, got {total}. Lower it.")
        return total / len(order)

    def encode(self, texts: Sequence[str]) -> Float[ndarray, "n units"]:
        """Features of texts; with this a BiGRU is an `Encoder`."""
        return self._apply(texts, lambda features: features)

    def scores(self, texts: Sequence[str]) -> Float[ndarray, "n classes"]:
        """How much each class fits each text, before softmax or logistic function."""
        return self._apply(texts, self._fitted()["dense"])

    def accuracy(self, texts: Sequence[str], labels: Sequence[str] | ndarray) -> float:
        """Share of texts whose class has the highest score; with several a text, share of right decisions (text, class)."""
        targets = as_classes(labels)
        scores = self.scores(texts)
        if targets.ndim == 2:
            return float(np.mean((scores > 0) == targets))
        if self.classes_ is None:
            raise DataError(
                "labels: needed a table of texts by classes, as in training, got one class a text. Pass a table."
            )
        return float(np.mean(np.array(self.classes_)[scores.argmax(axis=1)] == targets))

    def save(self, path: str | Path) -> None:
        """Write a fitted encoder to a safetensors file, whole or not at all.

        Raises:
            DataError: not fitted, or a place that cannot be written.
        """
        from safetensors.numpy import save as packed  # noqa: PLC0415 - not save_file, whose files only their owner may read

        arrays = {name: value.numpy() for name, value in self._fitted().state_dict().items()}
        described = json.dumps({"settings": self._settings(), "classes": self.classes_, "words": self.words_})
        write_whole(Path(path), packed(arrays, metadata={"isthmus-bigru": described}))

    @classmethod
    def load(cls, path: str | Path) -> "BiGRU":
        """The encoder in a file that `save` wrote.

        Raises:
            DataError: no such file, or one that holds no BiGRU.
            MissingExtraError: without torch installed.
        """
        from safetensors import SafetensorError, safe_open  # noqa: PLC0415

        torch: Any = needed("torch")
        try:
            with safe_open(path, framework="numpy") as tensors:
                described = json.loads((tensors.metadata() or {})["isthmus-bigru"])
                arrays = {name: torch.from_numpy(tensors.get_tensor(name)) for name in tensors.keys()}  # noqa: SIM118
            found = cls(**described["settings"])
            found.classes_, found.words_ = described["classes"], described["words"]
            found._row_of = {word: row for row, word in enumerate(found.words_, start=1)}
            found._network = _network(torch, arrays["words.weight"].numpy(), found.units, len(arrays["dense.bias"]))
            found._network.load_state_dict(arrays)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise DataError(
                f"{path}: needed a BiGRU saved by isthmus, got something else ({type(error).__name__}). Save it again."
            ) from error
        return found

    def _settings(self) -> dict[str, Any]:
        return {
            "units": self.units, "width": self.width, "epochs": self.epochs, "batch": self.batch,
            "learning_rate": self.learning_rate, "seed": self.seed,
        }  # fmt: skip

    def _fitted(self) -> Any:
        if not hasattr(self, "_network"):
            raise DataError("BiGRU: needed one that has learned, got a new one. Call fit, or BiGRU.load.")
        return self._network

    def _start(self, texts: Sequence[str], vectors: Vectors | None) -> tuple[list[str], Float[ndarray, "words width"]]:
        """The words that are known and their first vectors, after a row of zeros for none."""
        words = vocabulary(texts)
        if not words:
            raise DataError("texts: needed some words, got none in any text. Check that the column is the right one.")
        if vectors is not None and vectors.ids is None:
            raise DataError(
                f"{vectors.name}: needed word vectors with their words, got rows without ids. Name another file."
            )
        given = () if vectors is None or vectors.ids is None else vectors.ids
        known = set(given)
        drawn = [word for word in words if word not in known]
        width = self.width if vectors is None else vectors.values.shape[1]
        rng = np.random.default_rng([self.seed, 0x30D])
        random = _SPREAD * rng.standard_normal((len(drawn), width), dtype=np.float32)
        own = [] if vectors is None else [vectors.values.astype(np.float32)]
        return [*given, *drawn], np.concatenate([np.zeros((1, width), dtype=np.float32), *own, random])

    def _rows(self, text: str) -> list[int]:
        return [row for word in tokens(text) if (row := self._row_of.get(word))] or [0]

    def _apply(self, texts: Sequence[str], last: Callable[[Any], Any]) -> Float[ndarray, "n d"]:
        torch: Any = needed("torch")
        network = self._fitted()
        if not len(texts):
            raise DataError("texts: needed at least one, got none. Check them.")
        rows = [self._rows(text) for text in texts]
        with one_thread(), torch.inference_mode():
            blocks = [
                last(_averaged(network, rows[at : at + _TEXTS_AT_ONCE])).numpy()
                for at in range(0, len(rows), _TEXTS_AT_ONCE)
            ]
        return np.concatenate(blocks)


def _targets(labels: Sequence[str] | ndarray, n: int) -> tuple[Any, list[str] | None]:
    """Numbers of classes and their names, or a table of 0 and 1 and None."""
    array = as_classes(labels)
    if len(array) != n:
        raise DataError(
            f"labels: needed one class, or one row of a table, for each of {n} texts, got {array.shape}. Name "
            "labels of the texts."
        )
    if array.ndim == 2:
        if not array.any():
            raise DataError("labels: needed texts with classes, got a table of zeros. Check it.")
        return array.astype(np.float32), None
    names, number = np.unique(array, return_inverse=True)
    if len(names) < 2:
        raise DataError(f"labels: needed at least two classes, got {len(names)}. Name another column.")
    return number.astype(np.int64), names.tolist()


def _network(torch: Any, vectors: Float[ndarray, "words width"], units: int, classes: int) -> Any:
    words = torch.nn.Embedding.from_pretrained(torch.from_numpy(vectors), freeze=False, padding_idx=0)
    gru = torch.nn.GRU(vectors.shape[1], units, batch_first=True, bidirectional=True)
    return torch.nn.ModuleDict({"words": words, "gru": gru, "dense": torch.nn.Linear(units, classes)})


def _averaged(network: Any, rows: Sequence[list[int]]) -> Any:
    """Hidden states of each text, averaged over its words and both directions; what pads a batch counts nowhere."""
    torch: Any = needed("torch")
    sequences = torch.nn.utils.rnn
    lengths = torch.tensor([len(row) for row in rows])
    padded = sequences.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    packed = sequences.pack_padded_sequence(network["words"](padded), lengths, batch_first=True, enforce_sorted=False)
    states, _ = sequences.pad_packed_sequence(network["gru"](packed)[0], batch_first=True)
    return (states.sum(1) / lengths[:, None]).unflatten(1, (2, -1)).mean(1)
