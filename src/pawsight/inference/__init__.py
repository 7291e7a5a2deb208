"""A model folder, loaded and asked: ONNX Runtime or OpenVINO, numpy and Pillow, no torch."""
