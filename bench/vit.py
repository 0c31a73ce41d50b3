"""A Vision Transformer in timm's names, built from a checkpoint's shapes: heads of 64 channels, exact GELU, class token."""
import json
import math
import struct

import torch
from torch import nn


def read_safetensors(path):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        assert entry["dtype"] == "F32", f"{name} is {entry['dtype']}; only F32 is read here"
        begin, _ = entry["data_offsets"]
        count = math.prod(entry["shape"])
        tensors[name] = torch.frombuffer(data, dtype=torch.float32, count=count, offset=8 + length + begin).view(entry["shape"])
    return tensors


class Attention(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x, mask=None):
        batch, tokens, dim = x.shape
        q, k, v = self.qkv(x).reshape(batch, tokens, 3, dim // 64, 64).permute(2, 0, 3, 1, 4).unbind(0)
        scores = q @ k.transpose(-2, -1) / 8
        weights = (scores if mask is None else scores + mask).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(batch, tokens, dim))


class Block(nn.Module):
    def __init__(self, dim, hidden, eps, activation=nn.functional.gelu):
        super().__init__()
        self.activation = activation
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps), nn.LayerNorm(dim, eps)
        self.attn = Attention(dim)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(dim, hidden), "fc2": nn.Linear(hidden, dim)})

    def forward(self, x, mask=None):
        x = x + self.attn(self.norm1(x), mask)
        return x + self.mlp["fc2"](self.activation(self.mlp["fc1"](self.norm2(x))))


class ViT(nn.Module):
    def __init__(self, tensors, eps):
        super().__init__()
        dim, channels, patch, _ = tensors["patch_embed.proj.weight"].shape
        hidden = tensors["blocks.0.mlp.fc1.weight"].shape[0]
        depth = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("blocks."))
        self.cls_token = nn.Parameter(torch.empty(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.empty(tensors["pos_embed"].shape))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(channels, dim, patch, patch)})
        self.blocks = nn.Sequential(*[Block(dim, hidden, eps) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim, eps)
        self.head = nn.Linear(dim, tensors["head.weight"].shape[0])
        self.load_state_dict(tensors)
        grid = math.isqrt(tensors["pos_embed"].shape[1] - 1)
        self.example = torch.zeros(1, channels, grid * patch, grid * patch)

    def forward(self, x):
        x = self.patch_embed["proj"](x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], 1) + self.pos_embed
        return self.head(self.norm(self.blocks(x))[:, 0])


