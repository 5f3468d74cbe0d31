# HAPT: orthonormal Fourier transform
_base_ = ['../../cltdr_hapt.py']
model = dict(backbone=dict(fft_norm='ortho'))
