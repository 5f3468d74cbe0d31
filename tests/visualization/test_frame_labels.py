import numpy as np

from cltdr_mm.visualization.frame_labels import FrameLabels


def test_labels_are_drawn_at_the_lower_left():
    frame = np.full((240, 320, 3), 200, np.uint8)
    labels = FrameLabels(['jump', 'run'])
    drawn = labels.draw(frame, [('run', .75)])
    assert drawn.shape == frame.shape and drawn.dtype == np.uint8 and (frame == 200).all()
    changed = np.argwhere((drawn != frame).any(2))
    assert changed[:, 0].min() > 200 and changed[:, 1].max() < 200
    color = np.array([0xd5, 0x5e, 0x00])
    assert (drawn == color).all(2).sum() > 50, 'the colour of the second class'
    assert labels.draw(frame, []) is frame
    two = labels.draw(frame, [('run', .75), ('jump', .1)])
    assert np.argwhere((two != frame).any(2))[:, 0].min() < changed[:, 0].min()


def test_small_frames_long_names_and_odd_scores():
    frame = np.zeros((16, 24, 3), np.uint8)
    drawn = FrameLabels([]).draw(frame, [('a long name ' * 9, 7.), ('\n', -1.)] * 9)
    assert drawn.shape == frame.shape and (drawn != frame).any()
