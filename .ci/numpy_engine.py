"""What an installation without the compiled engine must do: search with numpy, and say so once."""

import warnings

from isthmus.neighbors import describe_engine, search

with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for _ in range(2):
        found = search([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0]], 1).index.ravel().tolist()
assert found == [1, 0, 1], found
assert describe_engine() == "numpy", describe_engine()
said = [str(each.message) for each in seen if "isthmus" in str(each.message)]
assert len(said) == 1, said
assert "without its compiled neighbor engine" in said[0], said
