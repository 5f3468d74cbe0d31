"""What a person should know about a data set before training on it, in sentences."""
from collections.abc import Mapping, Sequence

from ...datasets.statistics import SubsetStatistics, level_shares


def remarks(subsets: Mapping[str, SubsetStatistics],
            ranges: Sequence[tuple[float, float]]) -> list[str]:
    """What a person should know about a data set before training on it.

    Args:
        subsets (Mapping[str, SubsetStatistics]): By what they are for, ``training`` among them.
        ranges (Sequence[tuple[float, float]]): Regression ranges of the model, grid steps.

    Returns:
        list[str]: Sentences, none if there is nothing to say.
    """
    found, said = subsets['training'], []
    absent = [name for name, count in zip(found.classes, found.per_class) if not count]
    few = [f'{name} ({count})' for name, count in zip(found.classes, found.per_class)
           if 0 < count < 10]
    if absent:
        said.append(f'no training instance of {_some(absent)}: these classes cannot be learned')
    if few:
        said.append(f'fewer than 10 training instances of {_some(few)}')
    if found.num_videos < 10:
        said.append(f'{found.num_videos} training videos are few: what is learned may not hold for '
                    'others')
    short = float((found.lengths < 1).mean()) if found.num_instances else 0.
    if short > 0.01:
        said.append(f'{100 * short:.1f} % of the training instances are shorter than one grid '
                    'step: features with a smaller stride would show them')
    if found.num_instances and found.length_quantile(0.05) > 32:
        said.append('nearly all instances are longer than 32 grid steps: features with a larger '
                    'stride would do, and train faster')
    missed = level_shares(found.segments, ranges)[1]
    if missed > 0.01:
        said.append(f'{100 * missed:.1f} % of the training instances are learned by no level: no '
                    'point in them is close to their centre and has them in its range')
    if 'validation' not in subsets:
        said.append('there is no validation subset: nothing tells which checkpoint is the best, '
                    'and the last one counts. Call some videos `validation` in the annotation '
                    'file, or make it with `cltdr labels --split 0.7 0.15 0.15`')
    for name, other in subsets.items():
        unseen = [c for c, own, trained in zip(found.classes, other.per_class, found.per_class)
                  if own and not trained]
        if name != 'training' and unseen:
            said.append(f'{name} has instances of {_some(unseen)}, which training has not')
    return said


def _some(names: Sequence[str], most: int = 5) -> str:
    more = f' and {len(names) - most} more' if len(names) > most else ''
    return ', '.join(names[:most]) + more
