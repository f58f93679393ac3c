"""The weights are those of the present phrases, and hold the bars on messages no phrase was written from."""

import json
from pathlib import Path

import pytest

from bot import learning
from bot.actions import discover
from bot.intent import train
from bot.intent.classify import NONE, WEIGHTS, Classifier, WeightsError, phrases_hash
from bot.intent.evaluate import MessagesError, figures, read, report, table
from bot.intent.expand import Phrase

HELD_BACK = Path(__file__).with_name("heldback.jsonl")  # neither learnt from nor calibrated on
LANGUAGES = HELD_BACK.with_name("languages.jsonl")  # Spanish, German, French and Portuguese; the same


@pytest.fixture(scope="session")
def phrases():
    return learning.phrases()


def test_the_weights_were_trained_on_the_present_phrases(classifier, phrases):
    same = classifier.weights.phrases_hash == phrases_hash(phrases)
    assert same, "phrases have changed: run `deskhand train`"
    named = {action.name for action in discover().named()}
    assert set(classifier.weights.classes) == set(phrases) == {*named, NONE}


def test_there_are_enough_different_phrases(phrases):
    for name, said in phrases.items():
        texts = [phrase.text for phrase in said]
        assert len(set(texts)) == len(texts), f"{name} has a phrase twice"
        assert len(said) >= (300 if name == NONE else 60)
    everything = [phrase.text for said in phrases.values() for phrase in said]
    assert len(set(everything)) == len(everything), "a phrase stands under two actions"


def test_what_measures_is_neither_learnt_nor_calibrated_on(phrases):
    learnt = {plain(phrase.text) for said in phrases.values() for phrase in said}
    judged = {plain(message.text) for message in read(learning.JUDGED)}
    measured = [plain(message.text) for file in (HELD_BACK, LANGUAGES) for message in read(file)]
    assert not judged & set(measured)
    assert sum(text in learnt for text in measured) <= 0.05 * len(measured), (
        "two authors may hit on the same words"
    )


def plain(text: str) -> str:
    return text.casefold().strip().rstrip("?.! ")


def fresh(file, phrases):
    """Without what a phrase says too."""
    learnt = {plain(phrase.text) for said in phrases.values() for phrase in said}
    return [message for message in read(file) if plain(message.text) not in learnt]


def test_messages_of_other_authors_are_understood(classifier, phrases):
    found = figures(fresh(HELD_BACK, phrases), classifier.classify)
    assert found.messages >= 300
    assert found.accuracy >= 0.85, report(found)
    assert found.action_precision >= 0.97, report(found)
    assert found.action_recall >= 0.75, report(found)
    assert found.false_actions <= 0.03, report(found)  # 5 messages


def test_other_languages_are_understood_or_offered_and_seldom_mistaken(classifier, phrases):
    found = figures(fresh(LANGUAGES, phrases), classifier.classify)
    assert found.messages >= 140
    assert found.best_accuracy >= 0.85, report(found)
    assert found.action_precision >= 0.95, report(found)
    assert found.action_recall >= 0.5, report(found)
    assert found.false_actions <= 0.03, report(found)


def few(phrases):
    return {name: said[:25] for name, said in list(phrases.items())[:4]}


def test_training_is_repeatable(phrases):
    one, other = (train.fit(train.lesson(few(phrases)), None, train.ANEW).dump() for _ in range(2))
    assert one == other


def test_training_goes_on_from_the_weights_that_are_there(classifier, phrases):
    """A company's own words are learnt, an action that is new too, and what was known stays known."""
    said = {name: phrases[name][::20] for name in classifier.weights.classes}
    said["open_ticket"] += (Phrase("the frobnicator bleeps again"),) * 3
    said["degauss"] = tuple(
        Phrase(f"please degauss {what}") for what in "it this mine ours everything".split()
    )
    learnt = Classifier(train.fit(train.lesson(said, classifier.weights), classifier.weights, train.FURTHER))
    assert learnt.classify("the frobnicator bleeps").ranking[0][0] == "open_ticket"
    assert "degauss" in [name for name, _ in learnt.classify("please degauss everything now").ranking[:3]]
    asked = read(HELD_BACK)
    known = figures(asked, classifier.classify).best_accuracy
    assert figures(asked, learnt.classify).best_accuracy >= known - 0.02


@pytest.mark.long
@pytest.mark.timeout(900)
def test_training_on_all_phrases_keeps_what_is_promised(classifier, phrases):
    """What `deskhand train` does."""
    again = Classifier(train.train(phrases, read(learning.JUDGED), classifier.weights))
    found = figures(fresh(HELD_BACK, phrases), again.classify)
    assert found.accuracy >= 0.85, report(found)
    assert found.action_precision >= 0.97, report(found)
    assert found.action_recall >= 0.75, report(found)


def test_weights_are_read_as_they_were_written(classifier):
    assert classifier.weights.dump() == WEIGHTS.read_bytes()


@pytest.mark.parametrize("damage", [b"", b"not gzip", WEIGHTS.read_bytes()[:1000], WEIGHTS.read_bytes()[:-9]])
def test_damaged_weights_say_what_to_do(tmp_path, damage):
    path = tmp_path / "weights.bin"
    path.write_bytes(damage)
    with pytest.raises(WeightsError, match="deskhand train"):
        Classifier.load(path)
    with pytest.raises(WeightsError, match="nowhere"):
        Classifier.load(tmp_path / "nowhere")


def test_figures_count_what_was_accepted(classifier, tmp_path):
    path = tmp_path / "messages.jsonl"
    rows = [
        {"text": "reset my password", "intent": "reset_password", "accepted": ["reset_password"]},
        {"text": "unlock my account", "intent": "reset_password", "accepted": ["unlock_account"]},
        {"text": "hello", "intent": "none", "accepted": ["none"]},
        {"text": "reset my password", "intent": "none"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    found = figures(read(path), classifier.classify)
    assert (found.messages, found.accuracy) == (4, 0.75)
    assert found.action_precision == pytest.approx(2 / 3)
    assert (found.action_recall, found.false_actions) == (1, 0.5)
    assert "75.0%" in report(found)
    assert "reset_password" in table(found)


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"text": 1, "intent": "none"}', '{"text": "x"}'])
def test_a_wrong_line_is_named(tmp_path, line):
    path = tmp_path / "messages.jsonl"
    path.write_text('{"text": "hi", "intent": "none"}\n' + line)
    with pytest.raises(MessagesError, match=":2:"):
        read(path)


def test_the_right_action_is_among_what_is_offered(classifier):
    """Three buttons are offered where nothing is sure."""
    asked = [message for message in read(HELD_BACK) if message.intent != NONE]
    offered = [
        [name for name, _ in classifier.classify(each.text).ranking if name != NONE][:3] for each in asked
    ]
    right = sum(bool(each.accepted & set(names)) for each, names in zip(asked, offered, strict=True))
    assert right / len(asked) >= 0.9
