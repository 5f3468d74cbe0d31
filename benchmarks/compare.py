"""The working tree against another revision: speed, memory, operators, as ratios.

    python benchmarks/compare.py 67325fa --work train infer

Each side is a process of its own that imports its own checkout and reads its own copy of the
config; both get the same inputs, and the same weights where the state dicts agree. They work in
turn, one step each, so that a machine that slows down slows both. A ratio is the other revision's
number over the working tree's: above 1 the working tree is better. On a CPU times are CPU times,
summed over threads.
"""
import argparse
import dataclasses
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from inputs import DATA_SETS, draw_batches, draw_video, real_video
from report import Table, as_markdown
from sides import ROOT, Side, checkout, git

from cltdr_mm.evaluation.ground_truth import load_ground_truth

WORK = ('train', 'infer', 'memory', 'ops', 'load')
LONGEST_TRAINING = 2304
LOADED = dict(channels=2048, steps=1408)


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('revision', nargs='?', default='67325fa', help='what to compare with')
    parser.add_argument('--config', action='append', help='relative to each checkout; repeatable; '
                        'default configs/cltdr_thumos.py')
    parser.add_argument('--work', nargs='+', choices=WORK, default=list(WORK))
    parser.add_argument('--precision', nargs='+', choices=('float32', 'bfloat16'),
                        default=['float32'], help='bfloat16 is autocast')
    parser.add_argument('--precision-rev', choices=('float32', 'bfloat16'),
                        help='of the other revision; default the same')
    parser.add_argument('--lengths', choices=('auto', *DATA_SETS), default='auto',
                        help='data set whose lengths and actions to take; auto goes by the '
                        "config's name")
    parser.add_argument('--quantiles', type=int, default=0,
                        help='more training batches, drawn from the quantiles of the lengths')
    parser.add_argument('--ann-file', help='take actions from this annotation file')
    parser.add_argument('--subset', help='of the annotation file')
    parser.add_argument('--optimizer', action='store_true', help='train with a step of AdamW')
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--markdown', help='file to write the tables to')
    parser.add_argument('--json', help='file to write all numbers to')
    args = parser.parse_args()
    args.config = args.config or ['configs/cltdr_thumos.py']
    return args


def of_both(values: dict, unit: str) -> str:
    """A number of both sides; a difference is said."""
    rev, tree = values['rev'], values['tree']
    if rev == tree:
        return f'{rev:.2f} {unit} (the same on both sides)'
    return f'{rev:.2f} {unit} (revision) and {tree:.2f} (working tree)'


class Comparison:
    """Two sides and what they are asked.

    Args:
        args (argparse.Namespace): Command line.
        roots (dict): Checkout of each side, 'rev' first.
    """

    def __init__(self, args: argparse.Namespace, roots: dict) -> None:
        self.args, self.roots = args, roots
        self.truth = load_ground_truth(args.ann_file, args.subset) if args.ann_file else None
        self.tables: list[Table] = []
        self.notes: dict[str, list] = {}

    def sides(self, stack: ExitStack, exact_memory: bool = False) -> dict:
        """Fresh processes, which end with the stack."""
        return {name: stack.enter_context(Side(name, root, self.args.threads, exact_memory))
                for name, root in self.roots.items()}

    def precisions(self) -> list:
        """Precision of both sides, one dict a table."""
        return [dict(rev=self.args.precision_rev or p, tree=p) for p in self.args.precision]

    def run_config(self, config: str) -> None:
        """All that is to be done with one config."""
        data = self.args.lengths
        if data == 'auto':
            data = next((name for name in ('hapt', 'synthetic') if name in config), 'thumos14')
        self.config, self.data = config, DATA_SETS[data]
        notes = self.notes[config] = [f'Lengths and actions: {data}.']
        with ExitStack() as stack:
            sides = self.sides(stack)
            if set(self.args.work) - {'load'}:
                self.build(sides, notes)
            for precision in self.precisions():
                if 'train' in self.args.work:
                    self.measure('train', 'training step', sides, self.training(), precision)
                if 'infer' in self.args.work:
                    self.measure('infer', 'inference', sides, self.testing(), precision)
                if 'ops' in self.args.work:
                    self.count(sides, precision)
            if 'load' in self.args.work:
                self.load(sides)
        if 'memory' in self.args.work:
            for precision in self.precisions():
                self.memory(precision)

    def build(self, sides: dict, notes: list) -> None:
        """Models of both sides with the same weights, if possible, and notes on them."""
        self.start(sides)
        parameters = {name: built['parameters'] / 1e6 for name, built in self.built.items()}
        gflop = {name: side.ask('gflop', steps=2304) for name, side in sides.items()}
        notes += [f'{of_both(parameters, "M parameters")}; {of_both(gflop, "GFLOP")} a forward at '
                 '2304 steps (convolutions and matrix products, 2 FLOP a multiply-add).']
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / 'weights.pth')
            sides['rev'].ask('save', path=path)
            wrong = sides['tree'].ask('load', path=path)
        self.same_weights = not wrong
        notes.append('Both sides have the same weights.' if self.same_weights else
                     f'The state dicts differ in {len(wrong)} entries ({", ".join(wrong[:3])}, '
                     '...): weights and losses are not comparable.')

    def start(self, sides: dict) -> None:
        """Build the models."""
        args = self.args
        self.built = {name: side.ask('build', config=side.config(self.config), device=args.device,
                                     seed=args.seed, optimizer=args.optimizer)
                      for name, side in sides.items()}

    # inputs

    def training(self) -> dict:
        """Lengths of the training batches by name."""
        found = [list(lengths) for lengths in self.data.batches]
        found += draw_batches(self.data, self.args.quantiles, LONGEST_TRAINING, self.args.seed)
        return {' + '.join(map(str, lengths)): lengths for lengths in found}

    def testing(self) -> dict:
        """Lengths of the test batches by name."""
        alone = {f'{steps} steps': [steps] for steps in self.data.test}
        return {**alone, 'all eight in a batch': list(self.data.test)}

    def send(self, sides: dict, name: str, lengths: list) -> None:
        """Have both sides make a batch."""
        seed, classes = self.args.seed, self.built['tree']['classes']
        videos = [draw_video(self.data, steps, classes, seed) if self.truth is None else
                  real_video(self.data, self.truth, steps, classes, seed) for steps in lengths]
        for side in sides.values():
            side.ask('batch', name=name, data=dataclasses.asdict(self.data), videos=videos,
                     seed=seed)

    # work

    def measure(self, do: str, title: str, sides: dict, items: dict, precision: dict) -> None:
        """Seconds of each item, the sides in turn, after one round that does not count."""
        table = self.table(title, precision, 's' if self.args.device != 'cpu' else 'CPU s')
        for name, lengths in items.items():
            self.send(sides, name, lengths)
            self.in_turn(table, name, sides, {
                side: dict(what=do, name=name, precision=precision[side]) for side in sides},
                self.args.repeats)
        if do == 'infer':
            alone = list(self.testing())[:-1]
            table.sum_rows('sum of those alone', alone)
        else:
            table.sum_rows('sum', list(items))
        if self.same_weights:
            what = 'loss' if do == 'train' else 'mean score of the detections'
            table.compare_values(what, 0.03 if 'bfloat16' in precision.values() else 1e-3)
        self.finish(table)

    def in_turn(self, table: Table, name: str, sides: dict, requests: dict, repeats: int) -> None:
        """Add a row: each round both sides do it, the first of them another one each round."""
        order = list(sides)
        values = {side: sides[side].ask(**requests[side]).get('value') for side in order}
        spent = {side: [] for side in order}
        for _ in range(repeats):
            order.reverse()
            for side in order:
                spent[side].append(sides[side].ask(**requests[side])['seconds'])
        table.add(name, spent, values)
        print(f'  {name}: {table.ratio(name):.2f}', file=sys.stderr, flush=True)

    def count(self, sides: dict, precision: dict) -> None:
        """Operators of a training step on the last named batch."""
        name, lengths = list(self.training().items())[-1]
        self.send(sides, name, lengths)
        found = {key: side.ask('ops', name=name, precision=precision[key])
                 for key, side in sides.items()}
        table = self.table(f'operators of a training step, {name}', precision, 'operators')
        for row in found['rev']:
            table.add(row, {side: [found[side][row]] for side in sides})
        self.finish(table)

    def memory(self, precision: dict) -> None:
        """Peak memory of one training step, each in a process of its own."""
        table = self.table('peak memory of a training step', precision, 'MiB')
        name, lengths = max(self.training().items(), key=lambda item: max(item[1]))
        with ExitStack() as stack:
            sides = self.sides(stack, exact_memory=True)
            self.start(sides)
            self.send(sides, 'first', [64, 64])
            self.send(sides, name, lengths)
            table.add(name, {key: [side.ask('memory', name=name, precision=precision[key])
                                   ['value']] for key, side in sides.items()})
        self.finish(table)

    def load(self, sides: dict) -> None:
        """Load one sample from a file of seeded features."""
        table = self.table(f'loading {LOADED["channels"]} channels x {LOADED["steps"]} steps',
                           {}, 'CPU s')
        g = np.random.default_rng(self.args.seed)
        with tempfile.TemporaryDirectory() as folder:
            shape = LOADED['steps'], LOADED['channels']
            np.save(Path(folder) / 'v.npy', g.standard_normal(shape, dtype=np.float32))
            seconds = ((LOADED['steps'] - 1) * 4 + 16) / 30
            video = dict(subset='train', duration=seconds, fps=30., annotations=[
                dict(segment=[1. + i, 5. + 2 * i], label='action', label_id=0) for i in range(15)])
            Path(folder, 'annotations.json').write_text(json.dumps(dict(database=dict(v=video))))
            for name, config in (("the config's training pipeline", self.config),
                                 ('LoadTALFeature, PackTALInputs', None)):
                for side in sides.values():
                    side.ask('dataset', name=name, config=config and side.config(config),
                             root=folder, channels=LOADED['channels'])
                self.in_turn(table, name, sides, {side: dict(
                    what='sample_of', name=name, seed=self.args.seed) for side in sides},
                    max(10, self.args.repeats))
        table.compare_values('mean square of the features')
        self.finish(table)

    def table(self, title: str, precision: dict, unit: str) -> Table:
        """An empty table."""
        kinds = list(dict.fromkeys(precision.values()))
        kind = f'{precision["rev"]} against {precision["tree"]}' if len(kinds) > 1 else \
            ''.join(kinds)
        print(f'{self.config}: {title} {kind}', file=sys.stderr, flush=True)
        return Table(', '.join(filter(None, (title, kind))), unit, self.config)

    def finish(self, table: Table) -> None:
        """Keep a table, to be printed and written at the end."""
        self.tables.append(table)


def main() -> None:
    """Compare, print, write."""
    args = parse_args()
    revision = git('rev-parse', '--short', args.revision)
    tree = git('rev-parse', '--short', 'HEAD') + ('*' if git('status', '--porcelain') else '')
    failed = False
    with checkout(args.revision) as folder:
        comparison = Comparison(args, dict(rev=folder, tree=ROOT))
        for config in args.config:
            try:
                comparison.run_config(config)
            except RuntimeError as error:  # what was measured before is not lost
                comparison.notes[config].append(f'**FAILED**: {error}')
                failed = True
    text = as_markdown(comparison, revision, tree)
    print(text)
    if args.markdown:
        Path(args.markdown).write_text(text)
    if args.json:
        Path(args.json).write_text(json.dumps(dict(
            revision=revision, tree=tree, arguments=vars(args),
            notes=comparison.notes,
            tables=[dataclasses.asdict(table) for table in comparison.tables]), indent=1))
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
