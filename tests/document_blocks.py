"""Documents taken apart: their blocks of code, the commands in them, and what the command line says to these."""

import re
import shlex
from dataclasses import dataclass

import typer

from isthmus.cli import app

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<code>.*?)^(?P=indent)```$", flags=re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"<!-- not run: [^>]+ -->\s*\Z")


@dataclass
class Block:
    language: str
    code: str
    line: int
    runs: bool
    follows: bool  # on another block, with nothing in between


def blocks(text):
    found, end = [], None
    for match in FENCE.finditer(text):
        between = text[end or 0 : match.start()]
        code = re.sub(f"(?m)^{match['indent']}", "", match["code"])
        line = text.count("\n", 0, match.start()) + 2
        found.append(
            Block(match["language"], code, line, not NOT_RUN.search(between), end is not None and not between.strip())
        )
        end = match.end()
    return found


def commands(line):
    """The commands of a line without comments and redirections, each as a list of words."""
    words, found = shlex.split(line, comments=True), [[]]
    while words:
        word = words.pop(0)
        if word == "&&":
            found.append([])
        elif word in (">", ">>"):
            words.pop(0)
        elif found[-1] or not re.fullmatch(r"[A-Z_]+=.*", word):
            found[-1].append(word)
    return [each for each in found if each]


def parse(words):
    """What the command line says to such a command, without running it; None where it understands."""
    command, path, rest = typer.main.get_command(app), "isthmus", words[1:]
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        path, (name, *rest) = f"{path} {rest[0]}", rest
        if name not in command.commands:
            return f"No such command: {path}"
        command = command.commands[name]
    if hasattr(command, "commands"):  # `--version` and the like act as soon as they are read
        known = {option for each in command.params for option in each.opts}
        return None if rest and rest[0] in known else f"No such option: {rest}"
    try:
        command.make_context(path, rest)
    except typer.Exit:
        return None
    except Exception as error:  # of click, which typer may carry under a name of its own
        return f"{type(error).__name__}: {error}"
    return None
