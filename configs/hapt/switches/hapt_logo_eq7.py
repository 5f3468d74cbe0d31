# HAPT: LoGo with negatives divided by their own number, as eq. 7 prints it
_base_ = ['../../logo_hapt.py']
model = dict(head=dict(balance_negatives=True))
