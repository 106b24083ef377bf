"""The model: from a text to its bag of tokens, and from bags to vectors, as the embed operator does it."""

import collections
import copy
import json
import math
import pathlib
import re

import numpy as np
import scipy.sparse
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

MAX_TOKENS = 384
CONFIG = {
    "model_type": "model2vec",
    "architectures": ["StaticModel"],
    "hidden_dim": 0,
    "normalize": True,
    "tokenizer_name": "all-MiniLM-L6-v2",
    "gristmill": {"split_identifiers": True, "term_frequency": "log", "max_tokens": MAX_TOKENS},
}
SHELL = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [
        {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for id, content in enumerate(["[PAD]", "[UNK]"])
    ],
    "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": None,
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": {}},
}


def split_identifiers(text):
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", text)
    return text.replace("_", " ")


def tokenizer_of(vocabulary):
    """A tokenizer of these entries; the first two are [PAD] and [UNK]."""
    spec = copy.deepcopy(SHELL)
    spec["model"]["vocab"] = {entry: id for id, entry in enumerate(vocabulary)}
    return Tokenizer.from_str(json.dumps(spec))


def bags(tokenizer, texts, step=4096):
    """One row of token weights, 1 + ln(count), for each text."""
    unknown, width = tokenizer.token_to_id("[UNK]"), tokenizer.get_vocab_size()
    starts, ids, weights = [0], [], []
    for begin in range(0, len(texts), step):
        part = [split_identifiers(text) for text in texts[begin : begin + step]]
        for encoding in tokenizer.encode_batch_fast(part, add_special_tokens=False):
            counts = collections.Counter(encoding.ids[:MAX_TOKENS])
            counts.pop(unknown, None)
            for id in sorted(counts):
                ids.append(id)
                weights.append(1 + math.log(counts[id]))
            starts.append(len(ids))
    return scipy.sparse.csr_matrix(
        (np.array(weights, np.float32), np.array(ids, np.int32), np.array(starts, np.int64)), shape=(len(texts), width)
    )


def normalised(rows):
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.maximum(norms, 1e-12), norms


def load(folder):
    """The tokenizer and the table of a model folder."""
    folder = pathlib.Path(folder)
    tensors = load_file(folder / "model.safetensors")
    table = tensors["embeddings"].astype(np.float32)
    if "weights" in tensors:
        table *= tensors["weights"].astype(np.float32)[:, None]
    return Tokenizer.from_file(str(folder / "tokenizer.json")), table


FIXTURES = [
    "Reads the whole file into a string.",
    "pub fn read_to_string<P: AsRef<Path>>(path: P) -> io::Result<String> {\n    let mut file = File::open(path.as_ref())?;\n"
    "    let mut out = String::new();\n    file.read_to_string(&mut out)?;\n    Ok(out)\n}",
    "class HTTPServerConnection:\n    def close_all_sockets(self):\n        for s in self._sockets:\n            s.close()",
    "naïve café — 文件读取 файл",
    "",
    "async function fetchUserById(id) { return await db.users.findOne({ id }); }",
]


def save(folder, vocabulary, table):
    """Writes a model folder: int8 rows with one scale each, and a fixture of texts with their vectors."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    scales = np.maximum(np.abs(table).max(axis=1), 1e-12) / 127
    rows = np.rint(table / scales[:, None]).astype(np.int8)
    save_file({"embeddings": rows, "weights": scales.astype(np.float32)}, folder / "model.safetensors")
    spec = copy.deepcopy(SHELL)
    spec["model"]["vocab"] = {entry: id for id, entry in enumerate(vocabulary)}
    (folder / "tokenizer.json").write_text(json.dumps(spec, ensure_ascii=False, separators=(",", ":")))
    (folder / "config.json").write_text(json.dumps({**CONFIG, "hidden_dim": table.shape[1]}) + "\n")
    tokenizer, stored = load(folder)
    vectors, _ = normalised(bags(tokenizer, FIXTURES) @ stored)
    fixture = [{"text": text, "vector": [round(float(x), 6) for x in vector]} for text, vector in zip(FIXTURES, vectors)]
    (folder / "fixture.json").write_text(json.dumps(fixture, ensure_ascii=False))
