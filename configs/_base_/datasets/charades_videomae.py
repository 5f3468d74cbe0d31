# Charades, VideoMAE-L features at 30 fps: a step every 4 frames, in windows of 512 in tests
_base_ = ['./charades_i3d.py']

train_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='RandomCropFeature', max_len=512, trunc_thresh=0.5, crop_ratio=(0.9, 1.0)),
    dict(type='PackTALInputs'),
]

features = dict(
    data_prefix=dict(feats='videomae_features'), feature_stride=4, feature_window=4, fps=30)

train_dataloader = dict(dataset=dict(pipeline=train_pipeline, **features))
# windows are put together before NMS, which the evaluator does (docs/postprocessing.md)
val_dataloader = dict(dataset=dict(window=dict(size=512, overlap=0.5), **features))
test_dataloader = val_dataloader
