"""Which frames a sample reads, against the published sampling."""
import json

import numpy as np
import pytest
from parity_more import load

from cltdr_mm.datasets import TALVideoDataset
from cltdr_mm.datasets.converters.shape_videos import write_video

pytest.importorskip('av')
FPS = 30




@pytest.fixture
def samples(tmp_path):
    """Samples of a case: a data set of one video of as many frames, its pipeline, its windows."""

    def make(case):
        frames = case['frames']
        write_video(str(tmp_path / 'videos' / 'v.mp4'),
                    (np.zeros((16, 16, 3), np.uint8) for _ in range(frames)), FPS)
        annotations = [dict(segment=segment, label='a') for segment in case.get('gt', ())]
        (tmp_path / 'ann.json').write_text(json.dumps(dict(classes=['a'], database=dict(v=dict(
            duration=frames / FPS, fps=FPS, annotations=annotations)))))
        how = dict(num_steps=case['window'])
        if case['method'] == 'sliding_window':
            how = dict(feature_stride=case['stride'],
                       window=dict(size=case['window'], overlap=float(case['overlap'])))
        data = TALVideoDataset(
            'ann.json', data_root=str(tmp_path), data_prefix=dict(video='videos'),
            frames_per_step=case['scale'], exempt_videos=['v'], test_mode=True,
            pipeline=[dict(type='SampleTALFrames')], **how)
        return [data[i] for i in range(len(data))]

    return make


def cases(method):
    meta, arrays = load('e2e', 'frames')
    found = [(i, case) for i, case in enumerate(meta['cases']) if case['method'] == method]
    assert found
    return found, {key: array.numpy() for key, array in arrays.items()}


def test_sliding_windows(samples):
    found, arrays = cases('sliding_window')
    for number, case in found:
        ours = {round(sample['grid'].start * case['stride']): sample for sample in samples(case)}
        published = {}
        for w in range(case['windows']):
            key = f'case{number}.window{w}.'
            published[int(arrays[key + 'first_frame'][0])] = (
                arrays[key + 'frame_inds'], int(arrays[key + 'mask'].sum()))
        for first, (frames, valid) in published.items():
            sample = ours.pop(first)
            read = valid * case['scale']
            np.testing.assert_array_equal(sample['frame_inds'], frames[:read])
            assert sample['grid'].num_steps == valid
        # the published loop can miss the end of a video: all that ours has beside is the last one
        assert len(ours) <= 1
        assert all(first > max(published) for first in ours)


def test_whole_videos(samples):
    found, arrays = cases('resize')
    for number, case in found:
        sample, = samples(case)
        np.testing.assert_array_equal(sample['frame_inds'], arrays[f'case{number}.frame_inds'])
        np.testing.assert_allclose(sample['gt_segments'], arrays[f'case{number}.gt_steps'],
                                   rtol=1e-6)
        assert sample['grid'].num_steps == case['window']
