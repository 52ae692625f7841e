"""Word vectors from every format against a reader of a few lines, and each way a file can be broken."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import isthmus
from isthmus import IsthmusError
from isthmus.words import WordVectors, candidates, convert_words, look_up, read_words, write_words
from isthmus.words import _batches as batches_module

WORDS = ("the", "café", "at name@domain.com", "#tag", '"', "New_York", "naïve", "null", "1", "日本")


@pytest.fixture
def values(rng):
    return rng.normal(size=(len(WORDS), 7)).astype(np.float32)


def text(values, words=WORDS, header=False, end="\n"):
    lines = [f"{len(words)} {values.shape[1]}"] if header else []
    lines += [f"{word} {' '.join(map(str, row))}" for word, row in zip(words, values.tolist(), strict=True)]
    return "".join(line + end for line in lines).encode()


def binary(values, words=WORDS, newline=b"\n"):  # a word cannot hold a space there
    words = [word.replace(" ", "_") for word in words]
    entries = [word.encode() + b" " + row.astype("<f4").tobytes() + newline for word, row in zip(words, values, strict=True)]
    return f"{len(words)} {values.shape[1]}\n".encode() + b"".join(entries)


def write(folder, name, content):
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


FORMATS = {
    "glove.txt": text, "glove.txt.gz": text, "header.vec": lambda v: text(v, header=True),
    "spaces.vec": lambda v: text(v, header=True, end=" \n"), "windows.txt": lambda v: text(v, end="\r\n"),
    "bom.txt": lambda v: b"\xef\xbb\xbf" + text(v), "unended.txt": lambda v: text(v)[:-1], "blank.txt": lambda v: text(v) + b"\n\n",
    "new.bin": binary, "old.bin.gz": lambda v: binary(v, newline=b""),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("block", [1, 60, 1 << 21])
def test_every_format_in_blocks_of_any_size(tmp_path, values, name, block, monkeypatch):
    for module in ("_text", "_binary"):
        monkeypatch.setattr(f"isthmus.words.{module}.BLOCK", block)
    path = write(tmp_path, name, FORMATS[name](values))
    found = read_words(path)
    words = tuple(word.replace(" ", "_") for word in WORDS) if ".bin" in name else WORDS
    assert found.words == words
    assert found.values.dtype == np.float32
    assert np.array_equal(found.values, values)
    some = read_words(path, only={"café", words[2], "日本", "nowhere"})
    assert some.words == ("café", words[2], "日本")
    assert np.array_equal(some.values, values[[1, 2, 9]])
    assert read_words(path, only={"nowhere"}).words == ()
    assert convert_words(path, tmp_path / "x.npy") == len(WORDS)
    mapped = read_words(tmp_path / "x.npy")
    assert isinstance(mapped.values, np.memmap)
    assert (mapped.words, np.array_equal(mapped.values, values)) == (words, True)
    assert read_words(tmp_path / "x.npy", only={"null"}).words == ("null",)
    assert isthmus.read(path).ids == isthmus.read(tmp_path / "x.npy").ids == words
    assert not list(tmp_path.glob("*.part"))


@given(
    st.lists(
        st.floats(width=64, allow_nan=False, allow_infinity=False, min_value=-1e30, max_value=1e30), min_size=1, max_size=20
    )
)
def test_numbers_are_those_of_python_rounded_to_float32(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("numbers") / "x.txt"
    forms = [form for number in numbers for form in (repr(number), f"{number:.5g}", f"{number:+.3E}")]
    path.write_text("word " + " ".join(forms) + "\n")
    assert np.array_equal(read_words(path).values[0], np.array([np.float32(float(form)) for form in forms]))


BAD = [
    ("x.txt", b"dog 1 2\ncat 3 4\ncow 5\n", "x.txt: needed a word and 2 numbers, got 2 fields in line 3"),
    ("x.txt", b"dog 1 2\ncat 3 4 5\n", "x.txt: needed a word and 2 numbers, got 4 fields in line 2"),
    ("x.txt", b"dog 1 2\n\ncat 3  4\n", "needed a number, got '' in line 3, column 3|got 4 fields in line 3"),
    ("x.vec", b"2 3\ndog 1 2\ncat 3 4\n", "needed a word and 3 numbers, got 3 fields in line 2"),
    ("x.vec", b"3 2\ndog 1 2\ncat 3 4\n", "needed 3 word vectors, got 2"),
    ("x.vec", b"1 2\ndog 1 2\ncat 3 4\n", "needed 1 word vectors, got 2"),
    ("x.vec", b"2 2\n", "needed 2 word vectors, got 0"),
    ("x.txt", b"dog 1 2\nc\xe9t 3 4\n", "needed UTF-8 text, got other bytes .* in line 2"),
    ("x.txt", b"dog 1 2\ncat 3 nan\n", "needed finite numbers, got nan in line 2, column 3"),
    ("x.txt", b"dog 1 2\ncat 3 1e39\n", "needed finite numbers, got 1e39 in line 2"),
    ("x.txt", b"dog 1 2\ncat 3 0x1\n", "needed a number, got '0x1' in line 2, column 3"),
    ("x.txt", b"dog 1 2\ncat 3 4\ndog 5 6\n", "needed each word once, got 'dog' again in line or entry 3"),
    ("x.txt", b"", "needed vectors, got an empty file"),
    ("x.txt", b"\n\n", "needed at least one word vectors, got 0"),
    ("x.txt", b"1 2 3\n4 5 6\n", "needed a word before the numbers"),
    ("x.txt", b"dog\ncat\n", "x.txt: needed words with one number or more each, got 'dog' as its first line"),
    ("x.vec", b"2 0\ndog\ncat\n", "x.vec: needed words with one number or more each, got '2 0' as its first line"),
    ("x.vec", b"0 50\n", "x.vec: needed words with one number or more each, got '0 50' as its first line"),
    ("x.txt", b"dog 1 2\ncat 3\t 4\n", r"needed a number, got '3\\t' in line 2, column 2"),
    ("x.txt", b"dog 1 2\ncat 3 \x0c4\n", r"needed a number, got '\\x0c4' in line 2, column 3"),
    ("x.txt", b"dog 1 2\ncow 5 6\n 3 4\n", "needed a word before the numbers, got a space in line 3"),
    ("x.txt", b" 3 4\ndog 1 2\n", "needed a word before the numbers, got a space in line 1"),
    ("x.txt", b"dog 1 2\ncat  1 2\n", "needed single spaces, got several together after the word in line 2"),
    ("x.txt", b"dog 1 2\nhot  dog  1 2\n", "needed single spaces, got several together after the word in line 2"),
    ("x.txt", b"dog 1 2\nc\xe9 t 3 4\n", "needed UTF-8 text, got other bytes .* in line 2"),
    ("x.bin", b"17126 5000000000\ndog 1234", "got a file that ends in entry 1: cut short against its header"),
    ("x.bin.gz", gzip.compress(b"17126 5000000000\ndog 1234"), "needed 1000000 numbers a word or fewer, got 5000000000"),
    ("x.txt.gz", None, "needed a whole gzip file, got a damaged or cut one"),
    ("x.bin", b"", "needed vectors, got an empty file"),
    ("x.bin", b"dog 1 2\n", "needed a first line with the number of words and of dimensions"),
    ("x.bin", (793712314).to_bytes(4, "little") + b"\x00" * 20 + b"\n", "got a fastText model. Take its .vec file"),
    ("x.bin", b"1 4000\n" + b"a" * 30_000, "needed a word in entry 1, got 10000 bytes without a space"),
    ("x.bin", b"1 1\ndog \x00\x00\xc0\x7f", "needed finite numbers, got others in entry 1"),
    ("x.bin", b"1 1\nd\xffg \x00\x00\x00\x00", "needed words in UTF-8, got other bytes .* in entry 1"),
    ("x.bin", b"1 1\ndog \x00\x00\x00\x00\ncat \x00\x00\x00\x00", "needed 1 word vectors, as its first line says, got more"),
    ("x.xyz", b"dog 1", "needed word vectors in a file ending in .bin, .txt, .vec"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "match"), BAD, ids=[f"{row}-{case[0]}" for row, case in enumerate(BAD)])
def test_refuses(tmp_path, name, content, match, values):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text(values))[:-20] if content is None else content)
    with pytest.raises(IsthmusError, match=match) as caught:
        read_words(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(IsthmusError):
        convert_words(path, tmp_path / "out.npy", duplicates="refuse")
    assert not (tmp_path / "out.npy").exists()


def test_a_line_without_an_end_is_not_read_to_it(tmp_path, monkeypatch):
    monkeypatch.setattr("isthmus.words._text._LONGEST_LINE", 1000)
    monkeypatch.setattr("isthmus.words._text.BLOCK", 10)
    for content, line in ((b"0" * 3000, 1), (b"dog 1 2\ncat 3 4\n" + b"0" * 3000, 3)):
        with pytest.raises(IsthmusError, match=f"needed lines of at most 1000 bytes, got a longer one in line {line}"):
            read_words(write(tmp_path, "x.txt", content))


@pytest.mark.parametrize("only", [None, {"a\x1fb", "new york", "new\x1fyork city"}])
def test_a_separator_byte_in_a_word_stays_and_blank_lines_are_none(tmp_path, only):
    path = write(tmp_path, "x.txt", b"\n\na\x1fb 1 2\nnew york 3 4\n\nnew\x1fyork city 5 6\n")
    found = read_words(path, only)
    assert found.words == ("a\x1fb", "new york", "new\x1fyork city")
    assert found.values.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_a_binary_file_cut_anywhere_is_refused(tmp_path, values):
    whole = binary(values)
    for size in (1, 3, 5, 8, 9, 40, len(whole) // 2, len(whole) - 2):
        path = write(tmp_path, "x.bin", whole[:size])
        with pytest.raises(IsthmusError, match="ends in entry|needed a first line|as its first line says"):
            read_words(path)


def test_words_that_come_again_count_once_where_that_is_asked_for(tmp_path):
    path = write(tmp_path, "x.txt", b"dog 1 2\ncat 3 4\ndog 5 6\ncow 7 8\ncat 9 9\n")
    found = read_words(path, duplicates="first")
    assert (found.words, found.repeated) == (("dog", "cat", "cow"), ("dog", "cat"))
    assert found.values.tolist() == [[1, 2], [3, 4], [7, 8]]
    assert convert_words(path, tmp_path / "x.npy", duplicates="first") == 3


def test_a_filter_does_not_load_the_rest(tmp_path, rng):
    path = tmp_path / "x.txt"
    with path.open("w") as file:
        for start in range(0, 60_000, 6_000):
            rows = rng.normal(size=(6_000, 50)).round(3).tolist()
            file.writelines(f"w{start + n} {' '.join(map(str, row))}\n" for n, row in enumerate(rows))
    script = (
        "import polars, isthmus.words\nfrom isthmus.words import read_words\n"
        "peak = lambda: int(next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmHWM')))\n"
        "before = peak()\nn = len(read_words({!r}, only={}).words)\nprint(n, peak() - before)"
    )
    if not Path("/proc/self/status").exists():
        pytest.skip("peak memory is read from /proc")
    used = []
    for only in ("{'w5', 'w59999'}", "None"):
        done = subprocess.run(
            [sys.executable, "-c", script.format(str(path), only)], capture_output=True, text=True, check=True, timeout=120
        )
        used.append(tuple(map(int, done.stdout.split())))
    assert [count for count, _ in used] == [2, 60_000]
    assert used[0][1] < used[1][1]


def test_expressions(rng):
    words = ("great", "white", "shark", "ice_cream", "CD", "Paris", "paris", "t-shirt")
    vectors = WordVectors(rng.normal(size=(8, 4)).astype(np.float32), words, "x")
    asked = [
        "great white shark",
        "ice cream",
        "cd",
        "CD",
        "Paris",
        "PARIS",
        "Great shark",
        "white whale",
        "t-shirt",
        "",
        "T shirt",
    ]
    found = look_up(vectors, asked)
    assert [find.how for find in found.finds] == [
        "parts", "joined", "missing", "exact", "exact", "lower case", "parts", "missing", "exact", "missing", "joined",
    ]  # fmt: skip
    assert found.expressions == tuple(find.expression for find in found.finds if find.how != "missing")
    slow = np.mean([vectors.values[words.index(word)].astype(float) for word in ("great", "white", "shark")], axis=0)
    assert found.values[0] == pytest.approx(slow)
    assert (found.finds[5].matched, found.finds[7].missing) == (("paris",), ("whale",))
    assert found.counts() == {"parts": 2, "joined": 2, "missing": 3, "exact": 3, "lower case": 1}
    reduced = {form for expression in asked for form in candidates(expression)}
    kept = [row for row, word in enumerate(words) if word in reduced]
    small = WordVectors(vectors.values[kept], tuple(words[row] for row in kept), "x")
    assert look_up(small, asked).finds == found.finds


def test_rows_of_nan_are_words_without_a_vector():
    values = np.array([[1.0, 2.0], [np.nan, np.nan], [3.0, 4.0]])
    found = WordVectors.of(values, ("a", "b", "c"), "x")
    assert (found.words, found.empty, found.row_of["c"]) == (("a", "c"), ("b",), 1)
    with pytest.raises(IsthmusError, match="needed finite numbers, got others in the row of 'b'"):
        WordVectors.of(np.array([[1.0, 2.0], [np.nan, 2.0]]), ("a", "b"), "x")
    with pytest.raises(IsthmusError, match="needed each word once, got 'a' again"):
        WordVectors.of(np.eye(2), ("a", "a"), "x")
    with pytest.raises(IsthmusError, match="needed one word a row, got 1 words for 2x2"):
        WordVectors.of(np.eye(2), ("a",), "x")


def test_the_same_numbers_as_gensim(tmp_path, data_folder):
    gensim = pytest.importorskip("gensim.models")
    words = (data_folder / "glove_subset/words.txt").read_text(encoding="utf-8").splitlines()
    with np.load(data_folder / "glove_subset/glove6b_subset.npz") as known:
        values = known["glove50"]
    path = write(tmp_path, "glove.txt", text(values, words))
    theirs = gensim.KeyedVectors.load_word2vec_format(str(path), binary=False, no_header=True)
    ours = read_words(path)
    assert list(ours.words) == theirs.index_to_key
    assert np.array_equal(ours.values, theirs.vectors)
    theirs.save_word2vec_format(str(tmp_path / "glove.bin"), binary=True)
    assert np.array_equal(read_words(tmp_path / "glove.bin").values, theirs.vectors)


def test_blocks_are_small_beside_the_vectors():
    assert batches_module.BLOCK <= 1 << 22


def mapped(folder, values, words=("dog", "cat", "cow")):
    np.save(folder / "x.npy", values)
    (folder / "x.words.txt").write_text("\n".join(words))
    return folder / "x.npy"


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<f2"])
@pytest.mark.parametrize("only", [None, {"dog", "cow"}])
def test_an_array_of_another_program_becomes_float32(tmp_path, dtype, only):
    found = read_words(mapped(tmp_path, np.arange(6).reshape(3, 2).astype(dtype)), only)
    assert found.values.dtype == np.dtype("<f4")
    assert found.values[-1].tolist() == [4, 5]


def test_an_array_is_looked_at_as_other_files_are(tmp_path):
    with pytest.raises(
        IsthmusError, match="needed floating-point numbers, got <U1|needed floating-point numbers, got int64"
    ):
        read_words(mapped(tmp_path, np.arange(6).reshape(3, 2)))
    path = mapped(tmp_path, np.arange(6, dtype=np.float32).reshape(3, 2), ("dog", "cat", "dog"))
    with pytest.raises(IsthmusError, match=r"x.words.txt: needed each word once, got 'dog' again in line 3"):
        read_words(path)
    found = read_words(path, duplicates="first")
    assert (found.words, found.repeated, found.values.tolist()) == (("dog", "cat"), ("dog",), [[0, 1], [2, 3]])
    path = mapped(tmp_path, np.array([[1, 2], [np.nan, 3], [4, 5]], dtype=np.float32))
    assert look_up(read_words(path), ["cow"]).values.tolist() == [[4, 5]]
    with pytest.raises(IsthmusError, match="x.npy: needed finite numbers, got others in the row of 'cat'"):
        look_up(read_words(path), ["cow", "cat"])


def test_converted_vectors_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    write_words(tmp_path / "x.npy", ["dog"], np.ones((1, 2), dtype=np.float32))
    with pytest.raises(UnicodeEncodeError):
        write_words(tmp_path / "x.npy", ["\udcff"], np.zeros((1, 2), dtype=np.float32))
    assert read_words(tmp_path / "x.npy").values.tolist() == [[1, 1]]
    (tmp_path / "x.npy.part").write_text("of another program")  # is no place of ours
    monkeypatch.setattr("isthmus.words._read.os.getpid", lambda: 7)
    assert convert_words(write(tmp_path, "y.txt", b"dog 1 2\n"), tmp_path / "x.npy") == 1
    assert {path.name for path in tmp_path.glob("*.part")} == {"x.npy.part"}


def test_conversion_names_words_that_it_drops(tmp_path):
    write(tmp_path, "x.txt", b"dog 1 2\ncat 3 4\ndog 5 6\n")
    write(tmp_path, "words.txt", b"dog\ncow\n")

    def convert(*more):
        return subprocess.run(
            [sys.executable, "-m", "isthmus", "data", "convert", "x.txt", *more],
            capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False,
        ).stderr  # fmt: skip

    assert "1 words occur again, the first vector counts ('dog')" in convert("x.npy")
    assert "1 words occur again, the first vector counts ('dog')" in convert("x.npy", "--words", "words.txt")
    assert "out: needed a file ending in .npy" in convert("x.bad")


def test_conversion_never_takes_the_place_of_what_it_reads(tmp_path):
    """The words of OUT.npy go to OUT.words.txt, and how expressions were found to OUT.found.tsv."""
    files = ("x.words.txt", "x.found.tsv", "v.txt", "y.npy", "y.words.txt")
    for name in files[:3]:
        write(tmp_path, name, b"dog 1 2\n")
    write_words(tmp_path / "y.npy", ["dog"], np.ones((1, 2), dtype=np.float32))
    before = [(tmp_path / name).read_bytes() for name in files]
    for arguments in (
        ("x.words.txt", "x.npy"), ("v.txt", "x.npy", "--words", "x.words.txt"), ("v.txt", "x.npy", "--words", "x.found.tsv"),
        ("y.npy", "y.npy", "--words", "x.words.txt"),
    ):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "isthmus", "data", "convert", *arguments],
            capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False,
        )  # fmt: skip
        assert (done.returncode, "out: needed a file that is not read" in done.stderr) == (2, True)
    with pytest.raises(IsthmusError, match="out: needed a file that is not read"):
        convert_words(tmp_path / "x.words.txt", tmp_path / "x.npy")
    assert [(tmp_path / name).read_bytes() for name in files] == before
