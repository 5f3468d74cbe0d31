# AdaTAD on Charades, VideoMAE V2-g, 512 frames of 160 x 160 pixels
_base_ = ['./charades_s.py']
model = dict(front=dict(backbone={{_base_.videomaev2_g}}))
train_dataloader = dict(batch_size=4)  # published on 4 GPUs
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(adapter=dict(lr_mult=0.8))))
