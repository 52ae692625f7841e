"""Pages of the site that are made while it is built, so that they cannot be stale: a hook of mkdocs (mkdocs.yml).

The front page is README.md, the changes are CHANGELOG.md, the notices those of the embedded data; the command line's page
comes from the commands themselves, and the reference of names has one page for each public door.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from griffe import Extension, Object
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import isthmus
from isthmus.cli import app

ROOT = Path(__file__).parents[1]
DOORS = sorted(isthmus._FOLDERS)
COPIED = {"README.md": "index.md", "CHANGELOG.md": "changes.md", "src/isthmus/datasets/embedded/NOTICE.md": "notices.md"}
COPIED |= {name: name for path in ROOT.glob("examples/*.md") if (name := path.relative_to(ROOT).as_posix())}
PAGES = COPIED | {"CITATION.cff": "docs/cite.md"}
"""Where the site has what lies outside docs."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made; what mkdocs.yml does not know of stands at the end of the reference."""
    pages = {page: relinked((ROOT / source).read_text(encoding="utf-8"), source, page) for source, page in COPIED.items()}
    pages["command-line.md"] = command_line()
    pages |= {f"api/{name}.md": reference(f"isthmus.{name}") for name in DOORS}
    pages["api/isthmus.md"] = reference("isthmus")
    for page, text in pages.items():
        files.append(File.generated(config, page, content=text))
    for picture in sorted(ROOT.glob("examples/pictures/*")):
        files.append(File.generated(config, picture.relative_to(ROOT).as_posix(), abs_src_path=str(picture)))
    known = str(config.nav)
    others = [file.src_uri for file in files.documentation_pages() if f"'{file.src_uri}'" not in known]
    next(part["Reference"] for part in config.nav or [] if "Reference" in part).extend(others)
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Links of a page of docs that leave docs."""
    return markdown if page.file.generated_by else relinked(markdown, f"docs/{page.file.src_uri}", page.file.src_uri)


def relinked(text: str, source: str, page: str) -> str:
    """A text of the repository with its links as the site has them.

    Args:
        text: in Markdown.
        source: its place in the repository.
        page: its place in the site.
    """

    def link(match: re.Match[str]) -> str:
        target, anchor = match[1], match[2] or ""
        if re.match(r"\w+:|#", target):
            return match[0]
        place = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        there = PAGES.get(place, place).removeprefix("docs/")
        return f"]({posixpath.relpath(there, posixpath.dirname(page) or '.')}{anchor})"

    return re.sub(r"\]\(([^)#\s]+)(#[^)\s]*)?\)", link, text)


class Docstrings(Extension):
    """Docstrings as the site reads them: one example is a section of examples too."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Mend the docstring of a name."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(r"(?m)^Example:$", "Examples:", obj.docstring.value)


def reference(name: str) -> str:
    """The page of a door: every public name with its docstring."""
    return f"# {name}\n\n::: {name}\n"


def command_line() -> str:
    """The page of the command line: every verb with its help, arguments and options."""
    root = typer.main.get_command(app)
    index, parts = [], []
    for path, command in verbs(root, "isthmus"):
        index.append(f"- [`{path}`](#{path.replace(' ', '-')}): {_claim(command)}")
        parts.append(verb(path, command))
    return "\n".join(["# The command line", "", root.help or "", "", *index, "", EXITS, *parts])


EXITS = """`--help` after each shows the same. Exit codes: 0 done, 1 a limit not kept (`check`), 2 input that cannot be
used (one line says why), 130 stopped. `isthmus --version` shows the version; `isthmus --install-completion` lets the shell
complete verbs and options.
"""


def verbs(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its path."""
    for name, each in getattr(command, "commands", {}).items():
        if hasattr(each, "commands"):
            yield from verbs(each, f"{path} {name}")
        else:
            yield f"{path} {name}", each


def _claim(command: Any) -> str:
    return (command.help or "").partition("\n")[0]


def verb(path: str, command: Any) -> str:
    """One verb: what it does, its examples as code, its arguments and options as a table."""
    text, _, examples = (command.help or "").partition("\b\nExamples:")
    context = command.make_context(path, [], resilient_parsing=True)  # which reads nothing
    arguments = " ".join(each.metavar or each.name.upper() for each in command.params if each.param_type_name == "argument")
    records = [
        (re.sub(r" <list.*", "", record[0]), record[1])  # how often an argument may come is in its own words
        for each in command.params
        if (record := each.get_help_record(context)) is not None
    ]
    lines = [f"## {path}", "", "```text", f"{path} {arguments} [OPTIONS]".replace("  ", " "), "```", "", text.strip(), ""]
    if examples.strip():
        lines += ["```sh", *(line.strip() for line in examples.strip().splitlines()), "```", ""]
    rows = [f"| `{_cell(names)}` | {_plain(_cell(meaning))} |" for names, meaning in records]
    return "\n".join([*lines, "| argument or option | meaning |", "|---|---|", *rows, ""])


def _cell(text: str) -> str:
    """A text as a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _plain(text: str) -> str:
    """A text in which nothing is markup."""
    return re.sub(r"([\[*_<])", r"\\\1", text)
