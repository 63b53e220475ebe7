"""Stock phrases, refusals and blanks are told in 19 languages, and what people write to customers is left alone."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainers.data.rules.phrases import Phrases, phrases, said_in
from trainers.data.rules.refusing import refuses
from trainers.data.rules.wording import has_placeholder

GENERATED = {
    "en": "As of my last training in spring, the shop was open. As an AI assistant I am, well, I am an AI model.",
    "any": "Jeg er ChatGPT og svarer gjerne.",
    "any_unspaced": "私はOpenAIが開発したものです。",
    "de": "Als KI-Modell habe ich keinen Zugriff auf die Kasse.",
    "fr": "En tant que modèle de langage, je vois la facture ainsi.",
    "es": "Como modelo de lenguaje, veo la factura así.",
    "it": "In quanto intelligenza artificiale, vedo la fattura così.",
    "pt": "Como um modelo de linguagem, vejo a fatura assim.",
    "nl": "Als AI-taalmodel zie ik de rekening zo.",
    "no": "Per min siste oppdatering var butikken åpen.",
    "sv": "Som språkmodell ser jag fakturan så här.",
    "da": "Som en AI-model ser jeg fakturaen sådan.",
    "fi": "Tekoälynä en näe kassaa.",
    "pl": "Jako model językowy widzę fakturę tak.",
    "cs": "Jako jazykový model vidím fakturu takto.",
    "tr": "Bir yapay zeka dil modeli olarak faturayı böyle görüyorum.",
    "ru": "Как языковая модель, я вижу счёт так.",
    "uk": "Як мовна модель, я бачу рахунок так.",
    "ja": "AI言語モデルとして、請求書はこう見えます。",
    "zh": "作为一个人工智能语言模型，我这样看账单。",
    "ko": "AI 언어 모델로서 청구서를 이렇게 봅니다.",
}
REFUSED = {
    "en": "Sorry, but I won't help with that.",
    "de": "Dabei kann ich Ihnen leider nicht helfen.",
    "fr": "Désolé, je ne peux pas répondre à cela.",
    "es": "Lo siento, no puedo ayudarte con eso.",
    "it": "Mi dispiace, non posso aiutarti.",
    "pt": "Lamento, mas não posso ajudar com isso.",
    "nl": "Het spijt me, maar ik kan dat niet doen.",
    "no": "Det kan jeg dessverre ikke svare på.",
    "sv": "Tyvärr kan jag inte hjälpa till med det.",
    "da": "Jeg kan desværre ikke hjælpe med det.",
    "fi": "Valitettavasti en voi auttaa siinä.",
    "pl": "Przepraszam, ale nie mogę w tym pomóc.",
    "cs": "Omlouvám se, ale s tím vám nemohu pomoci.",
    "tr": "Üzgünüm, bu konuda size yardımcı olamam.",
    "ru": "Извините, но я не могу с этим помочь.",
    "uk": "Вибачте, але я не можу з цим допомогти.",
    "ja": "申し訳ありませんが、その件にはお答えできません。",
    "zh": "抱歉，我无法为您提供这方面的帮助。",
    "ko": "죄송하지만 그 요청은 도와드릴 수 없습니다.",
}
BLANK = {
    "en": "Dear [customer first name], it is ready.",
    "de": "Guten Tag, <STRASSE EINFÜGEN> ist richtig.",
    "fr": "Bonjour [insérer le prénom], c'est prêt.",
    "es": "Hola [nombre del cliente], ya está.",
    "it": "Gentile [inserire il cognome], è pronto.",
    "pt": "Olá [nome do cliente], está pronto.",
    "nl": "Beste [naam van de klant], het is klaar.",
    "no": "Hei [sett inn fornavn], det er klart.",
    "sv": "Hej [kundens namn], det är klart.",
    "da": "Hej [indsæt fornavn], det er klar.",
    "fi": "Hei [asiakkaan nimi], se on valmis.",
    "pl": "Dzień dobry [wstaw imię], gotowe.",
    "cs": "Dobrý den [vložte jméno], je to hotovo.",
    "tr": "Merhaba <ADINIZ SOYADINIZ>, hazır.",
    "ru": "Здравствуйте, <ИМЯ КЛИЕНТА>, готово.",
    "uk": "Вітаю, [вставте ім'я], готово.",
    "ja": "【お客様名】様、準備ができました。",
    "zh": "您好，【请填写姓名】，已准备好。",
    "ko": "안녕하세요, [고객명]님, 준비되었습니다.",
}
WRITTEN_BY_PEOPLE = (
    "Vi kan ikke sende den før fredag, men jeg kan hjelpe deg med en ny.",
    "Wir können das leider nicht vor Freitag schicken.",
    "Je ne peux pas dire quand, mais le colis arrive lundi.",
    "No puedo esperar a verlo.",
    "申し訳ありませんが、在庫は月曜日に入ります。",
    "很抱歉，包裹晚到了一天。",
    "К сожалению, посылка придёт в понедельник.",
    "Drücken Sie [Enter] und dann <Strg>.",
    "See [your account](https://shop.test/account) and press [Enter].",
    "ボタン[入力]を押してください。",
    "L'IA de l'atelier trie les photos.",
    "The model was trained by our workshop on old maps.",
    "Som ny kunde får du ti prosent.",
)


@pytest.mark.parametrize(
    ("kind", "language", "text"),
    [
        *(("generator", *case) for case in GENERATED.items()),
        *(("refusal", *case) for case in REFUSED.items() if case[0] != "en"),
    ],
)
def test_a_phrase_is_told_by_the_table_of_its_language(kind: str, language: str, text: str) -> None:
    """Each language's own phrases find its example, not those of a neighbour."""
    (told,) = [each for each in phrases(kind) if each.language == language]
    assert told.found(text.lower())


@pytest.mark.parametrize("language", REFUSED)
def test_an_answer_refuses_in_any_language(language: str) -> None:
    """An answer that says no is a refusal, and no blank."""
    assert refuses(REFUSED[language])
    assert not has_placeholder(REFUSED[language])


@pytest.mark.parametrize("language", BLANK)
def test_a_blank_is_told_in_any_language(language: str) -> None:
    """A blank that nobody filled in is one also in capitals with marks and in wide brackets."""
    assert has_placeholder(BLANK[language])


@pytest.mark.parametrize("text", WRITTEN_BY_PEOPLE)
def test_what_people_write_is_left_alone(text: str) -> None:
    """A delay, a key of the keyboard, a link or a word alike is no refusal, no blank and no stock phrase."""
    assert not refuses(text)
    assert not has_placeholder(text)
    assert not said_in(text.lower(), "generator")


@pytest.mark.parametrize(
    "told", [*phrases("generator"), *phrases("refusal")], ids=lambda told: f"{told.language}-{told.hints[0]}"
)
@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_phrase_matches_has_one_of_its_hints(told: Phrases, data: st.DataObject) -> None:
    """Texts are drawn from the phrases themselves: none of them is passed over because its hint is missing."""
    drawn = data.draw(st.from_regex(told.pattern, fullmatch=True))
    assert any(hint in drawn for hint in told.hints)
