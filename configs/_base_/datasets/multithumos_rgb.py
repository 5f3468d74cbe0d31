# MultiTHUMOS, the RGB stream of I3D alone
_base_ = ['./multithumos_i3d.py']

features = dict(data_prefix=dict(feats='../thumos14/i3d_rgb_features'), feature_dim=1024)

train_dataloader = dict(dataset=features)
val_dataloader = dict(dataset=features)
test_dataloader = val_dataloader
