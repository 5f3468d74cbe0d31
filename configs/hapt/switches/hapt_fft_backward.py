# HAPT: Fourier transform as a plain sum (eq. 1 as it stands)
_base_ = ['../../cltdr_hapt.py']
model = dict(backbone=dict(fft_norm='backward'))
