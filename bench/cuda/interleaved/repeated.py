"""Times launches of PyTorch and Triton as interleaved.hpp times ours: back to back in a graph, and in turns."""
import random
import statistics

import torch


class Repeated:
    """Launches captured as a graph of about a millisecond, and the operands that it reads."""

    def __init__(self, launch, *operands):
        self.operands = operands  # keeps the tensors alive: the allocator reuses the memory of unreferenced ones
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            launch()
            launch()
            stream.synchronize()
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            launch()
            end.record()
            end.synchronize()
            self.once_us = begin.elapsed_time(end) * 1e3
        self.count = max(2, min(50, int(1000 / self.once_us)))
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, stream=stream):
            for _ in range(self.count):
                launch()
        self.begin, self.end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)

    def sample_us(self):
        self.begin.record()
        self.graph.replay()
        self.end.record()
        self.end.synchronize()
        return self.begin.elapsed_time(self.end) * 1e3 / self.count


def medians(running, samples):
    """The median of `samples` samples of each, which take turns in a new order; a first one of each is left out."""
    taken = {name: [] for name in running}
    order = list(running)
    for sample in range(-1, samples):
        random.shuffle(order)
        for name in order:
            us = running[name].sample_us()
            if sample >= 0:
                taken[name].append(us)
    return {name: statistics.median(values) for name, values in taken.items()}
