"""ONNX files of localizers, and what runs them."""
