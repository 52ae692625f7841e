"""What one would type next: arguments that the command line takes, made of those that were given."""

from typing import Any

import typer


def again(context: typer.Context, **changes: Any) -> list[str]:
    """The command just given, with some options set or set otherwise; a change of None leaves an option out.

    What was not given stays out, so that the line is as short as what was typed.
    """
    of_arguments = [each for each in context.command.params if each.param_type_name == "argument"]
    arguments = [text for each in of_arguments for text in _texts(_value(context, each, {}))]
    options = _options(context, [each for each in context.command.params if each not in of_arguments], changes)
    verb = context.command_path.split()[1:]
    if any(each.startswith("-") for each in arguments):
        return [*verb, *options, "--", *arguments]
    return [*verb, *arguments, *options]


def audit(context: typer.Context, sets: list[str]) -> list[str]:
    """The audit of the first two of these sets; of a named set whose two sides they are, by its name."""
    name, colon, _ = sets[0].rpartition(":")
    how = given(context, "dictionary", "lower_case", "metric", "include_self")
    return ["audit", *([name] if colon and sets[:2] == [f"{name}:x", f"{name}:y"] else sets[:2]), *how]


def given(context: typer.Context, *names: str) -> list[str]:
    """Those of these options that were given, as they were."""
    return _options(context, [each for each in context.command.params if each.name in names], {})


def _options(context: typer.Context, parameters: list[Any], changes: dict[str, Any]) -> list[str]:
    found = []
    for each in parameters:
        for value in _texts(_value(context, each, changes)):
            found += [each.opts[0], value] if value else [each.opts[0]]
    return found


def _value(context: typer.Context, parameter: Any, changes: dict[str, Any]) -> Any:
    source = context.get_parameter_source(parameter.name)
    was_given = source is not None and source.name == "COMMANDLINE"
    return changes.get(parameter.name, context.params.get(parameter.name) if was_given else None)


def _texts(value: Any) -> list[str]:
    """The texts of a value, none where it is not set, an empty one for a flag."""
    if value is None or value is False:
        return []
    return [""] if value is True else [str(each) for each in (value if isinstance(value, list | tuple) else [value])]
