# CLTDR-GMG on FineAction, VideoMAE V2 features; recipe ours: ActionFormer's there, CLTDR's of ANet
_base_ = [
    '_base_/models/cltdr_gmg_anet.py', '_base_/datasets/fineaction_videomaev2.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    backbone=dict(in_channels=1408),
    postprocessor=dict(
        # InternVideo's scores of the validation videos; see docs/datasets/fineaction.md
        fusion=dict(
            score_file='data/fineaction/video_scores.json', topk=2, fusion='geometric_mean')))
train_cfg = dict(max_epochs=15)
param_scheduler = dict(warmup=5)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=16)
