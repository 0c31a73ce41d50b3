"""Exports a ResNet of bottlenecks in torchvision's names (safetensors) to ONNX, with a free batch size. Needs PyTorch only."""
import argparse

import torch
from torch import nn

from vit import read_safetensors


class Bottleneck(nn.Module):
    def __init__(self, tensors, name, stride):
        super().__init__()
        width, channels = tensors[f"{name}.conv1.weight"].shape[:2]
        out = tensors[f"{name}.conv3.weight"].shape[0]
        self.conv1, self.bn1 = nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, out, 1, bias=False), nn.BatchNorm2d(out)
        self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out)) if f"{name}.downsample.0.weight" in tensors else nn.Identity()

    def forward(self, x):
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        return (self.bn3(self.conv3(y)) + self.downsample(x)).relu()


class ResNet(nn.Module):
    def __init__(self, tensors):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        for stage in range(1, 5):
            count = len({name.split(".")[1] for name in tensors if name.startswith(f"layer{stage}.")})
            blocks = [Bottleneck(tensors, f"layer{stage}.{i}", 2 if stage > 1 and i == 0 else 1) for i in range(count)]
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
        self.fc = nn.Linear(tensors["fc.weight"].shape[1], tensors["fc.weight"].shape[0])
        missing, unexpected = self.load_state_dict(tensors, strict=False)
        assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.bn1(self.conv1(x)).relu(), 3, 2, 1)
        for stage in range(1, 5):
            x = getattr(self, f"layer{stage}")(x)
        return self.fc(x.mean((2, 3)))


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("checkpoint")
parser.add_argument("onnx")
arguments = parser.parse_args()
network = ResNet(read_safetensors(arguments.checkpoint)).eval()
torch.onnx.export(network, torch.randn(2, 3, 224, 224), arguments.onnx, opset_version=14, input_names=["image"], output_names=["logits"],
                  dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}})
