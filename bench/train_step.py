"""Training steps in PyTorch, for bench's train-step: train_step.py checkpoint.safetensors batch threads

Every line on standard input is a number of steps to do; the answer is "loss wall-ms cpu-ms", of the last step and per step.
"""
import sys
import time

import torch

from vit import ViT, read_safetensors

checkpoint, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
network = ViT(read_safetensors(checkpoint), eps=1e-6).train()
optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.05)

# A batch that both sides can make without files.
pixels = torch.sin(torch.arange(batch * network.example.numel()).float()).view(batch, *network.example.shape[1:])
labels = torch.arange(batch) % network.head.out_features


def step():
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(network(pixels), labels)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return loss.item()


for line in sys.stdin:
    steps, wall, cpu = int(line), time.perf_counter(), time.process_time()
    for _ in range(steps):
        loss = step()
    print(loss, (time.perf_counter() - wall) * 1000 / steps, (time.process_time() - cpu) * 1000 / steps, flush=True)
