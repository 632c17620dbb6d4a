"""Prompts with variables."""

from __future__ import annotations

import typing
from collections import abc

from vecstore import _vecstore
from vecstore._arguments import check_mapping, check_text

__all__ = ["PromptTemplate"]


class PromptTemplate:
    """A text with variables in braces: ``{name}``. Doubled braces are braces: ``{{`` and ``}}``.

    A name has letters, digits, ``_``, ``-`` and ``.``. What a variable is filled with is text: braces in it
    stay as they are.

    Parameters
    ----------
    template : str
        The text.

    Raises
    ------
    InvalidInputError
        For a brace that is neither part of a variable nor doubled, with its position.

    Examples
    --------
    >>> template = PromptTemplate("{question} Answer as {{...}} in {language}.")
    >>> template.with_default("language", "English").fill("question", "What is {this}?").render()
    'What is {this}? Answer as {...} in English.'
    """

    def __init__(self, template: str) -> None:
        self._template = check_text("template", template)
        self._state = _vecstore._RagPrompt(template)

    @property
    def template(self) -> str:
        """The text as it was given."""
        return self._template

    @property
    def variables(self) -> list[str]:
        """The names of the variables, each once."""
        return self._state.variables()

    def fill(self, name: str, value: object) -> PromptTemplate:
        """Fills a variable, with ``str(value)``, and returns this template.

        >>> PromptTemplate("{a} and {b}").fill("a", 1).fill("b", 2).render()
        '1 and 2'
        """
        self._state.set(check_text("name", name), str(value))
        return self

    def with_default(self, name: str, value: object) -> PromptTemplate:
        """Sets what a variable is if it is not filled, and returns this template.

        >>> template = PromptTemplate("Answer in {language}.").with_default("language", "English")
        >>> template.render()
        'Answer in English.'
        >>> template.format(language="French")
        'Answer in French.'
        """
        self._state.set_default(check_text("name", name), str(value))
        return self

    def render(self) -> str:
        """The text with all variables filled.

        Raises
        ------
        InvalidInputError
            If variables are neither filled nor have a default; it names them.

        Examples
        --------
        >>> PromptTemplate("Hello {name}").fill("name", "you").render()
        'Hello you'
        """
        return self._state.render()

    def render_and_reset(self) -> str:
        """The text, after which what variables were filled with is forgotten. Defaults stay.

        >>> template = PromptTemplate("Hello {name}").fill("name", "Ada")
        >>> template.render_and_reset(), template.fill("name", "Grace").render()
        ('Hello Ada', 'Hello Grace')
        """
        return self._state.render_and_reset()

    def format(self, mapping: abc.Mapping[str, object] | None = None, /, **variables: object) -> str:
        """The text with these values, which go before what was filled. The template is not changed.

        >>> PromptTemplate("{a} and {b}").fill("b", 1).format({"a": 2})
        '2 and 1'
        """
        given = {} if mapping is None else check_mapping("mapping", mapping)
        values = {
            **{check_text("mapping: a name", name): value for name, value in given.items()},
            **variables,
        }
        return self._state.format({name: str(value) for name, value in values.items()})

    def __reduce__(self) -> tuple[typing.Any, ...]:
        return _restored, (type(self), self._template, *self._state._state())

    def __repr__(self) -> str:
        return f"PromptTemplate({self._template!r})"


def _restored(
    of: type[PromptTemplate], template: str, values: dict[str, str], defaults: dict[str, str]
) -> PromptTemplate:
    """What was pickled."""
    restored = of(template)
    for name, value in values.items():
        restored.fill(name, value)
    for name, value in defaults.items():
        restored.with_default(name, value)
    return restored
