# FineAction proposals, VideoMAE V2 (giant) features; 192 steps share a video evenly
_base_ = ['./fineaction_videomae.py']

features = dict(
    data_prefix=dict(feats='videomaev2_features'), feature_stride=None, feature_window=None,
    feature_dim=1408)

train_dataloader = dict(dataset=features)
val_dataloader = dict(dataset=features)
test_dataloader = val_dataloader
