"""Exports a ViT checkpoint in timm's names (safetensors) to ONNX, with a free batch size. Needs PyTorch only."""
import argparse

import torch

from vit import ViT, read_safetensors

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("checkpoint")
parser.add_argument("onnx")
parser.add_argument("--eps", type=float, default=1e-6, help="of the layer norms (timm: 1e-6)")
arguments = parser.parse_args()

network = ViT(read_safetensors(arguments.checkpoint), arguments.eps).eval()
torch.onnx.export(network, network.example, arguments.onnx, opset_version=14, input_names=["image"], output_names=["logits"],
                  dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}})
