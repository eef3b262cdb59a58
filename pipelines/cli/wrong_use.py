"""Wrong use of the command line, as one line like every other error."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from pipelines.errors import UsageError

WrongUse: type[Exception] = typer.BadParameter.__mro__[1]
"""What all that the parser refuses has in common. typer has it from click or in a copy of its own, and exports this one
kind of it alone."""
_HELP = "NoArgsIsHelpError"


def is_help(error: Exception) -> bool:
    """Whether nothing was asked, and help was printed as the answer."""
    return type(error).__name__ == _HELP


def describe(error: Exception) -> str:
    """What is wrong, with what is near, and where help is."""
    message = " ".join(str(getattr(error, "format_message", error.__str__)()).split()).replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    return f"{message} ({context.command_path} --help)" if context else message


def require_text(arguments: Sequence[str]) -> None:
    """Raises UsageError for bytes that are no text in UTF-8, as which nothing here can be looked up or kept."""
    for place, argument in enumerate(arguments, start=1):
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise UsageError(f"argument {place} is not UTF-8: {argument!a}") from None
