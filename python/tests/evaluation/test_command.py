"""The command, the pytest plugin, and what importing costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vecstore.evaluation.__main__ import main


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "qrels").write_text("q1 0 a 1\nq1 0 b 0\nq2 0 c 2\n", encoding="utf-8")
    (tmp_path / "run").write_text(
        "q1 Q0 b 1 0.9 r\nq1 Q0 a 2 0.5 r\nq2 Q0 c 1 1 r\nq2 Q0 a 2 0.5 r\n", encoding="utf-8"
    )
    (tmp_path / "better").write_text("q1 Q0 a 1 1 r\nq2 Q0 c 1 1 r\n", encoding="utf-8")
    records = [
        {"query": "2 + 2?", "answer": "four", "ground_truth": "Four."},
        {"query": "3 + 3?", "answer": "seven", "ground_truth": "six"},
    ]
    (tmp_path / "samples.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return tmp_path


def test_runs_print_as_trec_eval_prints_them(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["trec", f"{files}/qrels", f"{files}/run", "-m", "num_q", "-m", "recip_rank"]
    assert main([*arguments, "-q"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "num_q                 \tq1\t1",
        "recip_rank            \tq1\t0.5000",
        "num_q                 \tq2\t1",
        "recip_rank            \tq2\t1.0000",
        "num_q                 \tall\t2",
        "recip_rank            \tall\t0.7500",
    ]
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"num_q": 2.0, "recip_rank": 0.75}


def test_runs_are_compared(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", f"{files}/qrels", f"{files}/run", f"{files}/better", "-m", "recip_rank"]) == 0
    assert "| recip_rank | 0.7500 | 1.0000 | +0.2500 |" in capsys.readouterr().out


def test_answers_are_evaluated_and_thresholds_decide(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["rag", f"{files}/samples.jsonl", "-m", "exact_match"]
    outputs = [f"--{kind}={files}/out.{kind}" for kind in ("html", "json", "junit", "markdown")]
    assert main([*arguments, *outputs, "--threshold", "exact_match=0.5"]) == 0
    assert "| exact_match | 0.5000 |" in capsys.readouterr().out
    assert all((files / f"out.{kind}").stat().st_size > 100 for kind in ("html", "json", "junit", "markdown"))
    assert main([*arguments, "--threshold", "exact_match=0.6"]) == 1
    assert "exact_match: 0.5000 is below 0.6" in capsys.readouterr().err
    assert main(["diff", f"{files}/out.json", f"{files}/out.json"]) == 0
    assert "| exact_match | 0.5000 | 0.5000 |" in capsys.readouterr().out


def test_a_judge_is_loaded_by_its_place(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (files / "a_judge_of_the_test.py").write_text("def ask(prompt):\n    return 'yes'\n", encoding="utf-8")
    monkeypatch.syspath_prepend(files)
    arguments = ["rag", f"{files}/samples.jsonl", "-m", "factual_correctness"]
    assert main([*arguments, "--llm", "a_judge_of_the_test:ask", "--dry-run"]) == 0
    assert "calls=8" in capsys.readouterr().out
    for place in ("a_judge_of_the_test", "a_judge_of_the_test:nobody", "no_such_module_here:x"):
        assert main([*arguments, "--llm", place]) == 2
    assert "no_such_module_here" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["trec", "/no/such/qrels", "/no/such/run"],
        ["trec", "{}/qrels", "{}/qrels"],
        ["trec", "{}/qrels", "{}/run", "-m", "nothing"],
        ["rag", "{}/samples.jsonl", "-m", "nothing"],
        ["rag", "{}/samples.jsonl", "-m", "exact_match", "--threshold", "x=1"],
        ["rag", "{}/samples.jsonl", "-m", "exact_match", "--threshold", "exact_match"],
        ["diff", "{}/qrels", "{}/run"],
    ],
)
def test_mistakes_are_told_in_one_line(
    arguments: list[str], files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([argument.replace("{}", str(files)) for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("vecstore-eval: ")
    assert len(error.splitlines()) == 1


def test_names_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["names"]) == 0
    assert "ndcg_cut" in capsys.readouterr().out


PLUGIN_TEST = """
def test_good(assert_rag):
    samples = [{"query": "q", "answer": "a", "ground_truth": "a"}]
    assert_rag(samples, ["exact_match"], {"exact_match": 1.0})

def test_bad(assert_rag):
    assert_rag([{"query": "q", "answer": "a", "ground_truth": "b"}], ["exact_match"], {"exact_match": 1.0})
"""


def test_the_plugin_gives_a_fixture_with_baselines_and_reports(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(PLUGIN_TEST, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")

    def pytest_run(*options: str) -> str:
        command = [sys.executable, "-m", "pytest", "-p", "vecstore.evaluation.pytest_plugin", "-q", *options]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        return done.stdout + done.stderr

    out = pytest_run("--rag-baseline=base", "--rag-update", "--rag-html=html")
    assert "1 failed, 1 passed" in out
    assert "exact_match: mean 0.0000 is below 1; worst: `0` 0.0000" in out
    # A report that falls short is shown, and is no baseline.
    assert [path.name for path in (tmp_path / "base").iterdir()] == ["test_it.py_test_good.json"]
    assert len(list((tmp_path / "html").iterdir())) == 2
    assert "1 passed" in pytest_run("--rag-baseline=base", "-k", "good")


def test_importing_loads_nothing_of_it() -> None:
    script = (
        "import sys; import vecstore; before = set(sys.modules); import vecstore.evaluation;"
        "print(*(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["vecstore.evaluation"]


def test_everything_works_without_numpy() -> None:
    script = (
        "import sys; sys.modules['numpy'] = None\n"
        "from vecstore.evaluation import evaluate, evaluate_run, compare\n"
        "r = evaluate_run({'q': {'a': 1}}, {'q': {'a': 1.0}})\n"
        "print(compare(r, r)['map'].ties, evaluate([{'query': 'q', 'answer': 'a', 'ground_truth': 'a'}],"
        " ['token_f1']).scores)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "1 {'token_f1': [1.0]}"
