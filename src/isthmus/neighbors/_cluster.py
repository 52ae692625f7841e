"""The streamed search, spread over the workers of a Dask cluster.

A task searches one block of one file for all queries; its result is as small as the queries' lists. Nothing that a task
needs lives on one worker only: queries are read by a task of their own from the same files, so what is lost with a worker
is computed again by another. Merging keeps the k smallest (squared distance, row number), whatever the order of arrival, so
the table is that of one process, bit for bit. The files must be readable by every worker under the same paths.
"""

from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import MissingExtraError, NeighborError
from isthmus._shapes import Float, Int, Progress
from isthmus.neighbors._native import NativeEngine, available, cores
from isthmus.neighbors._neighbors import Metric, Neighbors, check_distance, check_k, check_metric, check_rows
from isthmus.neighbors._search import default_engine, in_metric
from isthmus.neighbors._streamed import Found, merge, query_bytes, search_block
from isthmus.pairs import Part, VectorStream, checked_rows

_TASKS_AT_ONCE = 256  # that the scheduler knows of
_BLOCK_BYTES = 1 << 28  # of a task's block of rows, packed and unpacked


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Dask cluster that searches sets in files.

    Args:
        client: a `distributed.Client`.
        memory: bytes that a worker may hold for a block and its queries.
        threads: of a worker's search; all of its cores, if left out.
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
            local = LocalCluster(n_workers=int(where), threads_per_worker=1, dashboard_address=None, silence_logs=50)
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
        check_k(k, len(stream), include_self=include_self, name=stream.name)
        wanted = np.arange(len(stream)) if rows is None else check_rows(rows, len(stream))
        others = k - include_self
        lot = max(1, self.memory // 4 // query_bytes(stream.width, k))
        lots = [wanted[start : start + lot] for start in range(0, len(wanted), lot)]
        blocks = _blocks(stream, min(_BLOCK_BYTES, self.memory // 2))
        tables: list[Found] = []
        for number, own in enumerate(lots):
            found: Found = np.full((len(own), others), -1), np.full((len(own), others), np.inf)
            if others:
                done = number * len(blocks)
                for result in self._results(stream, own, others, metric, blocks):
                    found = merge(found, result)
                    done += 1
                    if progress is not None:
                        progress(f"neighbors in {stream.name}", done, len(lots) * len(blocks))
            tables.append(found)
        index, squared = (np.concatenate(column) for column in zip(*tables, strict=True))
        distance = in_metric(squared, metric)
        if include_self:
            index = np.concatenate([wanted[:, None], index], axis=1)
            distance = np.concatenate([np.zeros((len(wanted), 1)), distance], axis=1)
        return Neighbors(index, distance, metric, include_self, None if rows is None else wanted, len(stream))

    def _results(self, stream: VectorStream, own: Int[ndarray, " m"], k: int, metric: Metric, blocks: list["_Block"]) -> Any:
        from distributed import KilledWorker, as_completed  # noqa: PLC0415

        asked = self.client.submit(_ask, stream, own, pure=False)
        tasks = (
            self.client.submit(_search, block, stream.name, asked, k, metric, self.threads, pure=False) for block in blocks
        )
        # Few at a time, and none is kept: a result is forgotten by the cluster once it has been merged.
        waiting = as_completed(list(islice(tasks, _TASKS_AT_ONCE)))
        for task in waiting:
            try:
                result = task.result()
            except KilledWorker as error:
                raise NeighborError(
                    f"memory: needed workers that hold {self.memory / 1e6:.0f} MB, got some that died of it. "
                    "Give less memory or larger workers."
                ) from error
            for following in islice(tasks, 1):
                waiting.add(following)
            yield result


@dataclass(frozen=True, slots=True)
class _Block:
    """Rows start..stop of a part, of which the first is row `first` of the set."""

    part: Part
    start: int
    stop: int
    first: int


def _blocks(stream: VectorStream, memory: int) -> list[_Block]:
    rows = max(1, memory // (20 * stream.width + 64))
    found, first = [], 0
    for part in stream.parts:
        for start in range(0, part.rows, rows):
            stop = min(start + rows, part.rows)
            found.append(_Block(part, start, stop, first + start))
        first += part.rows
    return found


_Asked = tuple[Int[ndarray, " m"], Float[ndarray, "m d"]]  # rows of the set, and their vectors


def _ask(stream: VectorStream, own: Int[ndarray, " m"]) -> _Asked:
    return own, stream.rows(own)


def _search(block: _Block, name: str, asked: _Asked, k: int, metric: Metric, threads: int | None) -> Found:
    own, queries = asked
    engine = NativeEngine(threads) if available() else default_engine()
    values = checked_rows(block.part, block.start, block.stop)
    everything = np.full(len(queries), np.inf)
    return search_block(values, block.first, queries, own, everything, metric, engine, name, k)
