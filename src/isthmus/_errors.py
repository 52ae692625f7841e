"""What goes wrong, in one grammar: `<argument>: needed <what>, got <what, with shape>. <next step>.`

Every error that a user can cause is an IsthmusError, so that the command line turns exactly these into one line and exit
code 2, and a program can catch them without catching its own bugs. They are ValueErrors, which scikit-learn's contract
asks for.
"""


class IsthmusError(ValueError):
    """Input that cannot be used as it is; the message says which, why and what to do next."""


class DataError(IsthmusError):
    """A file, a named data set or a pair of spaces that cannot be read or joined."""


class NeighborError(IsthmusError):
    """Neighbors asked for that do not exist, or neighbor tables that do not belong together."""


class MappingError(IsthmusError):
    """A mapping that cannot be learned, applied, saved or loaded as asked."""


class DivergenceError(MappingError):
    """A training whose loss or weights left the finite numbers."""


class MissingExtraError(IsthmusError):
    """An optional dependency that is not installed; the message holds the pip command."""
