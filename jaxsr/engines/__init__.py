"""Networks outside XLA: as ONNX graphs of plain operations, for export and for the runtimes OpenVINO and ONNX Runtime.

Open first: `tracing.py` (what is exported, for any height and width), then `onnx_conversion.py`, which turns a traced
program into a graph. `runtimes.py` runs graphs, `engine_choice.py` knows which is fastest for which network.
"""
