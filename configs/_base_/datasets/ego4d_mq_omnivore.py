# Ego4D Moment Queries, Omnivore (Swin-L) features: 32 frames every 16
_base_ = ['./ego4d_mq_slowfast.py']

features = dict(data_prefix=dict(feats='omnivore_features'), feature_dim=1536)

train_dataloader = dict(dataset=features)
val_dataloader = dict(dataset=features)
test_dataloader = val_dataloader
