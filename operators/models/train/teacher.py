"""The teacher, all-MiniLM-L6-v2, in numpy: what it says of single words."""

import hashlib
import pathlib

import numpy as np
from scipy.special import erf
from safetensors.numpy import load_file
from tokenizers import Tokenizer

SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LAYERS, HEADS, WIDTH = 6, 12, 384


def layer_norm(x, gain, bias):
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12) * gain + bias


class Teacher:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        file = folder / "model.safetensors"
        if hashlib.sha256(file.read_bytes()).hexdigest() != SHA256:
            raise SystemExit(f"{file} is not the model that the table derives from (sha256 {SHA256})")
        self.weights = {name: w.astype(np.float32) for name, w in load_file(file).items() if w.dtype.kind == "f"}
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.ids = self.tokenizer.get_vocab()

    def linear(self, x, name):
        flat = x.reshape(-1, x.shape[-1]) @ self.weights[name + ".weight"].T  # one product, not one a sequence
        return flat.reshape(*x.shape[:-1], -1) + self.weights[name + ".bias"]

    def forward(self, ids):
        """The last hidden state of sequences of one length."""
        w, (count, length) = self.weights, ids.shape
        x = w["embeddings.word_embeddings.weight"][ids]
        x = x + w["embeddings.position_embeddings.weight"][:length] + w["embeddings.token_type_embeddings.weight"][0]
        x = layer_norm(x, w["embeddings.LayerNorm.weight"], w["embeddings.LayerNorm.bias"])
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}"

            def heads(name):
                y = self.linear(x, f"{at}.attention.self.{name}")
                return y.reshape(count, length, HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)

            scores = heads("query") @ heads("key").transpose(0, 1, 3, 2) / np.float32((WIDTH / HEADS) ** 0.5)
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
            mixed = (scores / scores.sum(axis=-1, keepdims=True)) @ heads("value")
            mixed = mixed.transpose(0, 2, 1, 3).reshape(count, length, WIDTH)
            y = self.linear(mixed, f"{at}.attention.output.dense")
            x = layer_norm(x + y, w[f"{at}.attention.output.LayerNorm.weight"], w[f"{at}.attention.output.LayerNorm.bias"])
            y = self.linear(x, f"{at}.intermediate.dense")
            y = self.linear(y * 0.5 * (1 + erf(y / np.float32(2**0.5))), f"{at}.output.dense")
            x = layer_norm(x + y, w[f"{at}.output.LayerNorm.weight"], w[f"{at}.output.LayerNorm.bias"])
        return x

    def entries(self, vocabulary, batch=256):
        """One vector for each entry: it alone between [CLS] and [SEP], the mean of what lies between."""
        first, last = self.ids["[CLS]"], self.ids["[SEP]"]
        sequences = []
        for entry in vocabulary:
            known = self.ids.get(entry)
            inner = [known] if known is not None else self.tokenizer.encode(entry.removeprefix("##"), add_special_tokens=False).ids
            sequences.append([first, *inner[:12], last])
        vectors = np.zeros((len(vocabulary), WIDTH), np.float32)
        by_length = {}
        for at, sequence in enumerate(sequences):
            by_length.setdefault(len(sequence), []).append(at)
        for places in by_length.values():
            for begin in range(0, len(places), batch):
                chosen = places[begin : begin + batch]
                hidden = self.forward(np.array([sequences[at] for at in chosen]))
                vectors[chosen] = hidden[:, 1:-1].mean(axis=1)
        return vectors
