"""Exports both towers of a CLIP in Hugging Face's names (safetensors) to ONNX, with free numbers of pictures, texts and tokens.

Heads of 64 channels, the activation x sigmoid(1.702 x), the end token the one with the highest number, as OpenAI's networks have them.
Needs PyTorch only.
"""
import argparse
import math

import torch
from torch import nn

from vit import Block, read_safetensors

EPS = 1e-5


def quick_gelu(x):
    return x * torch.sigmoid(1.702 * x)


def blocks(tensors, prefix):
    """The blocks of a tower; queries, keys and values are fused."""
    hidden, dim = tensors[f"{prefix}.0.mlp.fc1.weight"].shape
    depth = 1 + max(int(name[len(prefix) + 1:].split(".")[0]) for name in tensors if name.startswith(f"{prefix}."))
    layers = nn.ModuleList(Block(dim, hidden, EPS, quick_gelu) for _ in range(depth))
    for i, block in enumerate(layers):
        state = {}
        for kind in ("weight", "bias"):
            of = lambda name: tensors[f"{prefix}.{i}.{name}.{kind}"]
            state |= {f"norm1.{kind}": of("layer_norm1"), f"norm2.{kind}": of("layer_norm2"),
                      f"attn.qkv.{kind}": torch.cat([of(f"self_attn.{part}_proj") for part in "qkv"]), f"attn.proj.{kind}": of("self_attn.out_proj"),
                      f"mlp.fc1.{kind}": of("mlp.fc1"), f"mlp.fc2.{kind}": of("mlp.fc2")}
        block.load_state_dict(state)
    return layers


def norm(tensors, name):
    layer = nn.LayerNorm(tensors[f"{name}.weight"].shape[0], EPS)
    layer.load_state_dict({kind: tensors[f"{name}.{kind}"] for kind in ("weight", "bias")})
    return layer


class Images(nn.Module):
    def __init__(self, tensors):
        super().__init__()
        self.patches, self.token, self.positions, self.projection = (nn.Parameter(tensors[name]) for name in (
            "vision_model.embeddings.patch_embedding.weight", "vision_model.embeddings.class_embedding",
            "vision_model.embeddings.position_embedding.weight", "visual_projection.weight"))
        self.before, self.blocks, self.after = norm(tensors, "vision_model.pre_layrnorm"), blocks(tensors, "vision_model.encoder.layers"), norm(tensors, "vision_model.post_layernorm")
        self.patch = self.patches.shape[2]
        side = math.isqrt(len(self.positions) - 1) * self.patch
        self.example = torch.zeros(2, 3, side, side)

    def forward(self, pixels):
        x = nn.functional.conv2d(pixels, self.patches, stride=self.patch).flatten(2).transpose(1, 2)
        x = self.before(torch.cat([self.token.expand(x.shape[0], 1, -1), x], 1) + self.positions)
        for block in self.blocks:
            x = block(x)
        return nn.functional.linear(self.after(x[:, 0]), self.projection)


class Texts(nn.Module):
    def __init__(self, tensors):
        super().__init__()
        self.tokens, self.positions, self.projection = (nn.Parameter(tensors[name]) for name in (
            "text_model.embeddings.token_embedding.weight", "text_model.embeddings.position_embedding.weight", "text_projection.weight"))
        self.blocks, self.after = blocks(tensors, "text_model.encoder.layers"), norm(tensors, "text_model.final_layer_norm")
        count = len(self.positions)
        self.register_buffer("mask", torch.full((count, count), float("-inf")).triu(1))
        self.example = torch.zeros(2, count, dtype=torch.int64)

    def forward(self, ids):
        count = ids.shape[1]
        x = nn.functional.embedding(ids, self.tokens) + self.positions[:count]
        for block in self.blocks:
            x = block(x, self.mask[:count, :count])
        end = ids.argmax(1).view(-1, 1, 1).expand(-1, 1, x.shape[2])
        return nn.functional.linear(self.after(x.gather(1, end)[:, 0]), self.projection)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("images", help="the vision tower's ONNX file")
    parser.add_argument("texts", help="the text tower's ONNX file")
    arguments = parser.parse_args()

    weights = read_safetensors(arguments.checkpoint)
    for tower, path, axes in ((Images, arguments.images, {0: "batch"}), (Texts, arguments.texts, {0: "batch", 1: "tokens"})):
        network = tower(weights).eval()
        torch.onnx.export(network, network.example, path, opset_version=14, input_names=["input"], output_names=["vectors"],
                          dynamic_axes={"input": axes, "vectors": {0: "batch"}})
