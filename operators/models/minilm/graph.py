"""BERT weights as an ONNX graph of plain operators (opset 17), written without torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
# The newest form of the file that opset 17 came with: older runtimes read it too.
IR_VERSION = 8
# What is added to the score of a padding token: its share after softmax is 0 to the bit.
MASKED = -10_000.0


@dataclass(frozen=True)
class Shape:
    """The numbers of a BERT encoder, by their names in `config.json`."""

    num_hidden_layers: int
    hidden_size: int
    num_attention_heads: int
    layer_norm_eps: float

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Shape:
        """Reads the numbers; refuses a configuration that this graph would not compute."""
        wanted = {
            "model_type": "bert",
            "hidden_act": "gelu",
            "position_embedding_type": "absolute",
        }
        for key, value in wanted.items():
            if config.get(key) != value:
                raise ValueError(f"config.json: {key} is {config.get(key)!r}, not {value!r}")
        return cls(**{name: config[name] for name in cls.__annotations__})

    @property
    def head_size(self) -> int:
        """Dimensions of one attention head."""
        return self.hidden_size // self.num_attention_heads


class GraphWriter:
    """Collects nodes and tensors. A node is named after its one output."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []

    def tensor(self, name: str, values: np.ndarray) -> str:
        """Adds a constant and returns its name."""
        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def ints(self, name: str, *values: int) -> str:
        """Adds a constant list of integers, as shapes and axes are given."""
        return self.tensor(name, np.array(values, np.int64))

    def scalar(self, name: str, value: float) -> str:
        """Adds a constant number."""
        return self.tensor(name, np.array(value, np.float32))

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Adds a node and returns the name of its output."""
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def linear(self, x: str, weight: str, output: str) -> str:
        """`x · Wᵀ + b`, with the transposition done once, here."""
        kernel = self.tensor(f"{weight}.kernel", self.weights[f"{weight}.weight"].T)
        product = self.node("MatMul", [x, kernel], f"{output}.product")
        bias = self.tensor(f"{weight}.bias", self.weights[f"{weight}.bias"])
        return self.node("Add", [bias, product], output)

    def layer_norm(self, x: str, weight: str, epsilon: float, output: str) -> str:
        """Layer normalisation over the last axis."""
        scale = self.tensor(f"{weight}.weight", self.weights[f"{weight}.weight"])
        bias = self.tensor(f"{weight}.bias", self.weights[f"{weight}.bias"])
        inputs = [x, scale, bias]
        return self.node("LayerNormalization", inputs, output, axis=-1, epsilon=epsilon)


def embeddings(g: GraphWriter, shape: Shape) -> str:
    """Token and position vectors, summed and normalised."""
    words = g.tensor("words", g.weights["embeddings.word_embeddings.weight"])
    # The input is always one segment, so its row belongs to every position.
    segment = g.weights["embeddings.token_type_embeddings.weight"][0]
    positions = g.tensor("positions", g.weights["embeddings.position_embeddings.weight"] + segment)
    size = g.node("Shape", ["input_ids"], "input_shape")
    length = g.node("Slice", [size, g.ints("one", 1), g.ints("two", 2)], "length")
    used = g.node("Slice", [positions, g.ints("zero", 0), length], "used_positions")
    gathered = g.node("Gather", [words, "input_ids"], "gathered")
    total = g.node("Add", [gathered, used], "embedded")
    return g.layer_norm(total, "embeddings.LayerNorm", shape.layer_norm_eps, "embeddings")


def mask_bias(g: GraphWriter) -> str:
    """0 for a token, `MASKED` for padding, as [batch, 1, 1, length]."""
    numbers = g.node("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
    spread = g.node("Unsqueeze", [numbers, g.ints("head_and_query", 1, 2)], "mask4")
    padding = g.node("Sub", ["unit", spread], "padding")
    return g.node("Mul", [padding, g.scalar("masked", MASKED)], "mask_bias")


def attention(g: GraphWriter, shape: Shape, layer: str, x: str) -> str:
    """Multi-head self-attention of one layer, before its residual."""

    def heads(part: str, axes: list[int]) -> str:
        flat = g.linear(x, f"{layer}.attention.self.{part}", f"{layer}.{part}")
        split = g.node("Reshape", [flat, "split_heads"], f"{layer}.{part}.split")
        return g.node("Transpose", [split], f"{layer}.{part}.heads", perm=axes)

    query = heads("query", [0, 2, 1, 3])
    key = heads("key", [0, 2, 3, 1])
    value = heads("value", [0, 2, 1, 3])
    products = g.node("MatMul", [query, key], f"{layer}.products")
    scaled = g.node("Div", [products, "head_scale"], f"{layer}.scaled")
    scores = g.node("Add", [scaled, "mask_bias"], f"{layer}.scores")
    shares = g.node("Softmax", [scores], f"{layer}.shares", axis=-1)
    context = g.node("MatMul", [shares, value], f"{layer}.context")
    turned = g.node("Transpose", [context], f"{layer}.context.turned", perm=[0, 2, 1, 3])
    merged = g.node("Reshape", [turned, "merge_heads"], f"{layer}.context.merged")
    return g.linear(merged, f"{layer}.attention.output.dense", f"{layer}.attended")


def feed_forward(g: GraphWriter, layer: str, x: str) -> str:
    """The two dense maps of one layer with GELU (the exact one) between, before the residual."""
    wide = g.linear(x, f"{layer}.intermediate.dense", f"{layer}.wide")
    divided = g.node("Div", [wide, "root_of_two"], f"{layer}.gelu.divided")
    error = g.node("Erf", [divided], f"{layer}.gelu.erf")
    raised = g.node("Add", [error, "unit"], f"{layer}.gelu.raised")
    product = g.node("Mul", [wide, raised], f"{layer}.gelu.product")
    active = g.node("Mul", [product, "half"], f"{layer}.gelu")
    return g.linear(active, f"{layer}.output.dense", f"{layer}.narrow")


def bert(weights: Mapping[str, np.ndarray], config: Mapping[str, Any]) -> onnx.ModelProto:
    """The encoder: `input_ids`, `attention_mask` → `last_hidden_state`."""
    shape = Shape.of(config)
    g = GraphWriter(weights)
    g.scalar("unit", 1.0)
    g.scalar("half", 0.5)
    g.scalar("root_of_two", math.sqrt(2.0))
    g.scalar("head_scale", math.sqrt(shape.head_size))
    # 0 keeps the axis of the input.
    g.ints("split_heads", 0, 0, shape.num_attention_heads, shape.head_size)
    g.ints("merge_heads", 0, 0, shape.hidden_size)
    x = embeddings(g, shape)
    mask_bias(g)
    for index in range(shape.num_hidden_layers):
        layer = f"encoder.layer.{index}"
        attended = attention(g, shape, layer, x)
        residual = g.node("Add", [attended, x], f"{layer}.attention.residual")
        norm = f"{layer}.attention.output.LayerNorm"
        x = g.layer_norm(residual, norm, shape.layer_norm_eps, f"{layer}.attention")
        residual = g.node("Add", [feed_forward(g, layer, x), x], f"{layer}.residual")
        x = g.layer_norm(residual, f"{layer}.output.LayerNorm", shape.layer_norm_eps, layer)
    g.node("Identity", [x], "last_hidden_state")

    def value(name: str, kind: int, *more: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, ["batch", "length", *more])

    graph = helper.make_graph(
        g.nodes,
        "minilm",
        [value(name, TensorProto.INT64) for name in ("input_ids", "attention_mask")],
        [value("last_hidden_state", TensorProto.FLOAT, shape.hidden_size)],
        g.tensors,
        # onnxruntime fuses a residual with its normalisation only where both summands are known
        # to be of one shape, which it does not find out by itself: the length passes a `Slice`.
        value_info=[value("embeddings", TensorProto.FLOAT, shape.hidden_size)],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="gristmill",
    )
    onnx.checker.check_model(model, full_check=True)
    return model
