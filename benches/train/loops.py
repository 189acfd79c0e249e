"""PyTorch's side: one step of training, in the ways that people write it."""

import torch
from torch import nn


class Loop:
    """A network, an optimiser and a batch; `step` trains once."""

    def __init__(self, model, batch, device, channels_last=False, bf16=False, compiled=False):
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.model = model.to(device, memory_format=self.layout)
        self.images = torch.rand(batch, 1, 96, 96, device=device).to(memory_format=self.layout)
        self.targets = torch.rand(batch, 30, device=device)
        self.bf16, self.device = bf16, torch.device(device)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.loss = nn.MSELoss()
        self.forward = torch.compile(self.model, mode="max-autotune") if compiled else self.model

    def step(self):
        self.optimizer.zero_grad()
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16):
            out = self.forward(self.images)
        self.loss(out.float(), self.targets).backward()
        self.optimizer.step()
        if self.device.type == "cuda":
            torch.cuda.synchronize()


#: What is compared, by name: how people write it first, then what they find when they look for speed.
WAYS = {
    "default": {},
    "channels-last": {"channels_last": True},
    "channels-last + bf16": {"channels_last": True, "bf16": True},
}
#: On a GPU besides.
COMPILED = {"compile(max-autotune) + bf16": {"channels_last": True, "bf16": True, "compiled": True}}
