"""Two vocabularies joined by a bilingual dictionary, one word to one.

Dictionaries as those of MUSE (Conneau et al. 2018) name many words several times: one source word with each of its
translations, one translation for several source words. A word that stood in several pairs would be several items with the
same vector, each the nearest neighbor of the others, in one space only. So a pair counts where neither of its words is
taken by an earlier line; what does not count is counted.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from isthmus._errors import DataError


def read_dictionary(path: Path) -> list[tuple[str, str]]:
    """The entries of a dictionary, a line each: two words with a tab or with spaces between them.

    With a tab, either side may be an expression with spaces.

    Raises:
        DataError: no such file, bytes that are not UTF-8, no entry, or a line that holds no two words.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "en-fr.txt")
        ...     _ = path.write_text("cat chat\\ndog\\tchien\\n")
        ...     read_dictionary(path)
        [('cat', 'chat'), ('dog', 'chien')]
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: needed a dictionary in UTF-8, two words a line, got {error}. Check it.") from error
    entries = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        words = [word.strip() for word in line.split("\t")] if "\t" in line.strip() else line.split()
        if not words:
            continue
        if len(words) != 2 or not all(words):
            raise DataError(
                f"{path}: needed two words with a tab or a space between them, got {line.strip()[:60]!r} in line {number}. "
                "Put a tab between expressions of several words."
            )
        entries.append((words[0], words[1]))
    if not entries:
        raise DataError(f"{path}: needed two words a line, got none. Check that the file is whole.")
    return entries


def forms_of(words: Collection[str]) -> set[str]:
    """What `match` may take for these words: the filter to read a file of vectors with.

    Example:
        >>> sorted(forms_of(["Paris"]))
        ['Paris', 'paris']
    """
    return {form for word in words for form in (word, word.lower())}


@dataclass(frozen=True, slots=True)
class Match:
    """Which entries of a dictionary join two vocabularies, and what became of the others; all add up to its lines.

    Args:
        pairs: source word and target word as the vocabularies have them, each in one pair only.
        repeated: entries that name a word of an earlier pair, as further translations do.
        no_source: entries whose source word has no vector.
        no_target: entries whose source word has one, and whose target word has none.
        lowered: words of `pairs` that were found in lower case only.
        only_lower: words without a vector as written that have one in lower case, where that was not asked for.
    """

    pairs: tuple[tuple[str, str], ...]
    repeated: int
    no_source: tuple[tuple[str, str], ...]
    no_target: tuple[tuple[str, str], ...]
    lowered: int
    only_lower: int


def match(
    entries: Sequence[tuple[str, str]], source: Collection[str], target: Collection[str], *, lower_case: bool = False
) -> Match:
    """Join two vocabularies by the entries of a dictionary, the first that fits for each word.

    Args:
        entries: source word and target word, in the order of the file.
        source: words that have a vector in the input space.
        target: words that have one in the target space.
        lower_case: seek words that are not there as written in lower case.

    Example:
        >>> entries = [("cat", "chat"), ("cat", "chatte"), ("tomcat", "chat"), ("Dog", "chien"), ("owl", "hibou")]
        >>> found = match(entries, {"cat", "tomcat", "dog"}, {"chat", "chatte", "chien"})
        >>> found.pairs, found.repeated, len(found.no_source), found.only_lower
        ((('cat', 'chat'),), 2, 2, 1)
    """
    pairs: dict[str, str] = {}
    taken: set[str] = set()
    no_source, no_target = [], []
    repeated = lowered = 0
    only_lower: set[tuple[int, str]] = set()
    for entry in entries:
        found = []
        for side, (word, known) in enumerate(zip(entry, (source, target), strict=True)):
            lower = word.lower()
            if word not in known and lower in known and not lower_case:
                only_lower.add((side, word))
            found.append(word if word in known else lower if lower_case and lower in known else None)
        a, b = found
        if a is None:
            no_source.append(entry)
        elif b is None:
            no_target.append(entry)
        elif a in pairs or b in taken:
            repeated += 1
        else:
            pairs[a] = b
            taken.add(b)
            lowered += (a != entry[0]) + (b != entry[1])
    return Match(tuple(pairs.items()), repeated, tuple(no_source), tuple(no_target), lowered, len(only_lower))
