# Video transformers of VideoMAE (S, B, L, H) and VideoMAE V2 (g); which file holds which weights
# is said in docs/methods/adatad.md
weights = 'checkpoints/videomae/'
videomae_s = dict(
    embed_dims=384, depth=12, num_heads=6,
    init_cfg=dict(type='PretrainedViT', checkpoint=weights + 'vit_s_k400_ft.pth'))
videomae_b = dict(
    embed_dims=768, depth=12, num_heads=12,
    init_cfg=dict(type='PretrainedViT', checkpoint=weights + (
        'vit-base-p16_videomae-k400-pre_16x4x1_kinetics-400_20221013-860a3cd3.pth')))
videomae_l = dict(
    embed_dims=1024, depth=24, num_heads=16,
    init_cfg=dict(type='PretrainedViT', checkpoint=weights + (
        'vit-large-p16_videomae-k400-pre_16x4x1_kinetics-400_20221013-229dbb03.pth')))
videomae_h = dict(
    embed_dims=1280, depth=32, num_heads=16,
    init_cfg=dict(type='PretrainedViT', checkpoint=weights + 'vit_h_k400_ft.pth'))
videomaev2_g = dict(
    embed_dims=1408, depth=40, num_heads=16, patch_size=14, mlp_ratio=48 / 11,
    init_cfg=dict(type='PretrainedViT', checkpoint=weights + 'vit_g_hybrid_pt_1200e_k710_ft.pth'))
