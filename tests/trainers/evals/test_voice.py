"""The profile of a brand's writing: what it claims from how many texts, and what it leaves open."""

import numpy as np
import pytest

from knowledge.errors import UserError
from tests.trainers.evals.voices import brand, briefs, chatty, formal, written
from trainers.evals.style.intervals import estimate, interval, p_of_difference, share_of
from trainers.evals.style.keyness import keyness
from trainers.evals.style.measures import measures, parts_of
from trainers.evals.style.rules import read_rules
from trainers.evals.style.two_writers import change, groups
from trainers.evals.style.voice import describe, distance, holm
from trainers.evals.style.voice_rules import rules_for
from trainers.evals.style.voice_words import headline, voice_parts

OURS = written(brand, briefs(40, 1), 1, 100)
BASE = written(chatty, briefs(40, 1), 2, 100)


def figure(made, key):
    return next(each for each in made.figures if each.key == key)


def test_every_figure_lies_in_its_interval():
    """A figure is never outside of its own interval."""
    for texts in (OURS, OURS[:5], BASE[:3]):
        for each in describe(texts).figures:
            assert each.low <= each.value <= each.high, each


@pytest.mark.parametrize("texts", [3, 5, 20])
def test_intervals_hold_the_value_of_the_writer(texts):
    """Of many draws, the interval from a few texts holds the value of all about as often as it says."""
    random = np.random.default_rng(3)
    all_texts = [*written(brand, briefs(60, 5), 5, 60), *written(formal, briefs(60, 6), 6, 60)]  # a varied writer
    held = []
    for key in ("words_per_sentence", "contractions", "exclamations", "short_sentences", "second_person"):
        measure = measures()[key]
        parts = parts_of(measure, all_texts)
        truth = measure.value(parts.sum(axis=0))
        for _ in range(60):
            told = estimate(parts[random.choice(len(parts), texts, replace=False)], measure.value, measure.kind)
            assert told is not None
            held.append(interval(told).low <= truth <= interval(told).high)
    assert np.mean(held) >= 0.9


def test_more_texts_give_narrower_intervals():
    """Forty texts say more than five."""
    wide, narrow = (figure(describe(texts), "contractions") for texts in (OURS[:5], OURS))
    assert narrow.high - narrow.low < wide.high - wide.low


def test_absence_in_few_words_is_not_taken_for_never():
    """No exclamation mark in five texts leaves room for some; in forty for fewer."""
    few, many = (figure(describe(texts), "exclamations") for texts in (OURS[:5], OURS))
    assert few.value == many.value == 0
    assert few.high > many.high > 0


def test_two_alike_sets_do_not_differ():
    """Texts of the same writer are not called distinctive beside each other, and a phrase is no habit by chance."""
    made = describe(OURS[:20], OURS[20:])
    assert not made.distinctive
    assert not made.phrases.used
    assert not made.phrases.avoided


def test_one_writers_halves_are_seldom_called_different():
    """A false difference is found in at most a twentieth of draws, also in habits that few of five texts show."""
    random = np.random.default_rng(11)
    short, long = "We packed it today and it left at noon. " * 4, "One " + "very " * 30 + "long sentence ends here. "
    writer = [(short + long * int(random.random() < 0.3)) for _ in range(400)]
    false = [
        describe([writer[at] for at in drawn[:5]], [writer[at] for at in drawn[5:]]).distinctive
        for drawn in (random.permutation(400)[:35] for _ in range(40))
    ]
    assert sum(map(bool, false)) <= 2


def test_few_divisions_between_three_texts_and_three_settle_nothing():
    """Three texts against three can be divided in twenty ways: no difference is sure, however large."""
    assert not describe(["Hello there, friend."] * 3, ["NO! NO! STOP! NOW!"] * 3).distinctive


def test_a_brand_differs_from_the_chatty_assistant_where_it_does():
    """No exclamation marks, fewer words to the reader: found, with the other's value beside."""
    made = describe(OURS, BASE)
    marks = figure(made, "exclamations")
    assert marks.differs
    assert marks.other is not None
    assert marks.other > 30
    assert "you" in [each.phrase for each in made.phrases.avoided]


def test_five_texts_say_which_habits_are_nearly_settled_and_how_many_more_they_need():
    """What differs by itself, but not among all habits, is listed with a number; more texts settle more."""
    few = describe(OURS[:5], BASE[:5])
    assert few.nearly
    assert not {each.key for each in few.nearly} & {each.key for each in few.distinctive}
    assert all(5 < (each.needs or 0) <= 30 for each in few.nearly)
    told = next(part.sentences for part in voice_parts(few) if part.title.startswith("Nearly settled"))
    assert "would settle it if the difference stays as large" in told[0]
    assert f"and {len(few.nearly)} more nearly" in headline(few)
    assert len(describe(OURS, BASE).distinctive) > len(few.distinctive)


def test_lengths_are_compared_with_texts_of_the_same_kind_only():
    """The shipped reference is made of long paragraphs: it says nothing about how long a text should be."""
    assert figure(describe(OURS), "words_per_text").other is None
    assert figure(describe(OURS, BASE), "words_per_text").other is not None


def test_one_text_that_repeats_a_word_makes_no_habit():
    """A word in a single text is a subject, however often it is said there."""
    loud = [*OURS[:19], "Banjo banjo banjo. " * 40]
    assert "banjo" not in [each.phrase for each in keyness(loud, BASE).used]


def test_few_texts_claim_no_phrases():
    """With five texts the profile says that phrases need more, and lists none."""
    made = describe(OURS[:5], BASE)
    assert not made.phrases.used
    told = {part.title: part.sentences for part in voice_parts(made)}
    assert any("need 10 texts" in sentence for sentence in told["What these texts do not support yet"])


def test_openings_and_closings_carry_their_share_and_interval():
    """Every text begins with the greeting and ends with the crew."""
    made = describe(OURS)
    assert made.openings[0].phrase == "hi"
    assert made.openings[0].share.value == 1
    assert made.openings[0].share.low < 1
    assert made.closings[0].phrase == "the northwind crew"


def test_two_house_styles_in_one_upload_are_noticed():
    """Texts of a second, quite different writer are named by their places; one writer's are not divided."""
    mixed = [*OURS[:14], *written(formal, briefs(10, 9), 9, 100)]
    found = groups(mixed)
    assert found is not None
    assert set(found.smaller) == set(range(14, 24))
    assert groups(OURS[:24]) is None
    said = [s for part in voice_parts(describe(mixed)) for s in part.sentences]
    assert any("two people" in sentence for sentence in said)


def test_five_texts_of_each_of_two_house_styles_are_noticed_one_after_the_other():
    """Their order tells; mixed up they are too few, which is said with the number that it takes, as for one writer."""
    two = [*OURS[:5], *written(formal, briefs(5, 9), 9, 100)]
    found = groups(two)
    assert found is not None
    assert found.smaller == (5, 6, 7, 8, 9)
    assert found.chance is not None
    for alone in (OURS[:10], [text for pair in zip(two[:5], two[5:], strict=True) for text in pair]):
        assert groups(alone) is None
        said = [s for part in voice_parts(describe(alone)) for s in part.sentences]
        assert any("10 texts are too few to rule out two writers" in sentence and "40" in sentence for sentence in said)
    assert groups(two[:9]) is None


def test_one_writer_is_seldom_taken_for_two_by_the_order():
    """Of twenty sets of ten texts of one writer at most one is said to change."""
    sets = [written(brand, briefs(10, seed), seed, 60) for seed in range(20)]
    assert sum(change(texts)[1] <= 0.02 for texts in sets) <= 1


def test_a_voice_needs_three_texts():
    """Two texts, or texts without words, are refused with what to do."""
    for texts in ([], OURS[:2], ["...", "!!!", "—"]):
        with pytest.raises(UserError, match="needs at least 3 texts") as refused:
            describe(texts)
        assert "---" in refused.value.next_step


def test_hostile_texts_are_described_too():
    """Emoji, right-to-left text, a lone sign and very long words break nothing."""
    made = describe(["😀 😀 hi!", "שלום עולם. מה שלומך?", "a" * 30_000, "x. y. z."])
    assert made.texts == 4
    assert not made.english
    assert headline(made)
    assert voice_parts(made)


def test_unseen_texts_are_nearer_to_their_own_writer():
    """Distance is smaller to other texts of the same writer than to those of another."""
    held = OURS[20:]
    assert distance(held, OURS[:20]) < distance(held, BASE[:20])
    assert distance(held, held) == 0


def test_rules_are_kept_by_the_brand_and_broken_by_the_other():
    """Derived rules can be read by the metric, nine in ten brand texts keep each, and the chatty base breaks some."""
    found = rules_for(describe(OURS, BASE), OURS)
    rules = read_rules(found)
    assert {"never", "opens_with", "max_sentence_words"} <= set(found)
    for rule in rules:
        assert sum(rule.kept(text) for text in OURS) >= 0.9 * len(OURS)
    assert any(not rule.kept(text) for rule in rules for text in BASE)


def test_holm_never_makes_a_claim_surer():
    """Corrected chances are at least the raw ones, in the same order, at most 1."""
    raw = {"a": 0.001, "b": 0.02, "c": 0.9}
    assert holm(raw) == {"a": 0.003, "b": 0.04, "c": 0.9}


def test_a_difference_without_spread_is_certain_or_none():
    """Equal constants do not differ, other constants do."""
    measure = measures()["characters_per_word"]
    one, same, other = (
        estimate(parts_of(measure, [text] * 4), measure.value, measure.kind)
        for text in ("abc abc", "abc abc", "abcd ab")
    )
    assert p_of_difference(one, same) == 1
    assert p_of_difference(one, estimate(parts_of(measure, ["abcdef"] * 4), measure.value, measure.kind)) < 1e-9
    assert other is not None


def test_a_share_of_all_texts_is_not_certain():
    """Four of four texts leave room for a writer who sometimes does otherwise."""
    assert share_of(4, 4).low == pytest.approx(0.3976, abs=1e-3)  # Clopper and Pearson's table
