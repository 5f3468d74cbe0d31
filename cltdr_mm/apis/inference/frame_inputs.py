"""Turns video files into what a model that reads frames takes, one window after another."""
from collections.abc import Iterator, Sequence
from typing import Optional

from ...datasets.feature_checks import FeatureSpec
from ...datasets.feature_source import FeatureSource
from ...datasets.frame_sampling import FrameSampling
from ...datasets.video_checks import duration_problem
from ...datasets.videos.sampled_frames import frames_within
from ...datasets.videos.video_facts import SKIP_HINT, broken_video
from ...datasets.videos.video_frames import check_video, frame_rate
from ...datasets.windows import WindowSettings
from ...utils import TALDataError
from .inputs import SampleMaker

FRAME_PIPELINE = (dict(type='SampleTALFrames'), dict(type='LoadTALFrames'),
                  dict(type='PackTALInputs'))


class FrameSampleMaker(SampleMaker):
    """Makes model inputs of video files for a model that sees their frames.

    Args:
        pipeline (Sequence): Transforms of the test pipeline, or their configs.
        source (FeatureSource): What the config's data set says about frame rates.
        sampling (FrameSampling): Which frames it reads.
        sliding (WindowSettings, optional): Its sliding windows. Defaults to None.
        spec (FeatureSpec, optional): How long a video may be beside what an annotation file says.
            Defaults to None.
        class_agnostic (bool): Whether that data set knows no classes. Defaults to False.
        ann_file (str, optional): Its annotation file, which need not be there. Defaults to None.
    """

    def __init__(self, pipeline: Sequence, source: FeatureSource, sampling: FrameSampling,
                 sliding: Optional[WindowSettings] = None, spec: Optional[FeatureSpec] = None,
                 class_agnostic: bool = False, ann_file: Optional[str] = None):
        super().__init__(pipeline, source, None, None, sliding, spec, class_agnostic, ann_file)
        self.sampling = sampling

    def complete(self, items: list, **options) -> list:
        """Give every input its name and numbers, see :meth:`.SampleMaker.complete`.

        Raises:
            ValueError: As there; also if an input is no video, or has numbers of features.
        """
        for item in items:
            for key in ('stride', 'window', 'layout', 'feature_key'):
                if item.get(key) is not None or options.get(key) is not None:
                    raise ValueError(f'{item.get("path", "array")}: {key} is said of features, but '
                                     'this model reads frames, as its config says')
        return super().complete(items, **options)

    def _known_rate(self, item: dict) -> Optional[float]:
        return item.get('fps') or self.source.fps

    def _check_features(self, item: dict) -> None:
        raise ValueError(f'{item["source"]}: this model reads frames: give the video, not features')

    def _check_video(self, item: dict) -> None:
        """All of it must be there; count its frames at the rate of the training."""
        path, name = item['path'], item['video_name']
        try:
            seconds = check_video(path)
            item['fps'] = item['fps'] or frame_rate(path)
        except ValueError as error:
            self.broken.append(broken_video(name, path, error))
            return
        item['stride'] = self.sampling.stride
        why = item['annotated'] and duration_problem(
            dict(item, duration=item['annotated']), seconds, self.spec)
        if why:
            raise TALDataError.of('inference', path, 'duration', why, name)
        if item['duration'] is None:
            item['duration'] = seconds
        item['num_frames'] = frames_within(seconds, item['fps'])
        item['num_steps'] = self.sampling.total_steps(item['num_frames'])

    def samples(self, item: dict) -> Iterator[dict]:
        """Make the model's inputs of one video, each when it is asked for.

        Args:
            item (dict): From :meth:`complete`.

        Yields:
            dict: ``inputs`` and ``data_samples``, as the pipeline packs them, of one window. There
            are no more of a video that turns out to be broken and is left out.

        Raises:
            TALDataError: If the video cannot be decoded, and is not to be left out.
        """
        cuts = [dict()] if self.sliding is None else self.sliding.cut(item['num_steps'])
        base = dict({key: item[key] for key in ('video_name', 'duration', 'fps', 'num_frames')},
                    video_path=item['path'], sampling=self.sampling,
                    class_agnostic=self.class_agnostic)
        for cut in cuts:
            try:
                sample = self.pipeline(dict(base, **cut))
            except TALDataError as error:
                self.broken += error.problems
                if self.skip_broken:
                    return
                raise TALDataError(self.broken, 'inference', SKIP_HINT) from error
            yield sample
            del sample  # one window is held at a time
