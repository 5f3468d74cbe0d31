# AdaTAD on EPIC-KITCHENS-100 verbs, VideoMAE-L fine-tuned on them, 6144 frames of 160 x 160 pixels
_base_ = [
    '../_base_/models/adatad_epic.py', '../_base_/models/videomae.py',
    '../_base_/datasets/epic100_verb_video.py', '../_base_/schedules/adatad.py',
    '../_base_/default_runtime.py'
]
model = dict(
    front=dict(backbone=dict(
        embed_dims=1024, depth=24, num_heads=16,
        init_cfg=dict(type='PretrainedViT', checkpoint=(
            'checkpoints/videomae/vit-large-p16_videomae-epic_verb.pth')))))
train_cfg = dict(max_epochs=35)
param_scheduler = dict(end=250)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(adapter=dict(lr_mult=0.8))))
