"""A company's own weights: where they are taken from, and what is said when they do not fit."""

from dataclasses import replace

import pytest

from bot import learning
from bot.app import classifier_of
from bot.intent.classify import WEIGHTS
from bot.intent.evaluate import Message, MessagesError
from bot.settings import Settings
from bot.systems import CannotStart


@pytest.fixture
def settings(tmp_path):
    return Settings.read({"DESKHAND_DATA": str(tmp_path)})


def test_without_weights_of_its_own_a_desk_takes_those_that_ship(settings):
    assert classifier_of(settings).weights.dump() == WEIGHTS.read_bytes()


def test_weights_in_the_data_folder_are_taken(settings, classifier, tmp_path):
    own = replace(classifier.weights, thresholds=tuple(0.99 for _ in classifier.weights.classes))
    (tmp_path / "weights.bin").write_bytes(own.dump())
    assert set(classifier_of(settings).weights.thresholds) == {0.99}


def test_weights_of_another_release_stop_the_start_and_say_what_to_do(settings, classifier, tmp_path):
    of_old = replace(
        classifier.weights,
        classes=classifier.weights.classes[1:],
        table=classifier.weights.table[1:],
        thresholds=classifier.weights.thresholds[1:],
        intercepts=classifier.weights.intercepts[1:],
    )
    (tmp_path / "weights.bin").write_bytes(of_old.dump())
    with pytest.raises(CannotStart, match="Train again"):
        classifier_of(settings)


def test_damaged_weights_stop_the_start(settings, tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"no weights")
    with pytest.raises(CannotStart, match="deskhand train"):
        classifier_of(settings)


def test_a_phrase_for_an_action_that_is_not_there_is_named_before_anything_is_learnt(tmp_path):
    to = tmp_path / "weights.bin"
    with pytest.raises(MessagesError, match="make_coffee"):
        learning.main([Message("an espresso please", "make_coffee", frozenset())], to)
    assert not to.exists()
