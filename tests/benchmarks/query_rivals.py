"""Other programs' forward passes, made to compute what a network of ours does: sigmoid layers, no biases.

Each maker takes a network and a batch and returns a function from inputs, float32 (batch, input nodes), to
the output layer's signals; it raises ImportError where the program is not installed. Each is used as its own
documentation says is quickest from Python, on one thread.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from shared.feedforward import FeedForward, FloatArray

Query = Callable[[FloatArray], Any]


def make_onnxruntime(network: FeedForward, batch: int) -> Query:
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    nodes, matrices, signal = [], [], "inputs"
    for index, matrix in enumerate(network.weights):
        matrices.append(numpy_helper.from_array(matrix, f"weights_{index}"))
        nodes.append(helper.make_node("Gemm", [signal, f"weights_{index}"], [f"sums_{index}"], transB=1))
        signal = f"signals_{index}"
        nodes.append(helper.make_node("Sigmoid", [f"sums_{index}"], [signal]))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, width])
        for name, width in (("inputs", network.layers[0]), (signal, network.layers[-1]))
    ]
    graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], matrices)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return lambda inputs: session.run(None, {"inputs": inputs})[0]


def make_litert(network: FeedForward, batch: int) -> Query:
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.interpreter import Interpreter

    codes = (schema.BuiltinOperator.FULLY_CONNECTED, schema.BuiltinOperator.LOGISTIC)
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.operatorCodes, model.buffers, model.subgraphs = 3, [], [schema.BufferT()], [graph]
    graph.tensors, graph.operators = [], []
    for code in codes:
        operator_code = schema.OperatorCodeT()
        operator_code.builtinCode = operator_code.deprecatedBuiltinCode = code
        operator_code.version = 1
        model.operatorCodes.append(operator_code)

    def add_tensor(*shape: int, buffer: int = 0) -> int:
        tensor = schema.TensorT()
        tensor.name = f"tensor_{len(graph.tensors)}"
        tensor.shape, tensor.type, tensor.buffer = list(shape), schema.TensorType.FLOAT32, buffer
        graph.tensors.append(tensor)
        return len(graph.tensors) - 1

    def add_operator(code: int, inputs: list[int], width: int) -> int:
        operator = schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = code, inputs, [add_tensor(batch, width)]
        if code == 0:
            operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
            operator.builtinOptions = schema.FullyConnectedOptionsT()
        graph.operators.append(operator)
        return int(operator.outputs[0])

    signal = add_tensor(batch, network.layers[0])
    graph.inputs = [signal]
    for matrix in network.weights:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(matrix.tobytes(), np.uint8)
        model.buffers.append(buffer)
        weights = add_tensor(*matrix.shape, buffer=len(model.buffers) - 1)
        signal = add_operator(1, [add_operator(0, [signal, weights, -1], len(matrix))], len(matrix))
    graph.outputs = [signal]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    interpreter = Interpreter(model_content=bytes(builder.Output()), num_threads=1)
    interpreter.allocate_tensors()
    (given,), (told,) = (
        [detail["index"] for detail in details]
        for details in (interpreter.get_input_details(), interpreter.get_output_details())
    )

    def query(inputs: FloatArray) -> Any:
        interpreter.set_tensor(given, inputs)
        interpreter.invoke()
        return interpreter.get_tensor(told)

    return query


def make_torch(network: FeedForward, batch: int) -> Query:
    import torch

    torch.set_num_threads(1)
    layers: list[torch.nn.Module] = []
    for matrix in network.weights:
        links = torch.nn.Linear(matrix.shape[1], matrix.shape[0], bias=False)
        links.weight.data = torch.from_numpy(matrix.copy())
        layers += [links, torch.nn.Sigmoid()]
    model = torch.nn.Sequential(*layers).eval()

    def query(inputs: FloatArray) -> Any:
        with torch.inference_mode():
            return model(torch.from_numpy(inputs)).numpy()

    return query


def make_torch_script(network: FeedForward, batch: int) -> Query:
    import torch

    torch.set_num_threads(1)
    matrices = [torch.from_numpy(matrix.copy()) for matrix in network.weights]

    def forward(signal: torch.Tensor) -> torch.Tensor:
        for matrix in matrices:
            signal = torch.sigmoid(torch.nn.functional.linear(signal, matrix))
        return signal

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is to be replaced by things that take longer at batch 1
        traced = torch.jit.trace(forward, torch.rand(batch, network.layers[0]))

    def query(inputs: FloatArray) -> Any:
        with torch.inference_mode():
            return traced(torch.from_numpy(inputs)).numpy()

    return query


def make_sklearn(network: FeedForward, batch: int) -> Query:
    from sklearn.neural_network import MLPClassifier

    classifier = MLPClassifier(network.layers[1:-1], activation="logistic", max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has not converged, and need not
        classifier.fit(np.random.default_rng(0).random((20, 784), np.float32), np.repeat(np.arange(10), 2))
    classifier.coefs_ = [matrix.T.copy() for matrix in network.weights]
    classifier.intercepts_ = [np.zeros(len(matrix), np.float32) for matrix in network.weights]
    classifier.out_activation_ = "logistic"
    return classifier.predict_proba


RIVALS: dict[str, Callable[[FeedForward, int], Query]] = {
    "onnxruntime": make_onnxruntime,
    "LiteRT": make_litert,
    "PyTorch": make_torch,
    "PyTorch, traced": make_torch_script,
    "scikit-learn": make_sklearn,
}
