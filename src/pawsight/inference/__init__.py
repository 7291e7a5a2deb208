"""A model folder, loaded and asked: ONNX Runtime, numpy and Pillow, no torch."""
