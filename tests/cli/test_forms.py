"""Every verb prints the same records as JSON, as CSV and to a reader, and suggests a command that is one."""

import io
import json
import shlex
import sys
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from typer.main import get_command

import isthmus
from in_process import invoke, parsed
from isthmus._errors import DataError
from isthmus.cli import _output, app

SPEC = 'name = "small"\n[data]\nx = "x.npy"\ny = "y.npy"\n[protocol]\nfolds = 3\n[measure]\nk = [3]\n[[mappings]]\nname = "ridge"\n'
VERBS = {
    "audit": "audit x.npy 'the y.npy' --mapping ridge -k 3 --folds 3",
    "audit of given vectors": "audit x.npy 'the y.npy' --mapped f.npy -k 3 --report out.html",
    "audit with a page": "audit x.npy 'the y.npy' --mapping ridge -k 3 --folds 2 --report out.html",
    "overlap": "overlap x.npy 'the y.npy' -k 3,5 --hubs",
    "overlap of a named set": "overlap imagenet-words --sample 50",
    "overlap of one file": "overlap both.npz -k 3",
    "measure": "measure x.npy 'the y.npy' --measure all -k 3 --permutations 9 --half-samples 3",
    "measure one": "measure x.npy 'the y.npy' -k 3 --permutations 9",
    "retrieval": "retrieval f.npy 'the y.npy'",
    "concepts": "concepts words.txt --ratings men.tsv --draws 2 --hidden 8",
    "concepts compared": "concepts words.txt copy.txt --ratings men.tsv --compare",
    "concepts of two": "concepts words.txt copy.txt --ratings men.tsv --map none",
    "check": "check x.npy 'the y.npy' --min-overlap 0 -k 3",
    "check of a mapping": "check x.npy f.npy 'the y.npy' --min-index -1 -k 3",
    "fit": "fit x.npy 'the y.npy' --out fitted.safetensors",
    "apply": "apply map.safetensors x.npy --out mapped.npy",
    "run": "run small.toml --processes 1",
    "run list": "run --list",
    "show": "show runs/done",
    "show cells": "show runs/done --cells --sort -bridge_rate",
    "report": "report runs/done",
    "reproduce": "reproduce table1",
    "reproduce similarities": "reproduce table2",
    "data list": "data list",
    "data show": "data show emoji",
    "data show another": "data show glove-6b",
    "data fetch": "data fetch glove-6b --accept-license",
    "data convert": "data convert words.txt words.npy",
    "data convert some": "data convert words.txt some.npy --words list.txt",
    "features text": "features text lines.txt --encoder encoder_of_tests:encoder --out text.npz",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forms")
    pairs = isthmus.load("imagenet-words").take(np.arange(60))
    y = pairs.y[:, :20]
    np.save(folder / "x.npy", pairs.x)
    np.save(folder / "the y.npy", y)
    np.save(folder / "y.npy", y)
    np.savez(folder / "both.npz", text=pairs.x, image=y, ids=np.array(pairs.ids), kind=np.array(pairs.labels))
    mapping = isthmus.Ridge().fit(pairs.x, y)
    np.save(folder / "f.npy", mapping.predict(pairs.x))
    isthmus.mappings.save(mapping, folder / "map.safetensors")
    (folder / "words.txt").write_text("dog 1 0 2\ncat 0 1 1\nowl 1 1 0\nfox 2 1 1\n")
    (folder / "copy.txt").write_text("dog 1 0 1\ncat 0 1 2\nowl 1 3 0\nfox 2 0 1\n")
    (folder / "men.tsv").write_text(
        "word1\tword2\trating\ndog\tcat\t1\ndog\towl\t2\ncat\towl\t4\nfox\tcat\t3\nfox\tyak\t2\n"
    )
    (folder / "list.txt").write_text("dog\ngrey fox\n")
    (folder / "lines.txt").write_text("a dog\na cat\n")
    (folder / "small.toml").write_text(SPEC)
    from isthmus.experiments import read_spec, run

    run(read_spec(folder / "small.toml"), folder / "runs" / "done")
    return folder


@pytest.fixture
def there(made, monkeypatch):
    monkeypatch.chdir(made)
    encoder = SimpleNamespace(encode=lambda texts: np.array([[len(text), 1.0] for text in texts]))
    monkeypatch.setitem(sys.modules, "encoder_of_tests", SimpleNamespace(encoder=encoder))
    fetched = SimpleNamespace(path=made / "glove.zip", sha256="ab" * 32, pinned=True, folder=None)
    monkeypatch.setattr("isthmus.datasets.fetch", lambda *_, **__: [fetched])


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("verb", VERBS)
def test_one_set_of_records_in_three_forms_and_a_command_that_comes_next(verb, monkeypatch):
    arguments, suggested = shlex.split(VERBS[verb]), []
    monkeypatch.setattr(_output, "suggest", suggested.append)
    records = json.loads(invoke(*arguments, "--json")[0])
    assert records
    assert all(isinstance(value, str | int | float | None) for record in records for value in record.values())
    table = pl.read_csv(io.StringIO(invoke(*arguments, "--csv")[0]), infer_schema_length=None)
    assert table.columns == list(dict.fromkeys(key for record in records for key in record))
    for line, record in zip(table.to_dicts(), records, strict=True):
        assert {key: value for key, value in line.items() if value not in (None, "")} == {
            key: value for key, value in record.items() if value not in (None, "")
        }
    assert not suggested
    assert invoke(*arguments)[0]
    for then in suggested:
        line = shlex.join(map(str, then))
        parsed(shlex.split(line))
        assert line != shlex.join(arguments)


def verbs():
    command = get_command(app)
    for name, verb in command.commands.items():
        yield from (
            ((f"{name} {each}", one) for each, one in verb.commands.items()) if hasattr(verb, "commands") else [(name, verb)]
        )


def test_the_two_options_are_the_same_everywhere():
    helps = set()
    for name, verb in verbs():
        if name == "help":  # which prints no records
            continue
        forms = {option.name: option for option in verb.params if option.name in ("json", "csv")}
        assert set(forms) == {"json", "csv"}, name
        helps.add((forms["json"].help, forms["csv"].help))
    assert len(helps) == 1


@pytest.mark.parametrize("name", [name for name, _ in verbs() if name != "help"])
@pytest.mark.parametrize("both", [["--json", "--csv"], ["--csv", "--json"]], ids=["json first", "csv first"])
def test_both_at_once_are_refused_before_anything_is_read(name, both):
    with pytest.raises(DataError, match="csv: needed one of --json and --csv, got both"):
        invoke(*name.split(), *both)


@pytest.mark.usefixtures("there")
def test_notes_are_no_part_of_records():
    out, err = invoke("concepts", "words.txt", "--ratings", "men.tsv", "--map", "none", "--csv")
    assert "1 of 5 pairs left out (yak)" in err
    assert "left out" not in out


def test_what_is_not_defined_is_null_and_empty():
    records = [{"a": float("nan"), "b": float("inf"), "c": None, "d": 1.5, "e": "caf\udce9"}]
    for form, text in (
        ("json", '[\n  {"a":null,"b":null,"c":null,"d":1.5,"e":"caf\ufffd\ufffd\ufffd"}\n]\n'),
        ("csv", "a,b,c,d,e\n,,,1.5,caf\ufffd\ufffd\ufffd\n"),
    ):
        out = io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            _output.write(records, list, json=form == "json", csv=form == "csv")
        assert out.getvalue() == text


@pytest.mark.usefixtures("there")
def test_suggestions_follow_from_what_was_seen(monkeypatch):
    seen = []
    monkeypatch.setattr(_output, "suggest", lambda then: seen.append(shlex.join(map(str, then))))
    for line in (
        "overlap imagenet-words --sample 50 --metric euclidean",
        "overlap x.npy 'the y.npy' -k 3",
        "audit x.npy 'the y.npy' --mapping ridge -k 3 --folds 2",
        "audit x.npy 'the y.npy' --mapping ridge -k 3 --folds 2 --report out.html",
        "fit x.npy 'the y.npy' --out fitted.safetensors",
        "apply map.safetensors x.npy --out mapped.npy",
        "check x.npy f.npy 'the y.npy' --max-echo 1 -k 3 --include-self",
    ):
        invoke(*shlex.split(line))
    assert seen == [
        "audit imagenet-words --metric euclidean",
        "audit x.npy 'the y.npy'",
        "audit x.npy 'the y.npy' --mapping ridge -k 3 --folds 2 --report audit.html",
        "audit x.npy 'the y.npy' --mapping all -k 3 --folds 2 --report all.html",
        "apply fitted.safetensors x.npy --out mapped.npz",
        "audit x.npy Y --mapped mapped.npy",
        "audit x.npy 'the y.npy' --mapped f.npy -k 3 --include-self",
    ]
