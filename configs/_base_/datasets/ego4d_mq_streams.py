# Ego4D Moment Queries: SlowFast, Omnivore and EgoVLP features together, on the grid of the first
_base_ = ['./ego4d_mq_slowfast.py']

features = dict(
    data_prefix=dict(feats=['slowfast_features', 'omnivore_features', 'egovlp_features']),
    feature_window=[32, 32, 16],
    feature_dim=2304 + 1536 + 256)

train_dataloader = dict(dataset=features)
val_dataloader = dict(dataset=features)
test_dataloader = val_dataloader
