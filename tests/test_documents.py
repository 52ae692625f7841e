"""What the documents claim: their code runs and prints what it says, their commands are those of the command line.

A page's Python blocks share a namespace, in order, in a folder of small files (`example_files`). A command or block that needs a
network, hours or data of others says so in a line above, `<!-- not run: why -->`; it is compiled, or parsed, all the same.
"""

import ast
import contextlib
import io
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import isthmus
from document_blocks import FENCE, Block, blocks, commands, parse
from example_files import write_example_files
from isthmus import IsthmusError
from isthmus._errors import MissingExtraError
from isthmus.cli import app
from isthmus.measures import MEASURES

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md"))]
INSTALLS = re.compile(r"(python3? -m (venv|pip)|pip|pipx|\.venv/bin/(pip|pytest)) ")


def check_script(words):
    """A benchmark or script that is named is there, and knows the options that it is given."""
    source = (ROOT / words[1]).read_text(encoding="utf-8")
    for word in words[2:]:
        assert not word.startswith("--") or f'"{word}"' in source, f"{words[1]} has no {word}"


def run(words):
    """Run a command in this process; what it says of an extra that is missing, else None."""
    if "--memory" in words:  # a budget for all that a process holds, and this one holds much already
        done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return None
    try:
        code = app(words[1:], prog_name="isthmus", standalone_mode=False)
    except MissingExtraError as error:
        return str(error)
    except IsthmusError as error:
        code = error
    assert not code, f"{shlex.join(words)}: {code}"
    return None


def run_shell(block):
    """Run its commands; what they say of extras that are missing."""
    missing = []
    for line in block.code.replace("\\\n", " ").splitlines():
        installs = INSTALLS.match(line)
        for words in commands(line):
            program = words[0].removeprefix(".venv/bin/")
            if program == "isthmus":
                assert parse([program, *words[1:]]) is None, f"{shlex.join(words)}: {parse(words)}"
                if block.runs and not installs:
                    missing.append(run(words))
            elif program == "python" and words[1].endswith(".py"):
                check_script(words)
            else:
                assert installs or not block.runs, f"{words[0]} is no command of isthmus: mark its block as not run"
    return [each for each in missing if each is not None]


def run_python(block, names, page):
    """Each statement, up to one that needs an extra which is missing: what that says.

    What a top-level print is said to print, it prints.
    """
    tree = ast.parse(block.code, filename=page)
    lines = block.code.splitlines()
    for statement in tree.body if block.runs else ():
        before = names["stdout"].getvalue()
        code = ast.increment_lineno(ast.Module([statement], []), block.line - 1)
        last, column = statement.end_lineno - block.line + 1, statement.end_col_offset
        try:
            exec(compile(code, page, "exec"), names["namespace"])
        except MissingExtraError as error:
            return [str(error)]
        said = re.fullmatch(r"\s*# (.*)", lines[last - 1][column:])
        if said and lines[last - 1].startswith("print("):
            assert names["stdout"].getvalue()[len(before) :].strip() == said[1], f"{page}:{block.line + last - 1}"
    return []


@pytest.fixture(scope="module")
def example_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    write_example_files(folder)
    return folder


@pytest.fixture
def own_measures():
    """Measures that a page registers are gone after it: other tests in this process count those of the package."""
    before = dict(MEASURES)
    yield
    MEASURES.clear()
    MEASURES.update(before)


@pytest.mark.usefixtures("own_measures")
@pytest.mark.parametrize("page", PAGES)
def test_every_block_runs(page, example_folder, tmp_path, monkeypatch, unchecked_shapes):  # noqa: ARG001
    found = blocks((ROOT / page).read_text(encoding="utf-8"))
    if found:
        shutil.copytree(example_folder, tmp_path, dirs_exist_ok=True)
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
    names = {"namespace": {"__name__": "documents"}, "stdout": io.StringIO()}
    printed, missing = None, []
    for block in found:
        if block.language == "text":
            if block.follows and printed is not None:
                assert [line.rstrip() for line in printed.splitlines()] == block.code.rstrip().splitlines(), block.line
            continue
        file = re.match(r"# ([\w./-]+\.\w+)\n", block.code)
        if file:
            Path(file[1]).parent.mkdir(parents=True, exist_ok=True)
            Path(file[1]).write_text(block.code, encoding="utf-8")
        before = len(names["stdout"].getvalue())
        with contextlib.redirect_stdout(names["stdout"]):
            match block.language:
                case "python":
                    missing += run_python(block, names, page)
                case "sh":
                    missing += run_shell(block)
                case "toml":
                    tomllib.loads(block.code)
                case "yaml":
                    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed: pip install 'isthmus[docs]'")
                    yaml.safe_load(block.code)
                    for line in re.findall(r"run: (isthmus .*)", block.code):
                        run_shell(Block("sh", line, block.line, runs=False, follows=False))
                case other:
                    pytest.fail(f"{page}:{block.line}: needed python, sh, toml, yaml or text, got {other or 'nothing'}")
        printed = names["stdout"].getvalue()[before:] if block.runs else None
    if missing:  # all else ran
        pytest.skip("; ".join(dict.fromkeys(missing)))


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_the_text_exist(page):
    text = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    for span in re.findall(r"`((?:isthmus|python) [^`]+)`", text):
        (words,) = commands(" ".join(span.split()))
        if words[0] == "python":
            if words[1].endswith(".py"):
                check_script(words)
        else:  # not every argument is there
            assert not re.match("No such|NoSuch", parse(words) or ""), f"{page}: `{span}`: {parse(words)}"


def test_what_does_not_hold_is_noticed(tmp_path, monkeypatch, unchecked_shapes):  # noqa: ARG001
    monkeypatch.chdir(tmp_path)
    assert parse(["isthmus", "audit", "--mapings", "ridge"]).startswith("NoSuchOption")
    assert parse(["isthmus", "adit"]) == "No such command: isthmus adit"
    assert parse(["isthmus", "audit", "--folds", "many"]).startswith("BadParameter")
    names = {"namespace": {}, "stdout": io.StringIO()}
    with pytest.raises(AssertionError), contextlib.redirect_stdout(names["stdout"]):
        run_python(Block("python", "print(\n    1 + 1\n)\nprint(2)  # 3\n", 10, runs=True, follows=False), names, "page")
    with pytest.raises(AssertionError, match="mark its block"):
        run_shell(Block("sh", "cmake -S native\n", 1, runs=True, follows=False))
    with pytest.raises(AssertionError, match="needed"):
        run_shell(Block("sh", "isthmus overlap a.npy b.npy\n", 1, runs=True, follows=False))


def test_every_public_name_is_documented_and_loads():
    for name in isthmus.__all__:
        assert getattr(isthmus, name).__doc__, name
    assert dir(isthmus) == sorted([*isthmus.__all__, "__version__"])
