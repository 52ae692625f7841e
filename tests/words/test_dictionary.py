"""Two vocabularies joined by a dictionary, one word to one: what counts, and that all that does not is counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus._errors import DataError
from isthmus.words import forms_of, match, read_dictionary

WORD = st.sampled_from(["a", "b", "A", "B", "cat", "Cat", "CAT"])


@given(st.lists(st.tuples(WORD, WORD)), st.sets(WORD), st.sets(WORD), st.booleans())
def test_every_entry_is_accounted_for_and_every_word_stands_once(entries, source, target, lower_case):
    found = match(entries, source, target, lower_case=lower_case)
    assert len(found.pairs) + found.repeated + len(found.no_source) + len(found.no_target) == len(entries)
    for side, known in enumerate((source, target)):
        words = [pair[side] for pair in found.pairs]
        assert len(set(words)) == len(words)
        assert set(words) <= known
    if not lower_case:
        assert set(found.pairs) <= set(entries)
        assert found.lowered == 0
    assert {word for pair in found.pairs for word in pair} <= forms_of([word for entry in entries for word in entry])


@given(st.lists(st.tuples(WORD, WORD)), st.sets(WORD), st.sets(WORD))
def test_agrees_with_a_slow_search_in_the_order_of_the_file(entries, source, target):
    slow = []
    for a, b in entries:
        if a in source and b in target and not any(a == c or b == d for c, d in slow):
            slow.append((a, b))
    assert list(match(entries, source, target).pairs) == slow


def test_lower_case_only_where_asked_for():
    entries = [("Paris", "paris"), ("Rome", "Roma")]
    strict = match(entries, {"paris", "Rome"}, {"paris", "roma"})
    assert (strict.pairs, strict.only_lower) == ((), 2)
    loose = match(entries, {"paris", "Rome"}, {"paris", "roma"}, lower_case=True)
    assert (loose.pairs, loose.lowered, loose.only_lower) == ((("paris", "paris"), ("Rome", "roma")), 2, 0)


def test_tabs_spaces_marks_and_line_ends(tmp_path):
    path = tmp_path / "en-fr.txt"
    path.write_bytes("\ufeffcat chat\r\ndog\tchien\r\n\r\nhot dog\tchien chaud\r\n  owl   hibou \r\n".encode())
    assert read_dictionary(path) == [("cat", "chat"), ("dog", "chien"), ("hot dog", "chien chaud"), ("owl", "hibou")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cat chat\nhot dog chien\n", "needed two words with a tab or a space between them, got 'hot dog chien' in line 2"),
        (b"cat\n", "got 'cat' in line 1"),
        (b"cat\t\n", "got 'cat' in line 1"),
        (b"\n\n", "needed two words a line, got none"),
        (b"caf\xe9 cafe\n", "needed a dictionary in UTF-8"),
    ],
)
def test_what_is_no_dictionary_is_said(tmp_path, content, message):
    path = tmp_path / "d.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_dictionary(path)
    with pytest.raises(DataError, match="needed a dictionary in UTF-8, two words a line"):
        read_dictionary(tmp_path / "none.txt")
