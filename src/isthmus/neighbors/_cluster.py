"""The streamed search, spread over the workers of a Dask cluster.

A task searches a stretch of one file for all queries, block by block, and tasks of their own merge what four others found,
until one result is left: only that one comes to the client, whatever the size of the set. Nothing that a task needs lives on
one worker only: queries are read by a task of their own from the same files, so what is lost with a worker is computed again
by another. Merging keeps the k smallest (squared distance, row number), whatever the order, so the table is that of one
process, bit for bit. The files must be readable by every worker under the same paths.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import MissingExtraError, NeighborError
from isthmus._shapes import Float, Int, Progress
from isthmus.neighbors._native import NativeEngine, available, cores
from isthmus.neighbors._neighbors import Metric, Neighbors, check_distance, check_k, check_metric, check_rows
from isthmus.neighbors._search import default_engine, in_metric
from isthmus.neighbors._streamed import Found, block_rows, lot_of_queries, merge, row_bytes, search_block
from isthmus.pairs import Part, VectorStream, read_blocks

_TASKS_A_THREAD = 4  # of a worker: so many that none waits long for the last, and few that are lost with a worker
_MERGED_AT_ONCE = 4  # results
_BLOCK_BYTES = 1 << 28  # of a block of rows, packed and unpacked


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Dask cluster that searches sets in files.

    Args:
        client: a `distributed.Client`.
        memory: bytes that a worker may hold for its blocks and their queries, beside what it holds without work; a worker
            of several threads runs as many tasks at once, and each gets its share.
        threads: of a task's search; the worker's cores, shared among its threads, if left out.
    """

    client: Any
    memory: int = 1 << 30
    threads: int | None = None

    @classmethod
    def connect(cls, where: str, memory: int = 1 << 30) -> "Cluster":
        """The cluster at an address, such as tcp://host:8786, or a local one of so many workers, such as 2.

        Raises:
            MissingExtraError: without dask and distributed installed.
            NeighborError: no cluster there.
        """
        try:
            from distributed import Client, LocalCluster  # noqa: PLC0415 - an optional extra
        except ImportError as error:
            raise MissingExtraError(
                "cluster: needed dask and distributed, found none. Run `pip install 'isthmus[cluster]'`."
            ) from error
        if where.isascii() and where.isdigit() and int(where):
            local = LocalCluster(n_workers=int(where), threads_per_worker=1, dashboard_address=":0", silence_logs=50)
            return cls(Client(local), memory, max(1, cores() // int(where)))
        try:
            return cls(Client(where, timeout=10), memory)
        except (OSError, ValueError) as error:
            raise NeighborError(
                f"cluster: needed a number of local workers or the address of a scheduler, got {where!r} ({error}). "
                "Use 2, or tcp://host:8786."
            ) from error

    def close(self) -> None:
        """Leave the cluster, and end it where it is a local one that was started here."""
        local = self.client.cluster
        self.client.close()
        if local is not None:
            local.close()

    def search(
        self,
        stream: VectorStream,
        k: int,
        metric: Metric = "cosine",
        *,
        rows: Int[ndarray, " m"] | None = None,
        include_self: bool = False,
        progress: Progress | None = None,
    ) -> Neighbors:
        """What `isthmus.neighbors.search` gives for a set in files, the work done by the cluster.

        Args:
            stream: the set; every worker must be able to read its files.
            k: neighbors per item.
            metric: "cosine" or "euclidean".
            rows: the items whose neighbors are wanted; all, if left out.
            include_self: count each item as its own first neighbor.
            progress: called with what is being done, the tasks done and the tasks in all.

        Raises:
            NeighborError: an unknown metric, or k outside its range.
            DataError: a file that cannot be read, or that holds NaN or infinity.
        """
        if not isinstance(stream, VectorStream):
            raise NeighborError(
                f"vectors: needed a set in files, got {type(stream).__name__}. Use isthmus.pairs.open_stream."
            )
        check_distance(check_metric(metric), "sets in files")
        k = check_k(k, len(stream), include_self=include_self, name=stream.name)
        wanted = np.arange(len(stream)) if rows is None else check_rows(rows, len(stream))
        others = k - include_self
        index, squared = self._found(stream, wanted, others, metric, progress) if others else _nothing(len(wanted), 0)
        distance = in_metric(squared, metric)
        if include_self:
            index = np.concatenate([wanted[:, None], index], axis=1)
            distance = np.concatenate([np.zeros((len(wanted), 1)), distance], axis=1)
        return Neighbors(index, distance, metric, include_self, None if rows is None else wanted, len(stream))

    def _found(
        self, stream: VectorStream, wanted: Int[ndarray, " m"], k: int, metric: Metric, progress: Progress | None
    ) -> Found:
        """In as many passes over the files as the memory of a task asks for."""
        at_once = self.client.nthreads().values()
        share = max(at_once, default=1)
        lot = lot_of_queries(self.memory // share, stream, len(wanted), k)
        rows = block_rows(self.memory // share, stream, lot, k)
        rows = min(rows, max(1, _BLOCK_BYTES // row_bytes(stream)))
        stretches = _stretches(stream, rows, _TASKS_A_THREAD * max(1, sum(at_once)))
        lots = [wanted[start : start + lot] for start in range(0, len(wanted), lot)]
        tables = []
        for number, own in enumerate(lots):
            asked = self.client.submit(_ask, stream, own, pure=False)
            settings = (stream.name, asked, rows, k, metric, self.threads, share)
            done = number * len(stretches), len(lots) * len(stretches)
            tables.append(
                self._merged(
                    [self.client.submit(_search, stretch, *settings, pure=False) for stretch in stretches],
                    f"neighbors in {stream.name}", *done, progress,
                )
            )  # fmt: skip
        index, squared = (np.concatenate(column) for column in zip(*tables, strict=True))
        return index, squared

    def _merged(self, found: list[Any], what: str, done: int, tasks: int, progress: Progress | None) -> Found:
        from distributed import KilledWorker, as_completed  # noqa: PLC0415

        try:
            searches = as_completed(found)
            while len(found) > 1:  # what has been merged is forgotten by the cluster
                found = [
                    self.client.submit(_merge, found[start : start + _MERGED_AT_ONCE], pure=False)
                    for start in range(0, len(found), _MERGED_AT_ONCE)
                ]
            for number, task in enumerate(searches, start=done + 1):
                if task.status != "finished":
                    task.result()  # raises
                if progress is not None:
                    progress(what, number, tasks)
            return found[0].result()
        except KilledWorker as error:
            raise NeighborError(
                f"cluster: needed workers that stay, got {' '.join(str(error).split())} If they ran out of memory, give "
                f"less than {self.memory / 1e6:.0f} MB, or larger workers."
            ) from error


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Pieces of a part, whose first row is row `first` of the set."""

    part: Part
    pieces: tuple[tuple[int, int], ...]
    first: int


def _stretches(stream: VectorStream, rows: int, tasks: int) -> list[_Stretch]:
    """The set in about so many stretches, none of which reaches over the end of a file."""
    most = -(-len(stream) // tasks)
    found, first = [], 0
    for part in stream.parts:
        pieces: list[tuple[int, int]] = []
        for piece in part.pieces(min(rows, most)):
            if pieces and piece[1] - pieces[0][0] > most:
                found.append(_Stretch(part, tuple(pieces), first))
                pieces = []
            pieces.append(piece)
        found.append(_Stretch(part, tuple(pieces), first))
        first += part.rows
    return found


_Asked = tuple[Int[ndarray, " m"], Float[ndarray, "m d"]]  # rows of the set, and their vectors


def _ask(stream: VectorStream, own: Int[ndarray, " m"]) -> _Asked:
    return own, stream.rows(own)


def _nothing(m: int, k: int) -> Found:
    return np.full((m, k), -1), np.full((m, k), np.inf)


def _search(
    stretch: _Stretch, name: str, asked: _Asked, rows: int, k: int, metric: Metric, threads: int | None, share: int
) -> Found:
    own, queries = asked
    engine = NativeEngine(threads or max(1, cores() // share)) if available() else default_engine()
    found = _nothing(len(own), k)
    for start, block in read_blocks(stretch.part, stretch.pieces, rows):
        within = found[1][:, -1]
        found = merge(found, search_block(block, stretch.first + start, queries, own, within, metric, engine, name, k))
    return found


def _merge(found: list[Found]) -> Found:
    return reduce(merge, found)
