# A backbone of MMAction2 small enough for one core: two stages of a ResNet3d, 8 channels wide. A
# recognizer and fronts have it in common.
clip_backbone = dict(
    type='ResNet3d',
    depth=50,
    pretrained=None,
    num_stages=2,
    out_indices=(1, ),
    base_channels=8,
    conv1_kernel=(3, 5, 5),
    conv1_stride_t=1,
    pool1_stride_t=1,
    spatial_strides=(1, 2),
    temporal_strides=(1, 1),
    dilations=(1, 1),
    inflate=((1, 1, 1), (1, 0, 1, 0)),
    norm_eval=False)
