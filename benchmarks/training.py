"""How fast is the training of a whole grid, against what else a user could write?

    python benchmarks/training.py [--quick | --case 300-1024-2048] [--json out.json]

The grid is 5 folds x 9 learning rates of one network, on 1,570 random items, batch 64, RMSprop, squared error; the
measure is model-samples a second: training items x epochs x models over wall time. Ours is `cross_validate` with one
process a core, and its time holds what the peers are spared: scalings, the start of the processes, and the final fit,
whose samples count. The peers train one model of the same shape on as many items and take the loss on the held-out fold
after every epoch, as ours does, since the epochs are chosen by it: a plain torch loop, and Keras 3 on torch, each with
one thread and with one a core, of which the better median counts. Beside them stands what a user with many models to
train could write, too: that torch loop in one process a core, each with a model of its own. Peers train at least five
epochs at a time, after one outside the clock in which they set their threads; ours is warm as well. Runs are interleaved
and medians compared; the ratio is ours over the peer's. Beside each rate stands the physical limit: its multiplications
over the peak of a float32 matrix product on all cores, measured in the same run. On a machine that others use too, all of
this is noise: the load average is in the facts.

The last rows are a full grid in fresh interpreters, 45 models (64 -> h -> 128, h of 64, 128, 256), 50 epochs: our time
holds the start of the processes, the imports of isthmus and JAX and every compilation; that of the torch loop is the
import of torch and the time of five warm epochs, multiplied.

Peers that are not installed are left out: torch, keras.
"""

import argparse
import importlib.metadata
import json
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection

import numpy as np

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
ITEMS, BATCH, RATES, FOLDS = 1570, 64, tuple(10 ** (-2 - step / 4) for step in range(9)), 5
FOLD = ITEMS - ITEMS // FOLDS
CASES = [((300, 256, 2048), 7), ((300, 1024, 2048), 6), ((64, 128, 128), 40), ((2048, 512, 300), 6)]  # widths, our epochs
FULL_HIDDEN, FULL_RATES, FULL_EPOCHS = (64, 128, 256), RATES[::4], 50


def data(widths: tuple[int, int, int], items: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return tuple(rng.standard_normal((items, width), dtype=np.float32) for width in (widths[0], widths[-1]))


def ours(widths: tuple[int, int, int], epochs: int, hidden: tuple[int, ...] = (), rates: tuple[float, ...] = RATES) -> int:
    """Trains the grid; returns the model-samples, those of the final fit too."""
    from isthmus.training import Grid, cross_validate

    x, y = data(widths, ITEMS)
    grid = Grid(rates, hidden or (widths[1],), (0.0,), epochs=epochs)
    found = cross_validate(x, y, grid, FOLDS, processes=CORES)
    return len(found.cells) * (FOLDS - 1) * ITEMS * epochs + ITEMS * found.epoch


def torch_loop(widths: tuple[int, int, int], threads: int) -> Callable[[int], int]:
    """A function that trains so many epochs more and returns the samples."""
    import torch

    torch.manual_seed(0)
    x, y = map(torch.from_numpy, data(widths, ITEMS))
    inputs, hidden, outputs = widths
    model = torch.nn.Sequential(torch.nn.Linear(inputs, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, outputs))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9, eps=1e-8)

    def train(epochs: int) -> int:
        torch.set_num_threads(threads)
        for _ in range(epochs):
            order = torch.randperm(FOLD)
            for first in range(0, FOLD, BATCH):
                rows = order[first : first + BATCH]
                optimizer.zero_grad(set_to_none=True)
                loss = 0.5 * ((model(x[rows]) - y[rows]) ** 2).sum(dim=1).mean()
                loss.backward()
                optimizer.step()
            with torch.no_grad():
                0.5 * ((model(x[FOLD:]) - y[FOLD:]) ** 2).sum(dim=1).mean()
        return FOLD * epochs

    return train


def torch_processes(widths: tuple[int, int, int], threads: int) -> Callable[[int], int]:
    """The torch loop in one process a core, each with its own model."""
    spawned = multiprocessing.get_context("spawn")
    pipes = []
    for _ in range(CORES):
        pipe, its = spawned.Pipe()
        spawned.Process(target=serve, args=(widths, threads, its), daemon=True).start()
        its.close()  # so that it ends when this side is closed
        pipes.append(pipe)

    def train(epochs: int) -> int:
        for pipe in pipes:
            pipe.send(epochs)
        return sum(pipe.recv() for pipe in pipes)

    return train


def serve(widths: tuple[int, int, int], threads: int, pipe: Connection) -> None:
    train = torch_loop(widths, threads)
    while True:
        try:
            pipe.send(train(pipe.recv()))
        except EOFError:
            return


def keras_fit(widths: tuple[int, int, int], threads: int) -> Callable[[int], int]:
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    import torch

    x, y = data(widths, ITEMS)
    held_out = (x[FOLD:], y[FOLD:])
    model = keras.Sequential(
        [keras.layers.Input((widths[0],)), keras.layers.Dense(widths[1], activation="relu"), keras.layers.Dense(widths[2])]
    )
    model.compile(keras.optimizers.RMSprop(1e-3, rho=0.9, epsilon=1e-8), loss="mse")

    def train(epochs: int) -> int:
        torch.set_num_threads(threads)
        model.fit(x[:FOLD], y[:FOLD], batch_size=BATCH, epochs=epochs, validation_data=held_out,
                  validation_batch_size=ITEMS - FOLD, shuffle=True, verbose=0)  # fmt: skip
        return FOLD * epochs

    return train


PEERS = {
    "torch loop": ("torch", torch_loop, {1, CORES}),
    "Keras 3 on torch": ("keras", keras_fit, {1, CORES}),
    "torch processes": ("torch", torch_processes, {1}),
}


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def rate(call: Callable[[], int]) -> float:
    start = time.perf_counter()
    return call() / (time.perf_counter() - start)


def product_peak() -> float:
    """Float32 operations a second of a large matrix product on all cores, the best of five."""
    a = np.random.default_rng(0).standard_normal((3000, 3000), dtype=np.float32)

    def product() -> int:
        a @ a
        return 2 * 3000**3

    return max(rate(product) for _ in range(6))


def run(widths: tuple[int, int, int], epochs: int, repeats: int) -> list[dict[str, object]]:
    few = 5 if max(widths) > 1000 else 50
    peers = {
        f"{name}, threads {threads}": make(widths, threads)
        for name, (package, make, several) in PEERS.items() if version(package) and version("torch")
        for threads in several
    }  # fmt: skip
    rates: dict[str, list[float]] = {name: [] for name in ("isthmus", *peers)}
    ours(widths, epochs)
    for _ in range(repeats):
        rates["isthmus"].append(rate(lambda: ours(widths, epochs)))
        for name, train in peers.items():
            train(1)
            rates[name] += [rate(lambda train=train: train(few)) for _ in range(2)]
    peak = product_peak()
    median = {name: statistics.median(values) for name, values in rates.items()}
    operations = 4 * widths[0] * widths[1] + 6 * widths[1] * widths[2]  # forward, and back to all but the inputs
    shape = "->".join(map(str, widths))
    rows: list[dict[str, object]] = []
    for name in ("isthmus", *PEERS):
        variants = [each for each in median if each.startswith(name)]
        if not variants:
            continue
        best = max(variants, key=median.__getitem__)
        spread = (max(rates[best]) - min(rates[best])) / median[best]
        share = median[best] * operations / peak
        rows.append({"network": shape, "what": best, "samples_per_second": median[best], "spread": spread,
                     "ratio": median["isthmus"] / median[best], "share_of_peak": share})  # fmt: skip
        print(f"{shape:<16} {best:<28} {median[best]:>10.0f} model-samples/s (+-{spread / 2:.0%})  "
              f"{rows[-1]['ratio']:6.2f}x   {share:.2f} of the product peak", flush=True)  # fmt: skip
    return rows


def full_grid(part: str, epochs: int) -> float:
    """Seconds for the full grid, or the torch loop's part of it, in this interpreter."""
    if part == "isthmus":
        start = time.perf_counter()
        ours((64, 128, 128), epochs, FULL_HIDDEN, FULL_RATES)
        return time.perf_counter() - start
    begin, few = time.perf_counter(), 5
    import torch  # noqa: F401 - ours loads isthmus and JAX within its time

    seconds = time.perf_counter() - begin
    for hidden in FULL_HIDDEN:
        train = torch_loop((64, hidden, 128), int(part))
        train(1)
        start = time.perf_counter()
        train(few)
        seconds += (time.perf_counter() - start) * len(FULL_RATES) * FOLDS * epochs / few
    return seconds


def full(repeats: int) -> list[dict[str, object]]:
    parts = ["isthmus", *(map(str, sorted({1, CORES})) if version("torch") else ())]
    seconds: dict[str, list[float]] = {part: [] for part in parts}
    for _ in range(repeats):
        for part in parts:
            command = [sys.executable, __file__, "--part", part]
            seconds[part].append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    median = {part: statistics.median(values) for part, values in seconds.items()}
    rows: list[dict[str, object]] = []
    for part in ["isthmus", *sorted(parts[1:], key=median.__getitem__)[:1]]:
        name = part if part == "isthmus" else f"torch loop, threads {part}"
        spread = (max(seconds[part]) - min(seconds[part])) / median[part]
        rows.append({"network": "64->h->128, 45 models", "what": name, "seconds": median[part], "spread": spread,
                     "ratio": median[part] / median["isthmus"]})  # fmt: skip
        print(f"full grid        {name:<28} {median[part]:>10.1f} s (+-{spread / 2:.0%})  {rows[-1]['ratio']:6.2f}x"
              + ("   compilation and start included" if part == "isthmus" else ""), flush=True)  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="two cases and no full grid, under a minute")
    parser.add_argument("--case", choices=["-".join(map(str, widths)) for widths, _ in CASES], help="one case alone")
    parser.add_argument("--json", help="also write the rows and the facts of the machine")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.filterwarnings(
        "ignore", "loss: needed a training loss that steadily decreases"
    )  # random targets cannot be learned
    if options.part:
        print(full_grid(options.part, FULL_EPOCHS))
        return
    packages = ("isthmus", "jax", "numpy", "torch", "keras")
    machine = {
        "processor": platform.processor() or platform.machine(), "cores": CORES, "python": sys.version.split()[0],
        "load": os.getloadavg()[0], "versions": {package: version(package) for package in packages},
    }  # fmt: skip
    print(json.dumps(machine))
    if options.quick:
        rows = run((64, 128, 128), 10, repeats=3) + run((300, 256, 2048), 1, repeats=1)
    else:
        cases = [case for case in CASES if options.case in (None, "-".join(map(str, case[0])))]
        rows = [row for widths, epochs in cases for row in run(widths, epochs, repeats=3)]
        rows += [] if options.case else full(repeats=3)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": machine, "rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
