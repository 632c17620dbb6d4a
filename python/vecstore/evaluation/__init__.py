"""Evaluation of retrieval and of answers: measures, judges, statistics, reports.

>>> from vecstore.evaluation import evaluate, evaluate_run
>>> evaluate_run({"q": {"a": 1}}, {"q": {"a": 0.9, "b": 0.5}}, ["ndcg_cut_10", "map"]).mean
{'ndcg_cut_10': 1.0, 'map': 1.0}
>>> samples = [{"query": "2 + 2?", "answer": "It is four", "ground_truth": "four"}]
>>> evaluate(samples, ["token_f1"]).scores
{'token_f1': [0.5]}
"""

# Each module is imported when a name of it is first asked for: asyncio and dataclasses take longer than the
# rest.
_HOMES = {
    "_evaluate": (
        "Evaluator",
        "Plan",
        "evaluate",
        "metric_names",
    ),
    "_inputs": (
        "EvaluationInput",
        "read_dataset",
    ),
    "_results": (
        "AggregateStats",
        "EvaluationReport",
        "Failure",
        "MetricResult",
    ),
    "_report": (
        "MetricSummary",
        "Report",
    ),
    "_metric": (
        "Metric",
        "NothingToJudgeError",
    ),
    "_session": (
        "Account",
        "Session",
        "Settings",
    ),
    "_deterministic": (
        "Bleu",
        "Chrf",
        "CitationPrecision",
        "CitationRecall",
        "ContextUtilization",
        "EmbeddingSimilarity",
        "ExactMatch",
        "LexicalGroundedness",
        "QuotedSpans",
        "Rouge",
        "TokenF1",
    ),
    "_judged": (
        "AnswerCorrectness",
        "AnswerFaithfulness",
        "AnswerRelevancy",
        "ContextEntityRecall",
        "ContextPrecision",
        "ContextRecall",
        "ContextRelevance",
        "FactualCorrectness",
        "NoiseSensitivity",
        "Pairwise",
        "Rubric",
    ),
    "_retrieval": (
        "RetrievalReport",
        "evaluate_diversity",
        "evaluate_retrieval",
        "evaluate_run",
        "fuse_runs",
        "measure_names",
        "qrels_from_arrays",
        "read_qrels",
        "read_run",
        "recall_at_k",
        "run_from_arrays",
        "run_from_collection",
        "write_qrels",
        "write_run",
    ),
    "_statistics": (
        "Agreement",
        "Interval",
        "TestResult",
        "bootstrap_interval",
        "cohen_kappa",
        "holm",
        "judge_agreement",
        "paired_t_test",
        "randomization_test",
        "wilcoxon_test",
    ),
    "_compare": (
        "Comparison",
        "MetricComparison",
        "compare",
    ),
    "_assertion": ("assert_rag",),
}

__all__ = [
    # Evaluating
    "Evaluator",
    "Plan",
    "evaluate",
    "metric_names",
    # Samples
    "EvaluationInput",
    "read_dataset",
    # Results
    "AggregateStats",
    "EvaluationReport",
    "Failure",
    "MetricResult",
    # Reports
    "MetricSummary",
    "Report",
    # Metrics of your own
    "Metric",
    "NothingToJudgeError",
    # Asking judges
    "Account",
    "Session",
    "Settings",
    # Metrics without a judge
    "Bleu",
    "Chrf",
    "CitationPrecision",
    "CitationRecall",
    "ContextUtilization",
    "EmbeddingSimilarity",
    "ExactMatch",
    "LexicalGroundedness",
    "QuotedSpans",
    "Rouge",
    "TokenF1",
    # Judged metrics
    "AnswerCorrectness",
    "AnswerFaithfulness",
    "AnswerRelevancy",
    "ContextEntityRecall",
    "ContextPrecision",
    "ContextRecall",
    "ContextRelevance",
    "FactualCorrectness",
    "NoiseSensitivity",
    "Pairwise",
    "Rubric",
    # Retrieval
    "RetrievalReport",
    "evaluate_diversity",
    "evaluate_retrieval",
    "evaluate_run",
    "fuse_runs",
    "measure_names",
    "qrels_from_arrays",
    "read_qrels",
    "read_run",
    "recall_at_k",
    "run_from_arrays",
    "run_from_collection",
    "write_qrels",
    "write_run",
    # Statistics
    "Agreement",
    "Interval",
    "TestResult",
    "bootstrap_interval",
    "cohen_kappa",
    "holm",
    "judge_agreement",
    "paired_t_test",
    "randomization_test",
    "wilcoxon_test",
    # Comparison
    "Comparison",
    "MetricComparison",
    "compare",
    # Tests
    "assert_rag",
]


def __getattr__(name):
    from importlib import import_module

    for module, names in _HOMES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
