"""One side of `compare.py`: a process that works on request, with the library of its own checkout.

A request is one line of JSON on stdin, ``{"do": name, ...}``; the answer one line on stdout, with
``result`` or ``error``. It is started by ``sides.py`` and of no use alone.
"""
import gc
import json
import os
import sys
import time
import traceback
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import torch
from counting import OperatorCounter, as_leaves, gflop
from inputs import DataSet, make_batch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config

import cltdr_mm


def total(losses: dict) -> torch.Tensor:
    """Sum of what is to be minimised."""
    return sum(value for name, value in losses.items() if 'loss' in name)


class Worker:
    """What a side can do; every public method answers the request of its name."""

    def __init__(self) -> None:
        self.model = self.optimizer = self.sample = None
        self.device = 'cpu'
        self.batches, self.datasets = {}, {}

    def hello(self, threads: int) -> str:
        """Where the library comes from."""
        torch.set_num_threads(threads)
        return cltdr_mm.__file__

    def build(self, config: str, device: str, seed: int, optimizer: bool) -> dict:
        """Build the model of a config without the random parts of training."""
        self.batches.clear()
        self.device = device
        torch.manual_seed(seed)
        cfg = Config.fromfile(config).model
        self.model = MODELS.build(cfg).to(device)
        for module in self.model.modules():
            for name in ('drop_prob', 'input_noise'):
                if hasattr(module, name):
                    setattr(module, name, 0.)
        self.keep_buffers()
        if optimizer:
            # without a rate it does all its work and leaves the weights, so that losses compare
            self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=0., weight_decay=0.05)
        head = cfg.head if 'num_classes' in cfg.head else cfg.head.head  # ASL has one within
        return dict(parameters=sum(p.numel() for p in self.model.parameters()),
                    classes=head.num_classes, channels=self.model.backbone.in_channels)

    def keep_buffers(self) -> None:
        """Remember running numbers, which every step starts from."""
        self.buffers = {k: v.clone() for k, v in self.model.named_buffers()}

    def save(self, path: str) -> None:
        """Write the weights."""
        torch.save(self.model.state_dict(), path)

    def load(self, path: str) -> list:
        """Take over weights; if they do not fit, the names that differ."""
        theirs, mine = torch.load(path, weights_only=True), self.model.state_dict()
        wrong = [name for name in {**theirs, **mine} if name not in theirs or name not in mine
                 or theirs[name].shape != mine[name].shape]
        if not wrong:
            self.model.load_state_dict(theirs)
            self.keep_buffers()
        return wrong

    def batch(self, name: str, data: dict, videos: list, seed: int) -> None:
        """Make a batch and keep it under a name."""
        channels = self.model.backbone.in_channels
        self.batches[name] = make_batch(DataSet(**data), videos, channels, seed)

    @contextmanager
    def clock(self):
        """Seconds of CPU time of all threads; on another device seconds until it is done."""
        spent = []
        on_cpu = self.device == 'cpu'
        now = time.process_time if on_cpu else time.perf_counter
        if not on_cpu:
            torch.cuda.synchronize()
        begin = now()
        yield spent
        if not on_cpu:
            torch.cuda.synchronize()
        spent.append(now() - begin)

    def autocast(self, precision: str):
        """Of a device in a precision."""
        kind = torch.device(self.device).type
        return nullcontext() if precision == 'float32' else torch.autocast(
            kind, getattr(torch, precision))

    def start(self, name: str) -> dict:
        """Prepare a training step: a batch of its own, running numbers reset."""
        self.model.train()
        with torch.no_grad():
            for key, value in self.model.named_buffers():
                value.copy_(self.buffers[key])
        return dict(self.batches[name])

    def forward_backward(self, batch: dict, precision: str) -> torch.Tensor:
        """The work of a training step."""
        self.model.zero_grad()
        with self.autocast(precision):
            losses = self.model(**self.model.data_preprocessor(batch, training=True), mode='loss')
        loss = total(losses)
        loss.backward()
        if self.optimizer is not None:
            self.optimizer.step()
        return loss

    def train(self, name: str, precision: str) -> dict:
        """A training step: seconds and loss."""
        batch = self.start(name)
        with self.clock() as spent:
            loss = self.forward_backward(batch, precision)
        return dict(seconds=spent[0], value=float(loss.detach()))

    @torch.no_grad()
    def infer(self, name: str, precision: str) -> dict:
        """Detections of a batch: seconds and the mean score of each video's detections."""
        self.model.eval()
        batch = dict(self.batches[name])
        with self.clock() as spent, self.autocast(precision):
            found = self.model(**self.model.data_preprocessor(batch, False), mode='predict')
        scores = torch.stack([f.pred_instances.scores.double().mean() for f in found])
        return dict(seconds=spent[0], value=float(scores.mean()))

    def gflop(self, steps: int) -> float:
        """Arithmetic of one forward, 2 FLOP a multiply-add."""
        self.model.eval()
        inputs = [torch.zeros(self.model.backbone.in_channels, steps)]
        batch = self.model.data_preprocessor(dict(inputs=inputs), False)
        return gflop(lambda: self.model(**batch, mode='tensor'))

    def memory(self, name: str, precision: str) -> dict:
        """Most memory of a training step above what is taken before it, MiB."""
        batch = self.start(name)
        self.forward_backward(self.batches['first'], precision)  # loads kernels and tables
        self.model.zero_grad()
        gc.collect()
        if self.device != 'cpu':
            torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated()
            self.forward_backward(batch, precision)
            return dict(value=(torch.cuda.max_memory_allocated() - before) / 2**20)
        Path('/proc/self/clear_refs').write_text('5')  # the peak is what is resident now
        before = self.resident('VmRSS')
        self.forward_backward(batch, precision)
        return dict(value=self.resident('VmHWM') - before)

    @staticmethod
    def resident(field: str) -> float:
        """Resident memory of this process, MiB (Linux)."""
        status = Path('/proc/self/status').read_text()
        return int(status.split(f'{field}:')[1].split()[0]) / 1024

    def ops(self, name: str, precision: str) -> dict:
        """Operators of a training step, by the head alone and by the whole model."""
        batch = self.start(name)
        with OperatorCounter() as whole:
            self.forward_backward(batch, precision)
        head, loss = OperatorCounter(), self.model.head.loss

        def head_alone(*args, **kwargs) -> dict:
            args, kwargs = as_leaves((args, kwargs))
            with head:
                losses = loss(*args, **kwargs)
                total(losses).backward()
            return losses

        self.model.head.loss = head_alone
        try:
            batch = self.start(name)
            with self.autocast(precision):
                self.model(**self.model.data_preprocessor(batch, training=True), mode='loss')
        finally:
            del self.model.head.loss
        found = {f'{part}: {kind}': value for part, counter in (('head', head), ('model', whole))
                 for kind, value in (('all operators', sum(counter.counts.values())),
                                     ('without views and allocations',
                                      counter.counts['launching']))}
        if self.device != 'cpu':
            found['model: kernel launches'] = self.launches(name, precision)
        return found

    def launches(self, name: str, precision: str) -> int:
        """Kernels that a training step launches on a GPU."""
        batch = self.start(name)
        kinds = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
        with torch.profiler.profile(activities=kinds) as profile:
            self.forward_backward(batch, precision)
            torch.cuda.synchronize()
        return sum(e.count for e in profile.key_averages() if 'LaunchKernel' in e.key)

    def dataset(self, name: str, config: str, root: str, channels: int) -> None:
        """A data set of the files in `root`, with a config's pipeline or the shortest one."""
        pipeline = [dict(type='LoadTALFeature'), dict(type='PackTALInputs')]
        if config:
            pipeline = Config.fromfile(config).train_dataloader.dataset.pipeline
        self.datasets[name] = DATASETS.build(dict(
            type='TALDataset', data_root=root, ann_file='annotations.json',
            data_prefix=dict(feats=''), feature_stride=4, feature_window=16, feature_dim=channels,
            metainfo=dict(classes=('action', )), pipeline=pipeline, check_features='header'))

    def sample_of(self, name: str, seed: int) -> dict:
        """Load a sample: seconds and the sum of its features."""
        np.random.seed(seed)
        begin = time.process_time()
        sample = self.datasets[name][0]
        spent = time.process_time() - begin
        feats = sample['inputs']
        feats = getattr(feats, 'rows', feats)  # (T, C) or (C, T)
        return dict(seconds=spent, value=float(feats.double().square().mean()))


def main() -> None:
    """Answer requests until stdin ends."""
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # whatever prints must not come between the answers
    worker = Worker()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = dict(result=getattr(worker, request.pop('do'))(**request))
        except Exception:
            answer = dict(error=traceback.format_exc())
        answers.write(json.dumps(answer) + '\n')
        answers.flush()


if __name__ == '__main__':
    main()
