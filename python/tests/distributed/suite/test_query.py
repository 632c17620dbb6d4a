"""The tests of one store of this name, on shards."""

from __future__ import annotations

from .here import run_here

run_here(
    globals(),
    {
        "test_query_batch_is_a_sequence": "the sequence is Answers, which its repr says",
        "test_a_call_means_the_same_however_its_arguments_are_given": "calls VecStore.query",
        "test_a_wrong_call_is_refused": "the words are those of a method of Python",
    },
)
