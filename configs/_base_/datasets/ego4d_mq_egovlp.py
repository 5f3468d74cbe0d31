# Ego4D Moment Queries, EgoVLP features: 16 frames every 16
_base_ = ['./ego4d_mq_slowfast.py']

features = dict(data_prefix=dict(feats='egovlp_features'), feature_window=16, feature_dim=256)

train_dataloader = dict(dataset=features)
val_dataloader = dict(dataset=features)
test_dataloader = val_dataloader
