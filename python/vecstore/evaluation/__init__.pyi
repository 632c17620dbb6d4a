from vecstore.evaluation._assertion import (
    assert_rag,
)
from vecstore.evaluation._compare import (
    Comparison,
    MetricComparison,
    compare,
)
from vecstore.evaluation._deterministic import (
    Bleu,
    Chrf,
    CitationPrecision,
    CitationRecall,
    ContextUtilization,
    EmbeddingSimilarity,
    ExactMatch,
    LexicalGroundedness,
    QuotedSpans,
    Rouge,
    TokenF1,
)
from vecstore.evaluation._evaluate import (
    Evaluator,
    Plan,
    evaluate,
    metric_names,
)
from vecstore.evaluation._inputs import (
    EvaluationInput,
    read_dataset,
)
from vecstore.evaluation._judged import (
    AnswerCorrectness,
    AnswerFaithfulness,
    AnswerRelevancy,
    ContextEntityRecall,
    ContextPrecision,
    ContextRecall,
    ContextRelevance,
    FactualCorrectness,
    NoiseSensitivity,
    Pairwise,
    Rubric,
)
from vecstore.evaluation._metric import (
    Metric,
    NothingToJudgeError,
)
from vecstore.evaluation._report import (
    MetricSummary,
    Report,
)
from vecstore.evaluation._results import (
    AggregateStats,
    EvaluationReport,
    Failure,
    MetricResult,
)
from vecstore.evaluation._retrieval import (
    RetrievalReport,
    evaluate_diversity,
    evaluate_retrieval,
    evaluate_run,
    fuse_runs,
    measure_names,
    qrels_from_arrays,
    read_qrels,
    read_run,
    recall_at_k,
    run_from_arrays,
    run_from_collection,
    write_qrels,
    write_run,
)
from vecstore.evaluation._session import (
    Account,
    Session,
    Settings,
)
from vecstore.evaluation._statistics import (
    Agreement,
    Interval,
    TestResult,
    bootstrap_interval,
    cohen_kappa,
    holm,
    judge_agreement,
    paired_t_test,
    randomization_test,
    wilcoxon_test,
)

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
