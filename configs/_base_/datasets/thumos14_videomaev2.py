# THUMOS14, VideoMAEv2 (giant) features: 16 frames every 4
_base_ = ['./thumos14_i3d.py']

features = dict(data_prefix=dict(feats='videomaev2_features'), feature_dim=1408)

train_dataloader = dict(dataset=features)
val_dataloader = dict(dataset=features)
test_dataloader = val_dataloader
