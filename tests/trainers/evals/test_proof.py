"""That the tuned model answered is proven, refuted or left open by what was noted."""

import json
from pathlib import Path
from typing import Any

import pytest

from knowledge.errors import ServiceError
from trainers.evals.proof import ProofResult, prove, same_model

WANTED = "ft:shop-7b:acme::a1"


def notes(folder: Path, tuned: Any) -> Path:
    path = folder / "arms.json"
    path.write_text(json.dumps({"arms": {"base_plain": {}, "tuned": tuned}}))
    return path


def test_moved_logits_prove_it(tmp_path: Path) -> None:
    """An adapter that moves logits answered; one that moves none did not, whatever the answers look like."""
    proven = prove(arms=notes(tmp_path, {"max_logit_change": 11.25}), adapter_sha256="ab" * 32)
    assert proven.outcome == "proven"
    assert proven.sentences == (
        "The tuned model answered: the adapter abababababab moves a next token's logit by up to 11.",
    )
    refuted = prove(arms=notes(tmp_path, {"max_logit_change": 0.0}))
    assert refuted.outcome == "refuted"
    assert ProofResult.from_json(json.loads(json.dumps(refuted.to_json()))) == refuted


@pytest.mark.parametrize(
    ("answered_by", "outcome"),
    [
        ([WANTED] * 3, "proven"),
        ([WANTED, "", WANTED], "proven"),
        ([f"acme/{WANTED}"] * 3, "proven"),
        ([WANTED, "shop-7b", WANTED], "refuted"),  # the gateway fell back to the base once
        ([f"{WANTED}-other"], "refuted"),
        (["", ""], "unproven"),
        ([], "unproven"),
    ],
)
def test_the_model_that_answers_name_proves_it(answered_by: list[str], outcome: str) -> None:
    """Every answer must name the tuned model or none; one that names another refutes it."""
    assert prove(wanted_model=WANTED, answered_by=answered_by).outcome == outcome


@pytest.mark.parametrize(
    ("asked", "answered", "same"),
    [
        ("gpt-x", "gpt-x", True),
        ("gpt-x", "gpt-x-2025-04-14", True),
        ("gpt-x", "gpt-x-0613", True),
        ("gpt-x", "gpt-x-mini", False),
        ("gpt-x", "gpt-x-", False),
        ("ft:gpt-x:me::1", "gpt-x", False),
        ("gpt-x", "", False),
        ("gpt-x", "Acme/GPT-x-2025-04-14", True),
        ("acme/gpt-x", "gpt-x-2025-04", True),
        ("acme/gpt-x", "other/gpt-x", False),
        ("gpt-x-0613", "gpt-x", False),
        ("acme/", "", False),
    ],
)
def test_the_model_that_answers_is_the_one_or_a_dated_variant(asked: str, answered: str, same: bool) -> None:
    """A date may follow the name and an owner precede it, and nothing else."""
    assert same_model(asked, answered) is same
    outcome = "proven" if same else "refuted" if answered else "unproven"
    assert prove(wanted_model=asked, answered_by=[answered]).outcome == outcome


def test_without_evidence_it_stays_open(tmp_path: Path) -> None:
    """Nothing noted proves nothing, and says so."""
    for result in (prove(), prove(arms=tmp_path / "none.json"), prove(arms=notes(tmp_path, {}))):
        assert result.outcome == "unproven"
        assert result.sentences[0].startswith("Not proven")


def test_equal_answers_are_mentioned(tmp_path: Path) -> None:
    """All answers equal to the base's are worth a sentence even where the adapter is proven; some are not."""
    arms = notes(tmp_path, {"max_logit_change": 0.01})
    assert "All 2 answers" in prove(arms=arms, plain=["a", "b"], tuned=["a ", "b"]).sentences[1]
    assert len(prove(arms=arms, plain=["a", "b"], tuned=["a", "c"]).sentences) == 1


@pytest.mark.parametrize("text", ["{", "[]", '{"arms": []}', '{"arms": {"tuned": {"max_logit_change": "x"}}}'])
def test_damaged_notes_are_an_error_with_a_next_step(tmp_path: Path, text: str) -> None:
    """Notes that can't be read are not taken for missing ones."""
    path = tmp_path / "arms.json"
    path.write_text(text)
    with pytest.raises(ServiceError):
        prove(arms=path)
