# MultiTHUMOS, on THUMOS14's InternVideo2 (6B) features: 16 frames every 4
_base_ = ['./multithumos_i3d.py']

features = dict(
    data_prefix=dict(feats='../thumos14/internvideo2_features'),
    file_suffix='_spatial_feature.pt',
    feature_dim=3200)

train_dataloader = dict(dataset=features)
val_dataloader = dict(dataset=features)
test_dataloader = val_dataloader
