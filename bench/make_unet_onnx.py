"""Exports a U-Net, or an autoencoder's decoder, in diffusers' names (a folder with config.json and safetensors) to ONNX, for any size. Needs PyTorch only."""
import argparse
import json
import math
import os

import torch
from torch import nn
from torch.nn import functional as F

from vit import read_safetensors


class Network(nn.Module):
    def __init__(self, folder):
        super().__init__()
        with open(os.path.join(folder, "config.json")) as file:
            self.config = json.load(file)
        self.groups, self.eps = self.config["norm_num_groups"], self.config.get("norm_eps", 1e-6)
        self.used = set()
        for name, tensor in read_safetensors(os.path.join(folder, "diffusion_pytorch_model.safetensors")).items():
            self.register_parameter(name.replace(".", "/"), nn.Parameter(tensor, requires_grad=False))

    def has(self, name):
        return f"{name}.weight".replace(".", "/") in self._parameters

    def of(self, name):
        self.used.update((f"{name}.weight", f"{name}.bias"))
        return self._parameters[f"{name}.weight".replace(".", "/")], self._parameters.get(f"{name}.bias".replace(".", "/"))

    def conv(self, name, x, stride=1, padding=1):
        return F.conv2d(x, *self.of(name), stride, padding)

    def linear(self, name, x):
        return F.linear(x, *self.of(name))

    def norm(self, name, x, eps=None):
        return F.group_norm(x, self.groups, *self.of(name), eps or self.eps)

    def layer_norm(self, name, x):
        weight, bias = self.of(name)
        return F.layer_norm(x, weight.shape, weight, bias)

    def resnet(self, name, x, time=None):
        y = self.conv(f"{name}.conv1", F.silu(self.norm(f"{name}.norm1", x)))
        if time is not None:
            y = y + self.linear(f"{name}.time_emb_proj", F.silu(time))[:, :, None, None]
        y = self.conv(f"{name}.conv2", F.silu(self.norm(f"{name}.norm2", y)))
        return (self.conv(f"{name}.conv_shortcut", x, padding=0) if self.has(f"{name}.conv_shortcut") else x) + y

    def attention(self, name, x, context, heads):                           # [B, T, C]
        def split(y):
            return y.view(y.shape[0], -1, heads, y.shape[2] // heads).transpose(1, 2)

        q, k, v = split(self.linear(f"{name}.to_q", x)), split(self.linear(f"{name}.to_k", context)), split(self.linear(f"{name}.to_v", context))
        weights = (q * q.shape[-1] ** -0.5 @ k.transpose(-2, -1)).softmax(-1)
        return self.linear(f"{name}.to_out.0", (weights @ v).transpose(1, 2).flatten(2))

    def places(self, name, x):
        tokens = self.norm(f"{name}.group_norm", x).flatten(2).transpose(1, 2)
        return x + self.attention(name, tokens, tokens, 1).transpose(1, 2).reshape(x.shape)

    def transformer(self, name, x, words, heads):
        y = self.conv(f"{name}.proj_in", self.norm(f"{name}.norm", x, 1e-6), padding=0).flatten(2).transpose(1, 2)
        block = f"{name}.transformer_blocks.0"
        normed = self.layer_norm(f"{block}.norm1", y)
        y = y + self.attention(f"{block}.attn1", normed, normed, heads)
        y = y + self.attention(f"{block}.attn2", self.layer_norm(f"{block}.norm2", y), words, heads)
        values, gate = self.linear(f"{block}.ff.net.0.proj", self.layer_norm(f"{block}.norm3", y)).chunk(2, -1)
        y = y + self.linear(f"{block}.ff.net.2", values * F.gelu(gate))
        return x + self.conv(f"{name}.proj_out", y.transpose(1, 2).reshape(x.shape), padding=0)

    def attend(self, name, x, words):
        if not self.has(f"{name}.norm") and not self.has(f"{name}.group_norm"):
            return x
        return self.places(name, x) if words is None else self.transformer(name, x, words, self.config["attention_head_dim"])

    def upsample(self, name, x):
        return self.conv(f"{name}.upsamplers.0.conv", F.interpolate(x, scale_factor=2.0)) if self.has(f"{name}.upsamplers.0.conv") else x

    def middle(self, name, x, time=None, words=None):
        x = self.resnet(f"{name}.resnets.0", x, time)
        return self.resnet(f"{name}.resnets.1", self.attend(f"{name}.attentions.0", x, words), time)


class UNet(Network):
    def forward(self, x, time, words=None):                                 # [B, C, H, W], [1], [B, S, D]
        config, layers = self.config, self.config["layers_per_block"]
        half = config["block_out_channels"][0] // 2
        angles = time[:, None] * torch.exp(torch.arange(half) * (-math.log(10000) / (half - config["freq_shift"])))
        waves = torch.cat([angles.cos(), angles.sin()] if config["flip_sin_to_cos"] else [angles.sin(), angles.cos()], -1)
        time = self.linear("time_embedding.linear_2", F.silu(self.linear("time_embedding.linear_1", waves)))
        x = self.conv("conv_in", x)
        skips = [x]
        for stage in range(len(config["down_block_types"])):
            name = f"down_blocks.{stage}"
            for i in range(layers):
                x = self.attend(f"{name}.attentions.{i}", self.resnet(f"{name}.resnets.{i}", x, time), words)
                skips.append(x)
            if self.has(f"{name}.downsamplers.0.conv"):
                padding = config["downsample_padding"]
                x = self.conv(f"{name}.downsamplers.0.conv", x if padding else F.pad(x, (0, 1, 0, 1)), 2, padding)
                skips.append(x)
        x = self.middle("mid_block", x, time, words)
        for stage in range(len(config["up_block_types"])):
            name = f"up_blocks.{stage}"
            for i in range(layers + 1):
                x = self.resnet(f"{name}.resnets.{i}", torch.cat([x, skips.pop()], 1), time)
                x = self.attend(f"{name}.attentions.{i}", x, words)
            x = self.upsample(name, x)
        return self.conv("conv_out", F.silu(self.norm("conv_norm_out", x)))


class Decoder(Network):
    def forward(self, x):                                                   # [B, C, h, w]
        x = self.conv("decoder.conv_in", self.conv("post_quant_conv", x, padding=0))
        x = self.middle("decoder.mid_block", x)
        for stage in range(len(self.config["up_block_types"])):
            for i in range(self.config["layers_per_block"] + 1):
                x = self.resnet(f"decoder.up_blocks.{stage}.resnets.{i}", x)
            x = self.upsample(f"decoder.up_blocks.{stage}", x)
        return self.conv("decoder.conv_out", F.silu(self.norm("decoder.conv_norm_out", x)))


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("folder")
parser.add_argument("onnx", help="what is larger than 2 GB gets files of its own beside it, so give it a folder")
arguments = parser.parse_args()
with open(os.path.join(arguments.folder, "config.json")) as file:
    kind = json.load(file)
network = (Decoder if kind["_class_name"] == "AutoencoderKL" else UNet)(arguments.folder).eval()
inputs, names = [torch.randn(1, kind["latent_channels" if isinstance(network, Decoder) else "in_channels"], 8, 8)], ["sample"]
if isinstance(network, UNet):
    inputs, names = inputs + [torch.tensor([500.0])], names + ["time"]
    if "cross_attention_dim" in kind:
        inputs, names = inputs + [torch.randn(1, 77, kind["cross_attention_dim"])], names + ["words"]
with torch.no_grad():
    network(*inputs)
unused = {name.replace("/", ".") for name in network._parameters} - network.used
assert all(name.startswith(("encoder.", "quant_conv.")) for name in unused), unused
for name in unused:
    del network._parameters[name.replace(".", "/")]
os.makedirs(os.path.dirname(os.path.abspath(arguments.onnx)), exist_ok=True)
torch.onnx.export(network, tuple(inputs), arguments.onnx, opset_version=17, input_names=names, output_names=["output"],
                  dynamic_axes={"sample": {0: "batch", 2: "height", 3: "width"}, "output": {0: "batch", 2: "height", 3: "width"}} | ({"words": {0: "batch"}} if "words" in names else {}))
