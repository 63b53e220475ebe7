"""Papers with amounts: one currency each."""

import json
import re
from typing import Any

import pytest

from trainers.evals.drafts.currencies import code_of, currency_beside, one_currency
from trainers.evals.drafts.fields import Field, Value, fields_of
from trainers.evals.generating.compose import compose_rows
from trainers.evals.generating.spec import row_spec


def fields(*keys: str) -> list[Field]:
    return fields_of({"properties": {key: {"type": "string"} for key in keys}})


def texts(*drawn: tuple[Field, Value | None], odd: tuple[str, ...] = ()) -> list[str]:
    return [value.text for _, value in one_currency(drawn, odd) if value]


def test_amounts_are_in_the_currency_that_the_paper_names() -> None:
    """A sign stays a sign where the currency has one; whatever has none gets its code."""
    total, fee, currency = fields("total", "fee", "currency")
    drawn = [(total, Value("€1,240.50", 1240.5)), (fee, Value("EUR 9.00", 9))]
    assert texts(*drawn, (currency, Value("GBP", "GBP"))) == ["£1,240.50", "GBP 9.00", "GBP"]
    assert texts(*drawn, (currency, Value("CHF", "CHF"))) == ["CHF 1,240.50", "CHF 9.00", "CHF"]


def test_without_a_currency_field_the_first_amount_decides() -> None:
    """An odd amount decides before it; it, and an answer that is the written text, stay as they are."""
    total, fee, said = fields("total", "fee", "said")
    drawn = [(total, Value("$5.00", 5)), (fee, Value("€6.00", 6)), (said, Value("€7.00", "€7.00"))]
    assert texts(*drawn) == ["$5.00", "$6.00", "€7.00"]
    assert texts(*drawn, odd=("fee",)) == ["€5.00", "€6.00", "€7.00"]
    assert texts((said, None), (total, Value("12", 12))) == ["12"]


def test_where_the_currency_is_left_out_amounts_have_none() -> None:
    """Else the paper says what the answer, null, does not; an odd name of a currency changes nothing."""
    total, currency = fields("total", "currency")
    assert texts((total, Value("EUR 283.99", 283.99)), (currency, None)) == ["283.99"]
    assert texts((total, Value("$5", 5)), (currency, Value("eur", "eur"))) == ["€5", "eur"]
    assert texts((total, Value("$5", 5)), (currency, Value("Alder", "Alder"))) == ["$5", "Alder"]


@pytest.mark.parametrize(
    ("node", "text", "held"),
    [
        ({"type": "string"}, "1.240,50 €", "EUR"),
        ({"enum": ["eur", "usd"]}, "minus 40 euros", "eur"),
        ({"enum": ["EUR", "USD"]}, "CHF 12'500.-", None),
        ({"type": "string"}, "12 kg", ""),
    ],
)
def test_an_odd_amount_has_its_currency_beside_it(node: dict[str, Any], text: str, held: str | None) -> None:
    """Where the field takes no such code there is no such paper."""
    beside = currency_beside(fields_of({"properties": {"currency": node}}), text)
    assert (beside is None) == (held is None)
    assert not beside or beside["currency"].answer == held


@pytest.mark.parametrize("seed", range(4))
def test_no_answer_leaves_out_a_currency_that_its_paper_names(seed: int) -> None:
    """In every case: also where the field is missing, beside decoys, odd amounts and corrections."""
    kinds = {"vendor": "string", "total": "number", "tax": ["number", "null"], "currency": ["string", "null"]}
    schema = {
        "type": "object",
        "required": list(kinds),
        "properties": {key: {"type": kind} for key, kind in kinds.items()},
    }
    for draft in compose_rows(row_spec("Extract from mails", schema=schema), count=60, seed=seed).drafts:
        said = {code_of(each) for each in re.findall(r"[€$£]|\b(?:EUR|USD|GBP|CHF|euros)\b", draft.input)}
        answer = json.loads(draft.target)["currency"]
        assert said <= ({answer} if answer else set()), (draft.input, draft.target)


def test_a_key_of_blanks_is_no_currency() -> None:
    """Names of keys may be anything."""
    assert texts((fields(" ")[0], Value("€5", 5))) == ["€5"]


@pytest.mark.parametrize("seed", range(3))
def test_no_plain_row_mixes_currencies(seed: int) -> None:
    """Also in lists of lines."""
    line = {
        "type": "object",
        "required": ["item", "price"],
        "properties": {"item": {"type": "string"}, "price": {"type": "number"}},
    }
    schema = {
        "type": "object",
        "required": ["total", "currency", "lines"],
        "properties": {
            "total": {"type": "number"}, "currency": {"enum": ["EUR", "USD", "GBP"]},
            "lines": {"type": "array", "minItems": 2, "items": line},
        },
    }  # fmt: skip
    made = compose_rows(row_spec("Extract from invoices", schema=schema), count=12, seed=seed)
    for draft in made.drafts:
        if draft.cell["case"] == "typical":
            code = json.loads(draft.target)["currency"]
            assert set(re.findall(r"[€$£]|\b(?:EUR|USD|GBP)\b", draft.input)) <= {
                code,
                {"EUR": "€", "USD": "$", "GBP": "£"}[code],
            }


def test_words_of_a_field_vary_over_many_rows() -> None:
    """Names, companies, places, products: hardly the same ones in every fifth row."""
    spec = row_spec("Extract vendor, customer, city, product from mails")
    rows = [json.loads(draft.target) for draft in compose_rows(spec, count=60, seed=7).drafts]
    for key in ("vendor", "customer", "city", "product"):
        assert len({row[key] for row in rows if row[key]}) >= 12, key
