# HAPT: eq. 13 with negatives divided by their own number, as printed
_base_ = ['./hapt_eq13.py']
model = dict(head=dict(balance_negatives=True))
