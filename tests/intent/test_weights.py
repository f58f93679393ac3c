"""The weights are those of the present phrases, and hold the bars on messages no phrase was written from."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot import learning
from bot.actions import discover
from bot.intent import train
from bot.intent.classify import NONE, WEIGHTS, Classifier, Weights, WeightsError, phrases_hash
from bot.intent.evaluate import MessagesError, figures, read, report, table

HELD_OUT = Path(__file__).with_name("heldout.jsonl")
BLIND = HELD_OUT.with_name("blind.jsonl")  # written later, by somebody else


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
        assert len(set(said)) == len(said), f"{name} has a phrase twice"
        assert len(said) >= (300 if name == NONE else 60)
    everything = [phrase for said in phrases.values() for phrase in said]
    assert len(set(everything)) == len(everything), "a phrase stands under two actions"


@pytest.mark.parametrize("file", [HELD_OUT, BLIND], ids=lambda file: file.stem)
def test_messages_of_other_authors_are_understood(classifier, phrases, file):
    # Two authors may hit on the same words; such a message shows nothing and is left out.
    said = {phrase.casefold().rstrip("?.! ") for each in phrases.values() for phrase in each}
    fresh = [message for message in read(file) if message.text.casefold().rstrip("?.! ") not in said]
    found = figures(fresh, classifier.classify)
    assert found.messages >= 200
    assert found.action_precision >= 0.95, report(found)
    assert found.false_actions <= 0.05, report(found)


def test_training_is_repeatable(phrases):
    """On a few phrases; ``make long`` does it on all of them, and compares with the stored weights."""
    few = {name: said[:25] for name, said in list(phrases.items())[:4]}
    one, other = (Classifier(train.fit(few)) for _ in range(2))
    for message in read(HELD_OUT)[:40]:
        assert one.classify(message.text) == other.classify(message.text)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_training_again_gives_the_same_predictions(classifier, phrases):
    stored = classifier.weights
    fitted = train.fit(phrases)
    again = Classifier(replace(fitted, temperature=stored.temperature, thresholds=stored.thresholds))
    for message in read(HELD_OUT):
        before, after = classifier.classify(message.text), again.classify(message.text)
        assert before.action == after.action
        assert before.probability == pytest.approx(after.probability, abs=0.01)


def test_weights_are_read_as_they_were_written(classifier):
    assert classifier.weights.dump() == WEIGHTS.read_bytes()
    assert Weights.read(WEIGHTS.read_bytes()) == classifier.weights


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


def test_what_is_put_obliquely_is_never_mistaken_and_mostly_offered(classifier):
    """Messages on time off, tickets, equipment and expenses that say it in passing."""
    asked = read(HELD_OUT.with_name("blind_work.jsonl"))
    found = figures(asked, classifier.classify)
    assert found.action_precision >= 0.95, report(found)
    offered = [
        [name for name, _ in classifier.classify(each.text).ranking if name != NONE][:3] for each in asked
    ]
    right = sum(bool(each.accepted & set(names)) for each, names in zip(asked, offered, strict=True))
    assert right / len(asked) >= 0.75, "three buttons are offered where nothing is sure"
