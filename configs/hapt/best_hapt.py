# HAPT: finer boundaries on features of half the stride, with one level more
_base_ = ['./finer_boundaries.py']

# cltdr convert hapt ARCHIVE --folds 5 --window 26 --stride 13 --out data/hapt_fine
data_root = 'data/hapt_fine/'
fine = dict(data_root=data_root, feature_stride=13, feature_window=26, feature_dim=78)

model = dict(
    backbone=dict(in_channels=78, arch=(2, 2, 6)),
    head=dict(regression_ranges=[(0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 128),
                                 (128, 10000)]))
train_dataloader = dict(dataset=fine)
test_dataloader = dict(dataset=fine)
test_evaluator = dict(ann_file=data_root + 'annotations.json')
