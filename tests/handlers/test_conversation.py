"""Mentions, direct messages and follow-ups over a real local Slack."""

from tests.handlers.world import World

BOT = "<@U0LUTHIER>"
PRICES = f"{BOT} our support bot must quote our private price list, it changes every week, about 300 questions a day"


def text_of(message: dict) -> str:
    return str(message["blocks"])


def test_a_mention_with_a_use_case_gets_one_advice_card_in_its_thread(world: World) -> None:
    """A use case told in a mention is answered by an advice card in the thread, and by nothing else."""
    asked = world.slack.send(PRICES)
    card = world.slack.wait_message("Confidence", thread_ts=asked["ts"])
    assert "RAG" in card["text"]
    assert "'type': 'table'" in text_of(card)
    assert len(world.slack.messages("C0ASK", asked["ts"])) == 2
    assert [r["name"] for r in world.slack.messages("C0ASK", asked["ts"])[0]["reactions"]] == ["eyes"]


def test_a_question_gets_a_cited_answer(world: World) -> None:
    """A question about the guide is answered with numbered sources and their dates."""
    asked = world.slack.send(f"{BOT} What is QLoRA?")
    said = world.slack.wait_message("Sources:", thread_ts=asked["ts"])
    assert "QLoRA" in text_of(said)
    assert "updated" in text_of(said)
