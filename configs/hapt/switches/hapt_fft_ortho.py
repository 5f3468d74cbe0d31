# HAPT: orthonormal Fourier transform
_base_ = ['../cltdr_base.py']
model = dict(backbone=dict(fft_norm='ortho'))
