"""Word vectors: their files, read block by block, and what a word or an expression has in them."""

from isthmus.words._batches import Batch, Duplicates
from isthmus.words._dictionary import Match, forms_of, match, read_dictionary
from isthmus.words._lookup import Found, Lookup, candidates, look_up
from isthmus.words._read import FORMATS, convert_words, is_word_file, read_list, read_words, words_beside, write_words
from isthmus.words._text import is_number
from isthmus.words._vectors import WordVectors

__all__ = [
    "FORMATS",
    "Batch",
    "Duplicates",
    "Found",
    "Lookup",
    "Match",
    "WordVectors",
    "candidates",
    "convert_words",
    "forms_of",
    "is_number",
    "is_word_file",
    "look_up",
    "match",
    "read_dictionary",
    "read_list",
    "read_words",
    "words_beside",
    "write_words",
]
