# ActivityNet-1.3 proposals, InternVideo2 (6B) features at 30 fps (16 frames every 8), to 192 steps
_base_ = ['./anet13_tsp.py']

features = dict(
    data_prefix=dict(feats='internvideo2_features'),
    feature_stride=8,
    feature_window=16,
    feature_dim=3200,
    fps=30)

train_dataloader = dict(dataset=features)
val_dataloader = dict(dataset=features)
test_dataloader = val_dataloader
