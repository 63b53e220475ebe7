"""Passwords and identity numbers are told from what only looks like them."""

import json
from pathlib import Path

import pytest

from trainers.data.lint import lint
from trainers.data.rules.credentials import secrets_in
from trainers.data.rules.personal import _found_in

# Passwords are put together here so that no scanner takes this file for a leak.
WORD = "Plum" + "-Oak77"

SECRET = (
    f'smtp_password = "{WORD}"',
    f"DB_PASS={WORD}",
    f'password: "{WORD}"',
    f"spring.mail.password={WORD}",
    f"mysql -u shop -p{WORD} till",
    f"psql --password {WORD}",
    f'sshpass -p "{WORD}" ssh till',
    f'{{"password": "{WORD}"}}',
    f"Server=till;Uid=shop;Pwd={WORD};",
    f"Passord: {WORD}",
    f"lösenordet är ändrat, lösenord: {WORD}",
    f"hasło to {WORD}",
    f"パスワードは{WORD}です",
    f"密码：{WORD}",
    f"IDENTIFIED BY '{WORD}'",
    "pass: P@" + "ssel!Wald9",
    'dbPassword = "kitt' + '1eX"',
    'password = "Kettle!' + 'Lid"',
    "STRIPE_API_KEY=" + "ab12cd34" * 3,
)
NO_SECRET = (
    "password: your-passw0rd",
    "password = ********",
    "the password is shown on the label",
    "password: ${TILL_PASSWORD_1}",
    'password = os.environ["TILL_PASS_1"]',
    "password = settings.till.password2",
    "Password must have 12 characters",
    "--password <your password>",
    "password on Windows10Pro",
    "password: changeme123",
    "password: jane@shop.test",
    "the compass is a Model-2000X",
    "Contraseña: (12 caracteres)",
    "mysql://user:password@localhost:3306/till",
    "AKIAIOSFODNN7" + "EXAMPLE",
)
KEYS = (
    "sk-" + "Ab3dEf9hIj2kLm5nOp8q",
    "sk-proj-" + "a1-B2_c3D4e5F6g7H8i9J0k",
    "sk-or-v1-" + "0f3a9c1e" * 8,
    "sk-ant-api03-" + "wQ7pZr2LmX0vNc8TsKd4-yB6",
    "Authorization: Bearer " + "9fT2mQx7LrB4vKd8sHz1wNc6pJy3Rt",
    "curl -H 'Authorization: Bearer " + "8c1d0b7e-6f3a-4c2d-9e5b-1a2b3c4d5e6f'",
)
WORDS = (
    "sk-circle-fade-dot-container",
    "sk-learn-based-classification-pipeline",
    "sk-resnet50-v2-imagenet-21k-finetuned-2024",
    "Authorization: Bearer YOUR_ACCESS_TOKEN_FROM_DASHBOARD",
    "Authorization: Bearer paste_the_token_from_your_dashboard_here",
    "Bearer authentication_is_required_for_this_endpoint",
)
SOMEBODY = (
    "fødselsnummer 010190 10208",
    "hetu 010190-002R",
    "personnummer 9001011239",
    "900101-1239",
    "CPR 010190-0013",
    "PESEL 90010112349",
    "BSN 123456782",
    "VRDLGU90A01H501S",
    "contribuinte 123456789",
    "111.444.777-35",
    "1 90 01 75 116 001 41",
    "87654321X",
    "Y2345678Z",
    "Steuer-ID 65929970489",
    "NHS 943 476 5919",
    "756.9217.0769.85",
    "Zavolejte: 900101/1239",
    "kimlik 10000000146",
    "Ring oss på 22 33 44 55",
    "skriv til kari (krøllalfa) butikk punkt no",
    "Vi bor i Lindeveien 12B",
)
NOBODY = (
    "order 010190-0014 left",
    "parcel 90010112349",
    "part 123456782",
    "87654321A",
    "111.444.777-36",
    "756.9217.0769.86",
    "VRDLGU90A01H501A",
    "65929970489 steps",
    "call us before 2026 11 30",
    "Seagate 500 disk",
    "the version is 12.34.56.78",
)


@pytest.mark.parametrize("text", SECRET)
def test_a_password_is_told_however_it_is_assigned(text: str) -> None:
    """In settings, flags and sentences of any language a password is a secret."""
    assert secrets_in(text)


@pytest.mark.parametrize("text", KEYS)
def test_a_key_is_told_by_what_no_word_looks_like(text: str) -> None:
    """Letters, digits and cases in turn are a key, however it is parted by dashes."""
    assert secrets_in(text)


@pytest.mark.parametrize("text", WORDS)
def test_words_behind_the_start_of_a_key_are_no_key(text: str) -> None:
    """A style's name, a package's name, and a blank to fill in give nothing away."""
    assert not secrets_in(text)


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "user", "content": "Hi", "note": KEYS[0]}, {"role": "assistant", "content": "Ho"}]},
        {
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Ho", "meta": {"k": [KEYS[1]]}},
            ]
        },
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}], "id": KEYS[2]},
    ],
    ids=["a message", "deep in a message", "the row"],
)
def test_a_secret_beside_the_texts_of_a_row_is_found(row: dict[str, object], tmp_path: Path) -> None:
    """What training ignores goes to the provider all the same."""
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n")
    assert "secret" in {finding.code for finding in lint(path).findings}


@pytest.mark.parametrize("text", NO_SECRET)
def test_talk_about_passwords_is_no_secret(text: str) -> None:
    """Blanks, variables, sentences and a manual's samples give nothing away."""
    assert not secrets_in(text)


@pytest.mark.parametrize("text", SOMEBODY)
def test_a_number_that_tells_who_somebody_is_is_told_by_its_check_digits(text: str) -> None:
    """Right check digits, and a word beside plain digits, make personal data."""
    assert list(_found_in(text))


@pytest.mark.parametrize("text", NOBODY)
def test_other_numbers_are_nobody(text: str) -> None:
    """Wrong check digits, or plain digits without a word beside them, are orders, parts and parcels."""
    assert not list(_found_in(text))


def test_a_number_is_named_once() -> None:
    """A number that two rules could tell is named once."""
    assert [kind for kind, _ in _found_in("personnummer 900101-1239")] == ["identity number"]


def test_a_number_of_a_place_that_no_table_lists_is_none() -> None:
    """Found by fuzzing: its check digit fits, and the tables that we ask know no county of that code."""
    assert list(_found_in("身份证号 111111111111111110")) == []
