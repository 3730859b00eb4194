"""The Edge TPU compiler's published rules: the shipped networks for it keep them, and every rule can be broken."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edge.errors import ModelError
from edge.models.manifest import Shelf, variants
from tools.models.tpu_rules import operators, violations

NAMES = ("pnet", "rnet", "onet", "mobilefacenet")
KIND = schema.BuiltinOperator


@pytest.fixture(scope="module")
def edgetpu() -> Shelf:
    return Shelf.open(None, "edgetpu")


@pytest.mark.parametrize("name", NAMES)
def test_the_compiler_may_take_every_network_of_the_edge_tpu(edgetpu: Shelf, name: str) -> None:
    assert violations(edgetpu.load(name)) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("variant", variants())
def test_the_manifest_names_the_operators_that_are_in_the_file(variant: str, name: str) -> None:
    shelf = Shelf.open(None, variant)
    assert operators(shelf.load(name)) == list(shelf.card(name).ops)


@pytest.mark.parametrize("name", NAMES)
def test_the_networks_for_the_processor_break_the_rules(shelf: Shelf, name: str) -> None:
    """They keep PRELU in float32."""
    found = violations(shelf.load(name))
    assert any("is FLOAT32, not int8" in each for each in found)
    assert any(each.startswith("DEQUANTIZE") and "not on the list" in each for each in found)


def first(model: Any, kind: int) -> Any:
    return next(each for each in model.subgraphs[0].operators if code_of(model, each).builtinCode == kind)


def code_of(model: Any, operator: Any) -> Any:
    return model.operatorCodes[operator.opcodeIndex]


def tensor(model: Any, number: int) -> Any:
    return model.subgraphs[0].tensors[number]


def input_without_size(model: Any) -> None:
    tensor(model, model.subgraphs[0].inputs[0]).shapeSignature = np.array([1, -1, -1, 3], np.int32)


def batch_of_two(model: Any) -> None:
    tensor(model, model.subgraphs[0].inputs[0]).shape = np.array([2, 48, 48, 3], np.int32)


def float_tensor(model: Any) -> None:
    tensor(model, first(model, KIND.PRELU).outputs[0]).type = schema.TensorType.FLOAT32


def weights_from_elsewhere(model: Any) -> None:
    tensor(model, first(model, KIND.CONV_2D).inputs[1]).buffer = 0


def unequal_dilation(model: Any) -> None:
    first(model, KIND.CONV_2D).builtinOptions.dilationWFactor = 2


def pool_with_activation(model: Any) -> None:
    first(model, KIND.MAX_POOL_2D).builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.RELU


def alpha_for_each_pixel(model: Any) -> None:
    alpha = tensor(model, first(model, KIND.PRELU).inputs[1])
    alpha.shape = np.array([4, *alpha.shape[1:-1], alpha.shape[-1] // 4], np.int32)


def dense_for_several(model: Any) -> None:
    output = tensor(model, first(model, KIND.FULLY_CONNECTED).outputs[0])
    output.shape = np.array([2, output.shape[-1] // 2], np.int32)


def shuffled_weights(model: Any) -> None:
    first(
        model, KIND.FULLY_CONNECTED
    ).builtinOptions.weightsFormat = schema.FullyConnectedOptionsWeightsFormat.SHUFFLED4x16INT8


def newer_operator(model: Any) -> None:
    code_of(model, first(model, KIND.CONV_2D)).version = 6


def unknown_operator(model: Any) -> None:
    rename(model, KIND.RESHAPE, KIND.HARD_SWISH)


def softmax_of_rows(model: Any) -> None:
    tensor(model, rename(model, KIND.RESHAPE, KIND.SOFTMAX).inputs[0]).shape = np.array([5, 2], np.int32)


def long_softmax(model: Any) -> None:
    tensor(model, rename(model, KIND.RESHAPE, KIND.SOFTMAX).inputs[0]).shape = np.array([1, 16_001], np.int32)


def padded_batch(model: Any) -> None:
    amounts = tensor(model, rename(model, KIND.RESHAPE, KIND.PAD).inputs[1])
    amounts.shape = np.array([4, 2], np.int32)
    model.buffers[amounts.buffer].data = np.array([[0, 1], [0, 0], [0, 0], [0, 0]], "<i4").view(np.uint8).ravel()


def rename(model: Any, old: int, new: int) -> Any:
    operator = first(model, old)
    code = code_of(model, operator)
    code.builtinCode = code.deprecatedBuiltinCode = new
    operator.builtinOptions, operator.builtinOptionsType = None, 0
    return operator


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (input_without_size, r"has no constant size \(\[1, -1, -1, 3\]\)"),
        (batch_of_two, r"is \[2, 48, 48, 3\]: only the 3 innermost"),
        (float_tensor, "is FLOAT32, not int8"),
        (weights_from_elsewhere, "CONV_2D that writes .*: its parameter .* is not a constant"),
        (unequal_dilation, "CONV_2D that writes .*: dilation differs"),
        (pool_with_activation, "MAX_POOL_2D that writes .*: a fused activation"),
        (alpha_for_each_pixel, r"PRELU that writes .*: its alpha is \[4, 1, 8\]"),
        (dense_for_several, r"FULLY_CONNECTED that writes .*: its output is \[2, 128\]"),
        (shuffled_weights, "FULLY_CONNECTED that writes .*: only the default format"),
        (newer_operator, "CONV_2D that writes .*: has version 6"),
        (unknown_operator, "HARD_SWISH that writes .*: is not on the list"),
        (softmax_of_rows, r"SOFTMAX that writes .*: its input is \[5, 2\]"),
        (long_softmax, "SOFTMAX that writes .*: its input has more than 16000"),
        (padded_batch, "PAD that writes .*: the batch dimension is padded"),
    ],
)
def test_each_rule_finds_the_network_that_breaks_it(
    edgetpu: Shelf, damage: Callable[[Any], None], sentence: str
) -> None:
    found = violations(edited(edgetpu.load("onet"), damage))
    assert any(re.search(sentence, each) for each in found), found


def test_a_dilated_depthwise_kernel_breaks_a_rule(edgetpu: Shelf) -> None:
    def dilate(model: Any) -> None:
        options = first(model, KIND.DEPTHWISE_CONV_2D).builtinOptions
        options.dilationWFactor = options.dilationHFactor = 2

    (found,) = violations(edited(edgetpu.load("mobilefacenet"), dilate))
    assert "dilated kernels" in found


def test_a_network_written_again_unchanged_keeps_the_rules(edgetpu: Shelf) -> None:
    assert violations(edited(edgetpu.load("onet"), lambda _model: None)) == []


def test_a_custom_operator_has_its_own_name(edgetpu: Shelf) -> None:
    def compile_(model: Any) -> None:
        code = code_of(model, rename(model, KIND.RESHAPE, KIND.CUSTOM))
        code.customCode = b"edgetpu-custom-op"

    model = edited(edgetpu.load("onet"), compile_)
    assert "edgetpu-custom-op" in operators(model)
    assert any("edgetpu-custom-op that writes" in each for each in violations(model))


def operator_without_inputs(model: Any) -> None:
    first(model, KIND.CONV_2D).inputs = None


def operator_of_no_kind(model: Any) -> None:
    first(model, KIND.CONV_2D).opcodeIndex = 99


def input_that_is_not_there(model: Any) -> None:
    first(model, KIND.PRELU).inputs = np.array([0, 12345], np.int32)


@pytest.mark.parametrize("damage", [operator_without_inputs, operator_of_no_kind, input_that_is_not_there])
def test_a_network_that_points_nowhere_is_an_error_in_one_sentence(shelf: Shelf, damage: Callable[[Any], None]) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        violations(edited(shelf.load("onet"), damage))


@pytest.mark.parametrize("length", [0, 3, 8, 40, 1000, 9000])
def test_a_truncated_network_is_an_error_in_one_sentence(shelf: Shelf, length: int) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        operators(shelf.load("pnet")[:length])


def edited(model: bytes, damage: Callable[[Any], None]) -> bytes:
    parsed = schema.ModelT.InitFromPackedBuf(model, 0)
    damage(parsed)
    builder = schema.flatbuffers.Builder(len(model))
    builder.Finish(parsed.Pack(builder), b"TFL3")
    return bytes(builder.Output())
